"""Workflows: everything that runs, waits, reads or writes.

Each folder imports only from those before it:
structures < analysis < system < case < dft < tasks < steps < campaign < preflight
< prescreen < run < report < measured < terminal < commands < cli < sodiophile (the Python API).
"""

import os

# Tasks run side by side, one core each. Numerical libraries read this when they are loaded, so it
# stands here, before any of them; threads of their own would only fight over the cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

"""The DFT code: the only folder that imports gpaw. Imports structures, analysis, case and system.

The parts of GPAW that its documentation does not promise are listed in `internals.py`.
"""

"""Running tasks: on this machine (local, worker) or on a cluster (slurm).

Imports preflight and below.
"""

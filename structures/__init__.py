"""Structures: numbers in, ase.Atoms out. No files, no processes, nothing of ours imported."""

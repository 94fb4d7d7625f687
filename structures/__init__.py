"""Structures: numbers in, ase.Atoms out. No files, no processes. Imports nothing of ours."""

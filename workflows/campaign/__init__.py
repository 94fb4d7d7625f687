"""What a directory computes: one case, several, a sweep or a convergence study.

Imports steps and below.
"""

"""What is checked and estimated before anything is computed: warnings, memory, disk, time, ranks.

Imports campaign and below.
"""

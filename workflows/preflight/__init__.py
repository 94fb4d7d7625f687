"""What is known before anything is computed: warnings, memory, disk, time, ranks.

Imports campaign and below.
"""

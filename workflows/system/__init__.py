"""What the program needs of the machine: messages, files, signals, cores.

Imports nothing of ours.
"""

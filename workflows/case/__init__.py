"""Case files: what they may hold, how they are read, and the presets.

Imports structures and system.
"""

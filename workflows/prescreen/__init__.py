"""A pretrained potential puts hosts in order before any DFT; its energies are never DFT's.

Imports preflight and below.
"""

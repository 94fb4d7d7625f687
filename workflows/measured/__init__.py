"""Measured files -> parameters as CSV, and figures: impedance, Tafel, plating, cycling.

Imports analysis, report and below.
"""

"""Figures of measured data: spectra, Tafel plots, nucleation, cycling."""

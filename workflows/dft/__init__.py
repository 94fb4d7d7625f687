"""The DFT code: the only folder that imports gpaw. Imports analysis, case and system."""

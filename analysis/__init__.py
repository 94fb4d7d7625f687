"""Analysis: energies and densities in, tables and figures out. No files, no processes."""

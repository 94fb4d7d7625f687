"""Analysis: energies, densities in; tables, figures out. No files. Imports structures."""

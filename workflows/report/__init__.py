"""Finished tasks -> tables, figures, the page, the database. Imports analysis, run and below."""

"""Workflows: everything that runs, waits, reads or writes."""

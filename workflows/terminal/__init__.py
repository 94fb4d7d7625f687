"""What a person sees in a terminal: live progress, tables, versions. Imports report and below."""

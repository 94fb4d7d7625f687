"""The graph of tasks, their folders and results, and how far each is. Imports dft and below."""

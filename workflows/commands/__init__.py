"""One verb of the command line per module: its arguments, and what it does.

`cli.py` imports the module of the verb that was chosen and no other, so each imports at its top
whatever it needs. Imports terminal and below.
"""

DONE, INCOMPLETE = 0, 1  # exit codes of a command: everything asked for is there, or not all of it

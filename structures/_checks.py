"""What every builder asks of its input: a real element, a length one can build with."""

import difflib
import math

from ase.data import chemical_symbols

_ELEMENTS = chemical_symbols[1:]  # ASE's entry 0 is the ghost atom 'X'


def check_element(symbol: str) -> None:
    """Raise ValueError, naming the nearest symbols, unless `symbol` is a chemical element's."""
    if symbol in _ELEMENTS:
        return
    # Symbols are so short that wrong case is the likeliest slip: compare in the usual case.
    near = difflib.get_close_matches(str(symbol).capitalize(), _ELEMENTS, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "use a symbol such as Na, V or N"
    raise ValueError(f"{symbol!r} is not a chemical element: {hint}")


def check_length(name: str, value: float) -> None:
    """Raise ValueError unless `value` (angstrom) is finite and positive."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value} angstrom: it must be positive and finite")

"""Models of London dispersion, and how people write them."""

from typing import Final

NONE: Final = "none"

LABELS: Final = {NONE: "none", "d3bj": "D3(BJ)", "d3zero": "D3(0)", "d4": "D4"}
"""In the order in which they are shown."""

"""Where things lie in a checkout."""

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
TINY = TESTS / "tiny.toml"  # the smallest case that real GPAW computes in seconds

"""What all tests share."""

import pytest

import workflows  # noqa: F401  (first: it keeps numerical libraries to one thread)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=4, help="kills in test_kills.py")
    parser.addoption("--kill-seed", type=int, default=1, help="seed of their moments")

"""Saving figures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")


# Pixels per inch of what is rendered in a figure; journals ask for 300. Lines and text are vectors.
FINE, PLAIN = 400, 300


def save(figure: Figure, folder: Path, stem: str, dpi: int = FINE) -> list[Path]:
    """Write a figure in all formats, each whole or not at all; return the paths."""
    paths = []
    for suffix in FORMATS:
        path = folder / f"{stem}.{suffix}"
        temporary = path.with_name(f".{stem}.{os.getpid()}.{suffix}")
        metadata: Mapping[str, Any] = {"Date": None} if suffix == "svg" else {}
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
        temporary.replace(path)
        paths.append(path)
    return paths

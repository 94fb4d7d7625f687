"""The colour of every element in a picture, and of the two isosurfaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from ase.data import atomic_numbers
from ase.data.colors import jmol_colors
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

Colour = tuple[float, float, float]  # red, green, blue in 0..1

# The paper's two isosurface colours; they also differ in lightness, so they survive in grey.
ACCUMULATION = "#f6cf12"
DEPLETION = "#22c3d6"

# Jmol's grey for V, a deep blue for N, far from the cyan surface. Na is violet, as in Jmol: the
# yellow that Na has in other programs is taken by the accumulation.
OWN = {"V": "#9aa3ad", "N": "#2b50d8", "Na": "#a259d9"}

CONTRAST = 18.0  # CIEDE2000: blue N and violet Na are 18.6 apart
SHADES = (0.0, 0.25, -0.3, 0.4, 0.55, -0.55)  # towards black, and (negative) towards white
SPARE = ("#8c4a2f", "#009e73", "#c2417c", "#4d4d4d")  # where no shade of an element's own is free
LIGHT = 0.6  # luminance from which dark letters are read more easily than white ones


def element_colours(symbols: Iterable[str]) -> dict[str, Colour]:
    """Give every element of one picture its colour, unlike all others in it.

    V, N and Na have colours of their own; other elements have Jmol's, shaded where it comes too
    near to another element, an isosurface or the white page. The order of the symbols does not
    matter.

    Parameters
    ----------
    symbols
        Chemical symbols, repeated or not.

    Returns
    -------
    dict
        Colour by symbol, in rising atomic number.
    """
    return dict(_colours(tuple(sorted(set(symbols), key=atomic_numbers.__getitem__))))


@lru_cache(maxsize=64)
def _colours(symbols: tuple[str, ...]) -> tuple[tuple[str, Colour], ...]:
    chosen = {symbol: to_rgb(OWN[symbol]) for symbol in symbols if symbol in OWN}
    surroundings = [to_rgb(ACCUMULATION), to_rgb(DEPLETION), to_rgb("white")]
    for symbol in symbols:
        if symbol not in chosen:
            chosen[symbol] = _distinct(symbol, [*surroundings, *chosen.values()])
    return tuple((symbol, chosen[symbol]) for symbol in symbols)


def _distinct(symbol: str, others: list[Colour]) -> Colour:
    """Give the first colour of an element that is far from the others, or else the farthest."""
    candidates = list(_candidates(symbol))
    distances = [contrast(candidate, others) for candidate in candidates]
    far = (c for c, distance in zip(candidates, distances, strict=True) if distance >= CONTRAST)
    return next(far, candidates[int(np.argmax(distances))])


def _candidates(symbol: str) -> Iterator[Colour]:
    own = np.asarray(jmol_colors[atomic_numbers[symbol]], float)
    for shade in SHADES:
        yield _rgb(own * (1.0 - shade) if shade >= 0.0 else own - shade * (1.0 - own))
    yield from map(to_rgb, SPARE)


def _rgb(colour: NDArray[np.float64]) -> Colour:
    red, green, blue = (float(part) for part in colour)
    return red, green, blue


def contrast(colour: Colour, others: Iterable[Colour]) -> float:
    """Give the CIEDE2000 difference between a colour and the nearest of others.

    References
    ----------
    CIE 142-2001.
    """
    one, many = (rgb2lab(np.array(colours)) for colours in ([colour], list(others)))
    return float(np.min(deltaE_ciede2000(one, many)))


def letters_on(colour: Colour) -> str:
    """Give the colour of letters that are legible on a ball of this colour."""
    # relative luminance, without gamma: good enough to choose between black and white
    return "#222222" if float(np.dot(colour, (0.2126, 0.7152, 0.0722))) > LIGHT else "white"

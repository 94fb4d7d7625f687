"""The way from our energies to the published ones: a panel per site, a bar per choice."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.account import Account, Choice
from analysis.figures import style
from analysis.figures.bars import nice

LINE_MM, ABOVE_MM, BELOW_MM = 4.6, 15.0, 11.0  # of a choice; over and under all of them
LEFT_MM, BETWEEN_MM, RIGHT_MM = 38.0, 3.0, 4.0

GAP, LEFT = "published less ours", "left with all that is counted"
LOOKS: dict[str, dict[str, Any]] = {
    "gap": {"facecolor": style.PAPER},
    "dispersion": {"facecolor": style.OURS},
    "refinement": {"facecolor": "#009e73"},
    "alternative": {"facecolor": "white", "edgecolor": style.MUTED, "lw": 0.6},
    "left": {"facecolor": style.SECOND},
}
NAMES = {
    "gap": "difference to explain",
    "dispersion": "dispersion, three models",
    "refinement": "better converged (pale: not counted)",
    "alternative": "another choice, not counted",
    "left": "what is left: lowest to highest over the models",
}


def draw_site(ax: Axes, found: Account, site: str) -> Axes:
    """Draw one site: the difference to explain, a bar per choice, and what is left.

    Parameters
    ----------
    ax
        Axes to draw on.
    found
        Energies in eV.
    site
        One of its sites.
    """
    ax.axvline(0.0, color=style.INK, lw=0.6, zorder=3.0)
    _bar(ax, 0, found.gap(site), LOOKS["gap"])
    for line, choice in enumerate(found.choices, 1):
        change = choice.changes.get(site)
        if change is None:
            _missing(ax, line)
        else:
            _bar(ax, line, change, _look(choice))
    low, high = found.left(site)
    last = len(found.choices) + 1
    ax.barh(last, high - low or 0.005, left=low, height=0.72, zorder=2.0, **LOOKS["left"])
    text = _number(low) if high - low < 0.005 else f"{_number(low)} to {_number(high)}"
    room_on_the_left = low > 0.5 * ax.get_xlim()[0]
    _label(ax, last, low if room_on_the_left else high, text, right=not room_on_the_left)
    ax.set_title(nice(site), pad=3.0)
    return ax


def compose(found: Account, caption: style.Caption) -> Figure:
    """Compose the figure of all sites, 180 mm wide.

    Parameters
    ----------
    found
        Energies in eV; it has a site at least.
    caption
        What was computed, and with which settings.
    """
    lines = len(found.choices) + 2
    tall = LINE_MM * lines
    sites = found.sites
    width = (style.WIDTH_MM - LEFT_MM - RIGHT_MM + BETWEEN_MM) / len(sites) - BETWEEN_MM
    low, high = _limits(found)
    with style.page(style.WIDTH_MM, ABOVE_MM + tall + BELOW_MM, caption) as figure:
        for number, site in enumerate(sites):
            left = LEFT_MM + number * (width + BETWEEN_MM)
            ax = style.place(figure, left, ABOVE_MM, width, tall)
            ax.set_xlim(low, high)
            ax.set_ylim(lines - 0.5, -0.5)
            draw_site(ax, found, site)
            _axes(ax, found, first=number == 0)
        handles = [Patch(label=NAMES[kind], **look) for kind, look in LOOKS.items()]
        figure.legend(
            handles=handles, loc="upper left", ncols=3, columnspacing=1.4, handletextpad=0.5,
            bbox_to_anchor=(LEFT_MM / style.WIDTH_MM, 1.0), borderaxespad=0.4,
        )  # fmt: skip
        style.write(
            figure, LEFT_MM, ABOVE_MM + tall + 6.0,
            "change of the adsorption energy (eV); to the left: binds more strongly",
            fontsize=7.0,
        )  # fmt: skip
    return figure


def _axes(ax: Axes, found: Account, *, first: bool) -> None:
    """Dress the axes of a site; the choices stand to the left of the first one."""
    names = [GAP, *(choice.name for choice in found.choices), LEFT]
    ax.set_yticks(range(len(names)), names if first else [""] * len(names))
    ax.tick_params(axis="y", length=0.0)
    ax.spines["left"].set_visible(False)
    for line in range(len(names) - 1):
        group = line in (0, len(names) - 2)
        ax.axhline(line + 0.5, color="#9a9a9a" if group else "#ececec", lw=0.5, zorder=0.0)


def _look(choice: Choice) -> dict[str, Any]:
    look = LOOKS[choice.kind]
    return look if choice.counted or choice.kind == "alternative" else {**look, "alpha": 0.4}


def _bar(ax: Axes, line: int, change: float, look: dict[str, Any]) -> None:
    ax.barh(line, change, height=0.72, zorder=2.0, **look)
    _label(ax, line, change, _number(change), right=change > 0.0)


def _label(ax: Axes, line: int, end: float, text: str, *, right: bool) -> None:
    ax.annotate(
        text, (end, line), (2.0 if right else -2.0, 0.0), textcoords="offset points",
        ha="left" if right else "right", va="center", fontsize=style.SMALLEST_POINT, zorder=4.0,
        # The line at zero stops short of a number.
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _missing(ax: Axes, line: int) -> None:
    ax.annotate(
        "not computed", (0.0, line), (-3.0, 0.0), textcoords="offset points", ha="right",
        va="center", fontsize=style.SMALLEST_POINT, color=style.MUTED, style="italic",
    )  # fmt: skip


def _number(energy: float) -> str:
    text = f"{energy:+.2f}".replace("-", "−")
    return text[1:] if text[1:] == "0.00" else text


def _limits(found: Account) -> tuple[float, float]:
    """Return the range in eV that holds all bars and the numbers beside them."""
    ends = [0.0]
    for site in found.sites:
        ends += [found.gap(site), *found.left(site)]
        ends += [choice.changes[site] for choice in found.choices if site in choice.changes]
    low, high = min(ends), max(ends)
    span = high - low
    return low - 0.3 * span, high + 0.3 * span

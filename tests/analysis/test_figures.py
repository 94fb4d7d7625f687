"""Figures: what is drawn is what was given, all of it, legible and in the right order of depth."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import graphene, mx2
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from analysis import paper
from analysis.adsorption import Problem, Relaxation, Site, Table
from analysis.arrhenius import fit
from analysis.charge import Density
from analysis.figures import (
    colours,
    electrons,
    fig5,
    isosurfaces,
    lattice,
    raster,
    scene,
    style,
    supplement,
)
from analysis.figures.arrhenius import NO_DATA, draw_arrhenius
from analysis.figures.atoms import draw_scene, note_if_weak
from analysis.figures.bars import draw_adsorption_bars, nice
from analysis.figures.plane_average import draw_plane_average
from analysis.figures.sheet import SitePicture, traced
from analysis.lattice import rings
from analysis.localisation import bonding_plane
from tests.lattices import grid_points

LATTICE = 4.13  # angstrom
SITES = ("bridge", "hollow", "top-V", "top-N")
CAPTION = "VN(001) 1×1, 2 layers; PBE, plane waves 300 eV, k-points 4×4×1. " * 4
DPI = 90.0
ISOVALUE = 0.012  # e/angstrom^3


def vn_slab(site: str = "top-V", repeat: int = 1, layers: int = 2) -> Atoms:
    """Build VN(001) with Na 2.3 angstrom above a site."""
    edge = LATTICE / math.sqrt(2.0)
    height = 5.0 + LATTICE / 2.0 * (layers - 1)
    places = {"V": (0.0, 0.0), "N": (edge / 2.0, edge / 2.0)}
    slab = Atoms(cell=(edge, edge, height + 8.0), pbc=(True, True, False))
    for layer in range(1, layers + 1):
        z = height - LATTICE / 2.0 * (layer - 1)
        swap = {"V": "N", "N": "V"} if layer % 2 == 0 else {"V": "V", "N": "N"}
        for symbol, (x, y) in places.items():
            slab += Atoms(swap[symbol], positions=[(x, y, z)], tags=[layer])
    slab = slab.repeat((repeat, repeat, 1))
    above = {
        "top-V": (0.0, 0.0),
        "top-N": places["N"],
        "bridge": (edge / 4.0, edge / 4.0),
        "hollow": (edge / 2.0, 0.0),
    }[site]
    slab += Atoms("Na", positions=[(*above, height + 2.3)])
    return slab


def blobs(cell: NDArray[np.float64], *parts: tuple[NDArray[np.float64], float, float]) -> Density:
    """Sum periodic Gaussians: centre (3,) and width in angstrom, height in e/angstrom^3."""
    counts = np.maximum(8, np.ceil(np.linalg.norm(cell, axis=1) / 0.22).astype(int))
    axes = [np.arange(count) / count for count in counts]
    scaled = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.zeros(tuple(counts))
    for centre, width, height in parts:
        apart = scaled - np.linalg.solve(cell.T, centre)
        far = (apart - np.round(apart)) @ cell
        values += height * np.exp(-(far**2).sum(axis=-1) / (2.0 * width**2))
    return Density(values, cell)


def sodium_difference(atoms: Atoms) -> Density:
    """Move charge from around Na to between Na and surface."""
    sodium = atoms.positions[-1]
    down, up = np.array([0.0, 0.0, -1.5]), np.array([0.0, 0.0, 0.9])
    return blobs(np.asarray(atoms.cell), (sodium + down, 0.5, 0.08), (sodium + up, 0.6, -0.05))


def pictures(sites: tuple[str, ...] = SITES) -> list[SitePicture]:
    slabs = [(site, vn_slab(site)) for site in sites]
    return [
        traced(SitePicture(site, slab, sodium_difference(slab)), ISOVALUE) for site, slab in slabs
    ]


def site(name: str, relaxation: Relaxation, energy: float | None) -> Site:
    return Site("VN(001)", name, relaxation, adsorption_energy=energy)


def table(*sites: Site) -> Table:
    energies = (-1.61, -1.52, -1.74, -1.29)
    held = tuple(site(name, "held", e) for name, e in zip(SITES, energies, strict=True))
    free = (site("bridge", "free", -1.73), site("top-V", "free", -1.83))
    metal = (Site("Na(001)", "hollow", "free", adsorption_energy=-0.84),)
    return Table("VN", "Na", sites or held + free, metal, "smoke", False)


@pytest.fixture(scope="module")
def whole() -> Figure:
    content = fig5.Content(table(), pictures(), ISOVALUE)
    return fig5.compose(content, style.Caption(CAPTION, physical=False), dpi=DPI)


def texts(figure: Figure) -> list[Text]:
    """Give all that is written, without tick labels off the axes or of axes switched off."""
    unseen = {id(label) for axes in figure.axes for label in _unseen_labels(axes)}
    drawn = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [t for t in drawn if t.get_visible() and t.get_text().strip() and id(t) not in unseen]


def _unseen_labels(axes: Axes) -> list[Text]:
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not (axes.axison and low <= tick.get_loc() <= high):
                found += [tick.label1, tick.label2]
    return found


def draw(figure: Figure) -> FigureCanvasAgg:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return canvas


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def axes_of(width: float = 100.0, height: float = 60.0) -> tuple[Figure, Axes]:
    figure = style.new_figure(width, height)
    return figure, style.place(figure, 15.0, 15.0, width - 18.0, height - 25.0)


def image_of(figure: Figure) -> NDArray[np.int64]:
    rgba = draw(figure).buffer_rgba()  # type: ignore[no-untyped-call]
    return np.asarray(rgba)[..., :3].astype(np.int64)


def is_yellow(image: NDArray[np.int64]) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(image, -1, 0)
    return np.asarray((red > blue + 60) & (green > blue + 40))


def is_cyan(image: NDArray[np.int64]) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(image, -1, 0)
    return np.asarray((green > red + 50) & (blue > red + 50))


# The whole figure


def test_figure_5_has_all_panel_letters(whole: Figure) -> None:
    assert set("abcdefghij") <= set(words(whole))


def test_figure_5_is_two_columns_wide(whole: Figure) -> None:
    assert whole.get_figwidth() * 25.4 == pytest.approx(180.0)


def test_type_is_never_smaller_than_six_points(whole: Figure) -> None:
    assert min(float(text.get_fontsize()) for text in texts(whole)) >= 6.0


def test_nothing_is_cut_at_the_border(whole: Figure) -> None:
    draw(whole)
    for text in texts(whole):
        box = text.get_window_extent()
        assert box.x0 >= 0.0, text.get_text()
        assert box.y0 >= 0.0, text.get_text()
        assert box.x1 <= whole.bbox.width, text.get_text()
        assert box.y1 <= whole.bbox.height, text.get_text()


def test_no_two_texts_overlap(whole: Figure) -> None:
    draw(whole)
    shown = [text for text in texts(whole) if text.get_text() != style.WATERMARK]
    for one, two in combinations(shown, 2):
        boxes = one.get_window_extent(), two.get_window_extent()
        assert not boxes[0].overlaps(boxes[1]), (one.get_text(), two.get_text())


def test_caption_and_isovalue_are_printed(whole: Figure) -> None:
    printed = " ".join(words(whole)).replace("\n", " ")
    assert "plane waves 300 eV" in printed
    assert "±0.012 e Å⁻³" in printed


def test_watermark_stands_only_on_unphysical_figures(whole: Figure) -> None:
    sober = fig5.compose(fig5.Content(table()), style.Caption(CAPTION), dpi=DPI)
    assert style.WATERMARK in words(whole)
    assert style.WATERMARK not in words(sober)


@pytest.mark.parametrize("physical", [True, False])
def test_every_panel_carries_letter_and_watermark(physical: bool) -> None:
    content = fig5.Content(table(), pictures(("top-V",)), ISOVALUE)
    assert content.panels == "abcdefghij"
    for letter in content.panels:
        figure = fig5.panel(content, letter, style.Caption(CAPTION, physical), dpi=DPI)
        assert letter in words(figure)
        # j shows what the paper published, not what these settings gave
        assert (style.WATERMARK in words(figure)) is (not physical and letter != "j")


def test_missing_sites_and_densities_are_named() -> None:
    given = [SitePicture("hollow", vn_slab("hollow"))]
    figure = fig5.compose(fig5.Content(table(), given), style.Caption(CAPTION), dpi=DPI)
    assert words(figure).count("density not computed") == 1
    # Three sites in a-d and in f-i, and two bars of free sites
    assert words(figure).count("not computed") == 6 + 2


def test_supplement_figures_have_two_rows_of_letters() -> None:
    given = pictures(("bridge", "top-N"))
    for draw_supplement in (supplement.s17, supplement.s18):
        figure = draw_supplement(given, SITES, style.Caption(CAPTION, physical=False), dpi=DPI)
        assert set("abcdefgh") <= set(words(figure))
        assert style.WATERMARK in words(figure)


def test_host_and_metal_stand_in_rows_of_their_own() -> None:
    host = pictures()
    metal = [replace(pictures(("hollow",))[0], site=f"Na({face}) hollow") for face in (1, 2)]
    metal[1] = replace(metal[1], difference=None, surfaces=None)
    figure = supplement.host_and_metal(
        host, metal, style.Caption(CAPTION, physical=False), isovalue=ISOVALUE, dpi=DPI
    )
    written = texts(figure)
    height = {text.get_text(): text.get_position()[1] for text in written}
    assert len({height[letter] for letter in "abcd"}) == 1
    assert height["e"] == height["f"] < height["a"]
    assert "density not computed" in words(figure)
    assert any(f"±{ISOVALUE:g} e" in text for text in words(figure))
    assert style.WATERMARK in words(figure)


def test_plane_averages_say_what_is_missing() -> None:
    given = pictures(("hollow",))
    figure = supplement.plane_averages(given, SITES, style.Caption(CAPTION))
    assert words(figure).count("not computed") == 3


@pytest.mark.parametrize("physical", [True, False])
def test_the_lattice_is_drawn_beside_the_published_spacings(*, physical: bool) -> None:
    lines = [{"hkl": (2, 0, 0), "two_theta": 44.7, "intensity": 100.0}]
    figure = lattice.compose(rings(4.12, "VN"), lines, style.Caption(CAPTION, physical))
    assert {"2.060", "2.0", "+0.1", "(220)"} <= set(words(figure))
    assert (style.WATERMARK in words(figure)) is not physical
    missing = lattice.compose([], [], style.Caption(CAPTION, physical))
    assert words(missing).count("not computed") == 2


def test_type_stays_type_in_saved_figures(tmp_path: Path) -> None:
    figure, _ = axes_of()
    style.letter(figure, 1.0, 1.0, "e")
    target = tmp_path / "e.svg"
    figure.savefig(target)
    assert "<text" in target.read_text()


def test_signs_that_a_typeface_lacks_come_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    # cmss10 has neither Å nor a superscript minus; a missing letter is a warning, and an error here
    monkeypatch.setattr(style, "TYPEFACES", ("cmss10", "DejaVu Sans"))
    style.typefaces.cache_clear()
    try:
        text = "±0.012 e Å⁻³, Γ-centred, 2×2, √2×√2, Δλ"
        with style.page(60.0, 20.0, style.Caption(text)) as figure:
            draw(figure)
    finally:
        style.typefaces.cache_clear()


# Other systems

K_ON_MGO = style.Caption("K on MgO.")


def other_system(sites: int = 4) -> tuple[list[SitePicture], Table]:
    """Give pictures and table of K on MgO, with as many sites."""
    given = []
    for name in SITES[:sites]:
        atoms = vn_slab(name)
        symbols = {"V": "Mg", "N": "O", "Na": "K"}
        atoms.set_chemical_symbols([symbols[symbol] for symbol in atoms.symbols])
        given.append(traced(SitePicture(name, atoms, sodium_difference(atoms)), ISOVALUE))
    rows = tuple(Site("MgO(001)", p.site, "held", adsorption_energy=-0.4) for p in given)
    metal = (Site("K(001)", "hollow", "held", adsorption_energy=-0.6),)
    return given, Table("MgO", "K", rows, metal, "laptop", True)


@pytest.mark.parametrize(
    ("symbols"),
    [("K", "Mg", "O"), ("Na", "Ti", "C"), ("Ag", "Sc", "N"), ("Na", "Hf", "N"), ("Na", "Fe", "O")],
)
def test_elements_of_a_picture_are_told_apart(symbols: tuple[str, ...]) -> None:
    found = colours.element_colours(symbols)
    surfaces = [to_rgb(colours.ACCUMULATION), to_rgb(colours.DEPLETION)]
    for symbol in symbols:
        others = [colour for other, colour in found.items() if other != symbol]
        assert colours.contrast(found[symbol], [*others, *surfaces]) >= colours.CONTRAST
    assert found == colours.element_colours(reversed(symbols))


def test_vanadium_nitride_and_sodium_keep_their_colours() -> None:
    found = colours.element_colours("VN" + "V")
    assert found == {"N": to_rgb("#2b50d8"), "V": to_rgb("#9aa3ad")}


@pytest.mark.parametrize(("colour", "letters"), [("#56267f", "white"), ("#e0e0e0", "#222222")])
def test_the_adatoms_symbol_is_legible(colour: str, letters: str) -> None:
    assert colours.letters_on(to_rgb(colour)) == letters


def test_only_the_papers_system_has_the_papers_numbers() -> None:
    given, rows = other_system()
    figure = fig5.compose(fig5.Content(rows, given, ISOVALUE), K_ON_MGO, dpi=DPI)
    text = " ".join(words(figure))
    assert "published" not in text
    assert "Na" not in text
    assert set("abcdefghi") <= set(words(figure))
    assert "j" not in words(figure)


def test_measured_resistances_of_ones_own_are_drawn_and_explained() -> None:
    temperature = np.array([283.0, 298.0, 313.0])
    fits = {"K/MgO": fit(temperature, temperature * np.exp(5000 / temperature))}
    given, rows = other_system()
    figure = fig5.compose(fig5.Content(rows, given, ISOVALUE, fits), K_ON_MGO, dpi=DPI)
    text = " ".join(words(figure)).replace("\n", " ")
    assert "j" in words(figure)
    assert "fitted to the measured charge-transfer resistances of K/MgO" in text


@pytest.mark.parametrize(
    ("sites", "expected"),
    [(1, ("a", "c", "b", "d")), (3, ("abc", "g", "def", "h")), (4, ("abcd", "e", "fghi", "j"))],
)
def test_letters_follow_one_another(sites: int, expected: tuple[str, ...]) -> None:
    found = fig5.letters(sites)
    assert (found.top, found.energies, found.differences, found.arrhenius) == expected


def test_three_sites_have_panels_without_gaps() -> None:
    given, rows = other_system(3)
    content = fig5.Content(rows, given, ISOVALUE)
    assert content.panels == "abcdefg"
    assert "top on V" in words(fig5.panel(content, "f", K_ON_MGO, dpi=DPI))
    figure = fig5.compose(fig5.Content(rows, given, ISOVALUE), K_ON_MGO, dpi=DPI)
    assert set("abcdefg") <= set(words(figure))
    assert "h" not in words(figure)


LONG_NAMES = (
    "top-Mo", "hollow-3-SSS-over-Mo", "hollow-3-SSS", "long-bridge-Mo-S", "short-bridge-S-S",
    "hollow-4-OOTiTi-over-O", "top-S", "bridge-O-Ti", "hollow-3-MoMoS-over-S",
)  # fmt: skip


def hexagonal(sites: int) -> tuple[list[SitePicture], Table]:
    """Give pictures and table of Na on a 2x2 cell of MoS2, at as many sites with long names."""
    given = []
    for number, name in enumerate(LONG_NAMES[:sites]):
        atoms = mx2("MoS2", size=(2, 2, 1), vacuum=7.0)
        atoms.set_tags(np.repeat([2, 1, 3], [1, 1, 1])[np.arange(len(atoms)) % 3])
        atoms.pbc = (True, True, False)
        x, y, _ = (0.5 + 0.05 * number) * atoms.cell[0] + 0.4 * atoms.cell[1]
        atoms += Atoms("Na", positions=[(x, y, atoms.positions[:, 2].max() + 2.3)])
        given.append(traced(SitePicture(name, atoms, sodium_difference(atoms)), ISOVALUE))
    names = [picture.site for picture in given]
    rows = tuple(Site("MoS2(001)", name, "held", adsorption_energy=-0.4) for name in names)
    free = tuple(Site("MoS2(001)", name, "free", adsorption_energy=-0.6) for name in names)
    metal = tuple(
        Site(f"Na({face})", "hollow", "held", adsorption_energy=-0.6) for face in ("001", "110")
    )
    return given, Table("MoS2", "Na", rows + free, metal, "laptop", True)


@pytest.mark.parametrize("sites", range(1, 10))
def test_any_number_of_sites_has_its_panels_in_lines_of_up_to_four(sites: int) -> None:
    given, rows = hexagonal(sites)
    names = [picture.site for picture in given]
    figure = fig5.compose(fig5.Content(rows, given, ISOVALUE), K_ON_MGO, dpi=DPI)
    wide = 88.0 if sites <= 2 else 180.0
    assert figure.get_figwidth() * 25.4 == pytest.approx(wide)
    letters = [
        t for t in texts(figure) if t.get_text() in style.LETTERS and t.get_fontweight() == "bold"
    ]
    assert sorted(t.get_text() for t in letters) == sorted(style.LETTERS[: 2 * sites + 1])
    lines = Counter(round(t.get_position()[1], 4) for t in letters)
    assert max(lines.values()) <= (4 if sites > 2 else 2)
    others = [
        supplement.s18(given, names, K_ON_MGO, isovalue=ISOVALUE, dpi=DPI),
        supplement.plane_averages(given, names, K_ON_MGO),
    ]
    for drawn in (figure, *others):
        assert_legible(drawn)


def letters(figure: Figure) -> list[str]:
    return sorted(word for word in words(figure) if word in tuple("abcdefgh"))


def text_of(figure: Figure) -> str:
    return " ".join(" ".join(words(figure)).split())  # lines of the caption joined


def assert_legible(figure: Figure, *, beside: bool = False) -> None:
    """Assert that no text is cut or lies on another one.

    No legend leaves its axes sideways, unless it may stand `beside` them.
    """
    draw(figure)
    shown = texts(figure)
    boxes = [text.get_window_extent() for text in shown]
    for text, box in zip(shown, boxes, strict=True):
        inside = box.x0 >= 0 <= box.y0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        assert inside, text.get_text()
        assert float(text.get_fontsize()) >= style.SMALLEST_POINT
    for (one, left), (two, right) in combinations(zip(shown, boxes, strict=True), 2):
        assert not left.overlaps(right), (one.get_text(), two.get_text())
    for ax in figure.axes:
        if not beside and (legend := ax.get_legend()) is not None:
            assert legend.get_window_extent().x1 <= ax.get_window_extent().x1 + 2.0


@pytest.mark.parametrize("sites", [1, 6])
def test_electronic_structures_of_any_number_of_sites_are_legible(sites: int) -> None:
    given, _ = hexagonal(sites)
    energies = np.linspace(-8.0, 2.0, 30).tolist()
    along, z = np.linspace(-4.5, 4.5, 20).tolist(), np.linspace(7.0, 14.0, 15).tolist()
    states, elf = np.square(np.sin(energies)).tolist(), np.full((15, 20), 0.5).tolist()
    systems = [
        electrons.System(
            name, atoms, energies, dict.fromkeys(groups, states),
            bonding_plane(atoms, len(atoms) - 1), along, z, elf,
            0.3 if name else None,
        )
        for name, atoms, groups in [
            ("", given[0].atoms[:-1], ["Mo d", "S p"]),
            *((picture.site, picture.atoms, ["S p", "adatom s"]) for picture in given),
        ]
    ]  # fmt: skip
    figure = electrons.compose(systems, K_ON_MGO)
    assert {"without adatom", "S, top layer", "Na", *(nice(p.site) for p in given)} <= {
        text.replace("\n", "") for text in words(figure)
    }
    for ax in figure.axes:  # atoms in a cut may hide one another
        for text in ax.texts if ax.get_ylabel().startswith("z") or not ax.get_ylabel() else ():
            text.set_visible(False)
    assert_legible(figure)


def test_the_watermark_of_a_narrow_page_covers_nothing() -> None:
    given, rows = hexagonal(1)
    below = style.Caption("Na on MoS2.", physical=False)
    pages = [
        fig5.compose(fig5.Content(rows, given, ISOVALUE), below, dpi=DPI),
        supplement.s18(given, LONG_NAMES[:1], below, isovalue=ISOVALUE, dpi=DPI),
        supplement.plane_averages(given, LONG_NAMES[:1], below),
    ]
    for figure in pages:
        assert style.WATERMARK in words(figure)
        assert_legible(figure)


def test_one_site_fills_its_figures() -> None:
    given, _ = hexagonal(1)
    metal = replace(pictures(("hollow",))[0], site="Na(001) hollow")
    figure = supplement.host_and_metal(given, [metal], K_ON_MGO, isovalue=ISOVALUE, dpi=DPI)
    assert_legible(figure)
    assert figure.get_figwidth() * 25.4 == pytest.approx(88.0)
    a, b = (t for t in texts(figure) if t.get_text() in ("a", "b"))
    assert a.get_position()[1] == b.get_position()[1]
    drawn = image_of(figure)
    halves = np.array_split(drawn[: len(drawn) // 2], 2, axis=1)
    assert all(np.mean((half != 255).any(axis=2)) > 0.1 for half in halves)


def test_figures_without_any_site_are_drawn_nevertheless() -> None:
    empty = Table("MoS2", "Na", (), (), "laptop", True)
    figures = [
        fig5.compose(fig5.Content(empty), K_ON_MGO, dpi=DPI),
        supplement.s17([], [], K_ON_MGO, dpi=DPI),
        supplement.plane_averages([], [], K_ON_MGO),
    ]
    for figure in figures:
        assert_legible(figure)


def test_a_key_that_is_too_long_goes_on_below() -> None:
    given, _ = hexagonal(1)
    many = given[0].atoms.copy()
    many.symbols[:8] = ["Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"]
    figure = supplement.s18([replace(given[0], atoms=many)], LONG_NAMES[:1], K_ON_MGO, dpi=DPI)
    assert {"Ti", "Cu", "Na", "accumulation", "depletion"} <= set(words(figure))
    assert_legible(figure)


# Bars


@pytest.mark.parametrize("metal", [-1.65, -1.75, -1.8, -1.85])
def test_labels_of_bars_meet_no_line(metal: float) -> None:
    figure, ax = axes_of(120.0)
    rows = table()
    line = Site("Na(001)", "hollow", "free", adsorption_energy=metal)
    draw_adsorption_bars(ax, Table("VN", "Na", rows.sites, (line,), "laptop", True))
    draw(figure)
    levels = [ax.transData.transform((0.0, y))[1] for y in (metal, paper.BARE_NA)]
    for label in ax.texts:
        box = label.get_window_extent()
        if label.get_text().startswith("−"):
            assert not any(box.y0 < level < box.y1 for level in levels), label.get_text()


def test_bars_are_as_high_as_the_energies() -> None:
    _, ax = axes_of()
    draw_adsorption_bars(ax, table())
    heights = [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)]
    ours = [-1.61, -1.52, -1.74, -1.29, -1.73, -1.83]
    assert sorted(heights) == pytest.approx(sorted([*ours, *paper.ADSORPTION_ENERGIES.values()]))


@pytest.mark.parametrize("width", [60.0, 85.0, 120.0])
def test_values_on_bars_never_overlap(width: float) -> None:
    figure, ax = axes_of(width)
    draw_adsorption_bars(ax, table())
    draw(figure)
    for one, two in combinations(ax.texts, 2):
        assert not Text.get_window_extent(one).overlaps(Text.get_window_extent(two))


@pytest.mark.parametrize(
    ("problem", "energy", "word"),
    [
        (Problem("failed", "not converged"), None, "failed"),
        (Problem("unfinished", "waiting for VN-slab"), None, "not computed"),
        (Problem("unfinished", "waiting for its bare slab"), -99.0, "bare slab not computed"),
        (Problem("refused", "cutoff differs"), -99.0, "refused"),
    ],
)
def test_a_site_without_energy_says_why_and_has_no_bar(
    problem: Problem, energy: float | None, word: str
) -> None:
    _, ax = axes_of()
    hollow = Site("VN(001)", "hollow", "held", energy=energy, problem=problem)
    draw_adsorption_bars(ax, table(hollow))
    written = next(text for text in ax.texts if text.get_text() == word)
    behind = written.get_bbox_patch()
    assert behind is not None  # the metal's lines do not cross the word
    assert behind.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert written.zorder > max(line.zorder for line in ax.lines)
    assert len(ax.patches) == len(paper.ADSORPTION_ENERGIES)


def test_an_adatom_that_moved_says_where_it_went() -> None:
    moved = Site("VN(001)", "bridge", "free", adsorption_energy=-1.7, ended_at="top-V")
    _, ax = axes_of()
    draw_adsorption_bars(ax, table(moved))
    assert "to top on V" in [text.get_text() for text in ax.texts]


def test_sodium_on_sodium_is_drawn_for_us_and_the_paper() -> None:
    _, ax = axes_of()
    draw_adsorption_bars(ax, table())
    levels = [float(np.asarray(line.get_ydata())[0]) for line in ax.lines]
    assert paper.BARE_NA in levels
    assert -0.84 in levels


def test_other_hosts_have_no_published_bars() -> None:
    _, ax = axes_of()
    sites = (Site("TiN(001)", "top-Ti", "held", adsorption_energy=0.4),)
    draw_adsorption_bars(ax, Table("TiN", "Na", sites, (), "smoke", False))
    assert [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)] == [0.4]


# Arrhenius and profile


def test_without_data_the_published_slopes_are_drawn() -> None:
    _, ax = axes_of()
    draw_arrhenius(ax, {})
    slopes = []
    for line in ax.lines:
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        slopes.append(-(y[-1] - y[0]) / (x[-1] - x[0]) * 8.314462618)
    assert slopes == pytest.approx(list(paper.ACTIVATION_ENERGIES.values()), rel=1e-6)
    assert NO_DATA in [text.get_text() for text in ax.texts]


def test_with_data_the_points_and_energies_are_drawn() -> None:
    temperature = np.array([283.0, 298.0, 313.0, 328.0])
    resistance = temperature * np.exp(-20.0 + 60.0 / 8.314462618e-3 / temperature)
    _, ax = axes_of()
    draw_arrhenius(ax, {"Na/VN": fit(temperature, resistance * [1.0, 1.1, 1.0, 0.9])})
    legend = ax.get_legend()
    assert legend is not None
    assert "±" in legend.get_texts()[0].get_text()
    assert len(np.asarray(ax.lines[-1].get_xdata())) == len(temperature)


def test_many_electrodes_do_not_overflow_the_figure() -> None:
    temperature = np.array([283.0, 298.0, 313.0])
    one = fit(temperature, temperature * np.exp(5000 / temperature))
    figure = fig5.arrhenius_panel({f"cell {number}": one for number in range(40)})
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert legend.get_texts()[-1].get_text() == "and 32 more"
    draw(figure)
    box, axes = legend.get_window_extent(), figure.axes[0].get_window_extent()
    assert box.y0 > axes.y0
    assert "cell 7 and 32 more electrodes" in " ".join(words(figure)).replace("\n", " ")


def test_dollar_signs_in_the_name_of_an_electrode_are_no_formula() -> None:
    temperature = np.array([283.0, 298.0, 313.0])
    figure, ax = axes_of()
    draw_arrhenius(ax, {"$\\frac{1$": fit(temperature, temperature * np.exp(5000 / temperature))})
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text().startswith("\\$")
    figure.canvas.draw()  # a formula that is none would raise here


def test_a_plane_average_marks_every_layer_and_the_adatom() -> None:
    atoms = vn_slab(layers=3)
    _, ax = axes_of()
    draw_plane_average(ax, sodium_difference(atoms), atoms)
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3", "Na"]


# Isosurfaces


def test_isovalue_encloses_the_fraction_asked_for() -> None:
    values = np.zeros((2, 2, 2))
    # 4 + 3 of 10 electrons' worth lie at or above 3
    values[0, 0, 0], values[0, 0, 1], values[0, 1, 0], values[1, 0, 0] = 4.0, -3.0, 2.0, -1.0
    density = Density(values, np.eye(3))
    assert isosurfaces.enclosing_isovalue([density], 0.6) == 3.0
    assert isosurfaces.enclosing_isovalue([density], 0.3) == 4.0


def test_isovalue_of_no_difference_is_zero() -> None:
    assert isosurfaces.enclosing_isovalue([Density(np.zeros((2, 2, 2)), np.eye(3))]) == 0.0


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5])
def test_isovalue_needs_a_true_fraction(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        isosurfaces.enclosing_isovalue([Density(np.ones((2, 2, 2)), np.eye(3))], fraction)


@pytest.mark.parametrize(
    "cell",
    [
        np.diag([6.0, 6.0, 6.0]),
        np.array([[6.0, 0.0, 0.0], [2.0, 6.0, 0.0], [0.0, 0.0, 6.0]]),
        np.array([[0.0, 6.0, 0.0], [6.0, 0.0, 0.0], [0.0, 0.0, 6.0]]),
    ],
    ids=["cubic", "skew", "left-handed"],
)
def test_surface_of_a_gaussian_is_the_sphere_it_should_be(cell: NDArray[np.float64]) -> None:
    centre = cell.sum(axis=0) / 2.0
    density = blobs(cell, (centre, 0.8, 1.0))
    # exp(-r^2 / 2 s^2) = v
    radius = 0.8 * math.sqrt(-2.0 * math.log(0.3))
    mesh, empty = isosurfaces.trace(density, 0.3)
    out = mesh.vertices - centre
    assert np.linalg.norm(out, axis=1) == pytest.approx(radius, rel=0.02)
    assert mesh.area == pytest.approx(4.0 * math.pi * radius**2, rel=0.02)
    assert mesh.volume == pytest.approx(4.0 / 3.0 * math.pi * radius**3, rel=0.02)
    assert np.einsum("ij,ij->i", mesh.normals, out / radius).min() > 0.9
    assert len(empty.faces) == 0


def edges_met_twice(faces: NDArray[np.int64]) -> bool:
    edges = np.sort(np.concatenate([faces[:, [a, b]] for a, b in pairwise((0, 1, 2, 0))]), axis=1)
    return bool(np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2))


def test_a_blob_across_the_cells_edge_is_whole_and_closed() -> None:
    cell = np.diag([5.0, 5.0, 8.0])
    middle, _ = isosurfaces.trace(blobs(cell, (np.array([2.5, 2.5, 4.0]), 0.7, 1.0)), 0.4)
    region = isosurfaces.Region((-0.5, -0.5, 0.0), (0.499, 0.499, 1.0))
    corner = blobs(cell, (np.array([2.4, -2.4, 4.0]), 0.7, 1.0))
    mesh, _ = isosurfaces.trace(corner, 0.4, region)
    assert edges_met_twice(mesh.faces)
    assert mesh.volume == pytest.approx(middle.volume, rel=0.02)
    assert mesh.vertices.mean(axis=0) == pytest.approx([2.4, -2.4, 4.0], abs=0.05)


def test_copies_of_a_body_in_the_next_cells_leave_no_trace() -> None:
    # wide enough that its copies are cut where the tracing ends
    cell = np.diag([6.0, 6.0, 8.0])
    density = blobs(cell, (np.array([3.0, 3.0, 4.0]), 1.5, 1.0))
    mesh, _ = isosurfaces.trace(density, 0.3)
    assert edges_met_twice(mesh.faces)
    assert mesh.visible == pytest.approx(1.0)
    assert mesh.vertices.mean(axis=0) == pytest.approx([3.0, 3.0, 4.0], abs=0.05)


def test_an_endless_body_fades_beyond_the_cell_instead_of_being_cut() -> None:
    z = np.arange(32) / 32.0
    values = np.broadcast_to(np.exp(-(((z - 0.5) * 8.0) ** 2)), (12, 12, 32))
    mesh, _ = isosurfaces.trace(Density(values, np.diag([4.0, 4.0, 8.0])), 0.5)
    thick = math.sqrt(math.log(2.0))
    seen = np.unique(mesh.faces)
    x, y, z = mesh.vertices[seen].T
    assert np.abs(z - 4.0) == pytest.approx(thick, abs=0.02)  # no wall closes the body
    within = (np.abs(x - 2.0) < 2.0) & (np.abs(y - 2.0) < 2.0)
    assert mesh.visible[seen][within] == pytest.approx(1.0)
    assert np.abs(x - 2.0).max() < 2.0 + isosurfaces.FADE + isosurfaces.STEP
    assert mesh.visible[seen].min() == 0.0


def test_isovalue_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        isosurfaces.trace(Density(np.ones((4, 4, 4)), np.eye(3)), 0.0)


# Depth


def one_sphere(z: float) -> raster.Spheres:
    return raster.Spheres(np.array([[0.0, 0.0, z]]), np.array([1.0]), np.array([[0.6, 0.2, 0.8]]))


def sheet_at(z: float) -> raster.Surface:
    corners = np.array([[-2.0, -2.0, z], [2.0, -2.0, z], [2.0, 2.0, z], [-2.0, 2.0, z]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    up = np.tile([0.0, 0.0, 1.0], (4, 1))
    return raster.Surface(corners, faces, up, (1.0, 0.85, 0.1), 0.6)


EXTENT = (-2.5, 2.5, -2.5, 2.5)


def test_a_sphere_hides_the_surface_behind_it_and_is_tinted_by_one_before_it() -> None:
    alone = raster.render(one_sphere(0.0), [], EXTENT, 20.0).astype(int)
    before = raster.render(one_sphere(0.0), [sheet_at(3.0)], EXTENT, 20.0).astype(int)
    behind = raster.render(one_sphere(0.0), [sheet_at(-3.0)], EXTENT, 20.0).astype(int)
    middle = (50, 50)
    assert behind[middle].tolist() == alone[middle].tolist()
    assert before[middle][0] > alone[middle][0] + 20
    assert before[middle][2] < alone[middle][2] - 20
    # Beside the sphere the surface is seen either way.
    assert behind[20, 20].tolist() == before[20, 20].tolist()
    assert 0 < behind[20, 20][3] < 255


def test_a_surface_that_is_hidden_altogether_changes_nothing() -> None:
    alone = raster.render(one_sphere(0.0), [], EXTENT, 20.0)
    inside = replace(sheet_at(0.0), vertices=0.1 * sheet_at(0.0).vertices)
    assert np.array_equal(raster.render(one_sphere(0.0), [inside], EXTENT, 20.0), alone)


def test_the_nearer_of_two_spheres_is_seen_whatever_their_order() -> None:
    centres = np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 2.0]])
    colours = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    forth = raster.render(raster.Spheres(centres, np.ones(2), colours), [], EXTENT, 20.0)
    back = raster.render(raster.Spheres(centres[::-1], np.ones(2), colours[::-1]), [], EXTENT, 20.0)
    assert np.array_equal(forth, back)
    assert forth[50, 50][0] > forth[50, 50][2]


def test_a_sphere_has_the_area_of_its_disc() -> None:
    image = raster.render(one_sphere(0.0), [], EXTENT, 40.0)
    covered = float(image[..., 3].sum()) / 255.0 / 40.0**2
    assert covered == pytest.approx(math.pi, rel=0.01)


def test_triangles_that_share_an_edge_neither_overlap_nor_gap() -> None:
    nothing = raster.Spheres(np.zeros((0, 3)), np.zeros(0), np.zeros((0, 3)))
    image = raster.render(nothing, [sheet_at(0.0)], EXTENT, 20.0)
    inner = image[15:-15, 15:-15, 3]
    assert np.ptp(inner) == 0


def test_accumulation_is_yellow_below_depletion_that_is_cyan() -> None:
    atoms = vn_slab("top-V", repeat=2)
    figure, ax = axes_of(60.0, 80.0)
    surfaces = scene.trace(sodium_difference(atoms), atoms, 0.02)
    draw_scene(ax, scene.build(atoms, "front", surfaces), dpi=DPI)
    image = image_of(figure)
    yellow, cyan = (np.argwhere(mask(image)) for mask in (is_yellow, is_cyan))
    assert len(yellow) > 50
    assert len(cyan) > 50
    # Rows count downwards.
    assert yellow[:, 0].mean() > cyan[:, 0].mean()


def test_a_difference_too_weak_for_the_isovalue_says_so() -> None:
    atoms = vn_slab()
    figure, ax = axes_of()
    note_if_weak(ax, sodium_difference(atoms), 5.0)
    assert any("nowhere above 5" in word for word in words(figure))


# What is shown


@pytest.mark.parametrize(("repeat", "site_name"), [(1, "hollow"), (2, "top-N"), (2, "bridge")])
def test_the_patch_is_centred_on_one_adatom(repeat: int, site_name: str) -> None:
    atoms = vn_slab(site_name, repeat)
    patch = scene.window(atoms)
    shown = scene.show(atoms, patch)
    assert shown.adatom.sum() == 1
    assert shown.positions[shown.adatom][0] == pytest.approx(atoms.positions[-1])
    aside = shown.positions[:, :2] - atoms.positions[-1, :2]
    assert np.abs(aside).max() <= scene.LEAST_HALF + scene.MARGIN + 1e-9


def test_atoms_on_the_border_are_shown_on_both_borders() -> None:
    atoms = vn_slab("top-V", repeat=2)
    shown = scene.show(atoms, scene.window(atoms))
    top = shown.positions[np.isclose(shown.positions[:, 2], 5.0 + LATTICE / 2.0)]
    aside = np.round(top[:, :2] - atoms.positions[-1, :2], 6)
    found = {(float(x), float(y)) for x, y in aside}
    assert found == {(-x or 0.0, -y or 0.0) for x, y in found}


@pytest.mark.parametrize("direction", ["top", "front", "side"])
def test_cameras_are_right_handed_and_orthonormal(direction: scene.Direction) -> None:
    axes = scene.camera(direction).axes
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_the_adatom_is_named_in_the_top_view() -> None:
    figure, ax = axes_of(60.0, 60.0)
    draw_scene(ax, scene.build(vn_slab(), "top"), dpi=DPI)
    assert {"Na", "3 Å"} <= set(words(figure))


# Small print


def test_a_line_is_drawn_as_wide_as_it_was_measured() -> None:
    line = "What is left takes them as additive; a site goes without choices that were not"
    with style.context():
        figure = style.new_figure(180.0, 20.0)
        figure.set_dpi(style.RESOLUTION_DPI)
        drawn = figure.text(0.0, 0.5, line, fontsize=6.0)
        draw(figure)
        width = drawn.get_window_extent().width
    millimetres = width / style.RESOLUTION_DPI * style.MM_PER_INCH
    assert millimetres == pytest.approx(style.text_width(line, 6.0), rel=0.003)


def test_wrapped_lines_fit_and_lose_no_letter() -> None:
    text = "plane waves " * 12 + "x" * 300
    lines = style.wrapped(text, 6.0, 60.0)
    assert max(style.text_width(line, 6.0) for line in lines) <= 60.0
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


# Oblique cells


def graphene_with_sodium(slanted: int = 0) -> Atoms:
    """Build 3x3 graphene with Na over a hollow; the same lattice in another cell if slanted."""
    sheet = graphene(size=(3, 3, 1), vacuum=6.0)
    sheet.pbc, sheet.cell[2, 2] = (True, True, False), sheet.cell[2, 2] + 3.0
    sheet.set_tags([1] * len(sheet))
    first, second, _ = sheet.cell.array
    hollow = 4 / 9 * first + 5 / 9 * second
    sheet += Atoms("Na", positions=[(*hollow[:2], sheet.positions[0, 2] + 2.4)])
    sheet.set_cell([first, second + slanted * first, sheet.cell[2]])
    return sheet


@pytest.mark.parametrize("slanted", [0, 1, 2])
@pytest.mark.parametrize("direction", ["top", "front", "side"])
def test_a_patch_of_an_oblique_cell_holds_one_whole_cell(
    slanted: int, direction: scene.Direction
) -> None:
    atoms = graphene_with_sodium(slanted)
    patch = scene.window(atoms, direction)
    assert abs(np.linalg.det(patch.frame_cv)) == pytest.approx(
        abs(np.linalg.det(atoms.cell[:2, :2]))
    )
    shown = scene.show(atoms, patch)
    off = np.abs(shown.positions[:, :2] - atoms.positions[-1, :2])
    least = math.pi * 3.3**2 / (2.46**2 * 3**0.5 / 2) * 2  # carbon atoms that near, on average
    assert (np.hypot(*off.T) <= 3.3).sum() >= least - 4
    assert shown.adatom.sum() == 1
    # within half a frame of the adatom there is each atom of the cell once, at a place of its own
    aside = (shown.positions[:, :2] - atoms.positions[-1, :2]) @ np.linalg.inv(patch.frame_cv)
    inside = np.all((aside >= -0.5 - 1e-6) & (aside < 0.5 - 1e-6), axis=1)
    assert inside.sum() == len(atoms)
    home = np.round(atoms.cell.scaled_positions(shown.positions[inside]) % 1.0 % 1.0, 6)
    assert len(np.unique(home % 1.0, axis=0)) == len(atoms)
    # every carbon in the middle has its three neighbours, 1.42 angstrom away
    carbon = shown.positions[~shown.adatom]
    apart = np.linalg.norm(carbon[:, None] - carbon[None, :], axis=2)
    near = np.linalg.norm(carbon - atoms.positions[-1], axis=1) < 3.0
    assert near.sum() == 6
    assert (np.abs(apart[near] - 1.42) < 0.01).sum() == 3 * 6
    bonds = scene.bonded(shown)
    assert len(bonds) == (np.abs(np.triu(apart) - 1.42) < 0.01).sum()


def test_a_hexagon_is_drawn_as_a_regular_one() -> None:
    atoms = graphene_with_sodium()
    view = scene.build(atoms, "top")
    places = view.spheres.centres[:, :2]
    near = places[np.hypot(*places.T).argsort()[1:7]]
    assert np.hypot(*near.T) == pytest.approx([1.42] * 6, abs=0.01)
    angles = np.sort(np.degrees(np.arctan2(near[:, 1], near[:, 0])))
    assert np.diff(angles) == pytest.approx([60.0] * 5, abs=0.1)
    (outline,) = view.outline
    sides = np.diff(outline, axis=0)
    assert np.linalg.norm(sides, axis=1) == pytest.approx([3 * 2.46] * 4)
    assert outline[:-1].mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)
    left, right = scene.build(atoms, "front").outline  # one cell wide
    assert right[0, 0] - left[0, 0] == pytest.approx(3 * 2.46)


@pytest.mark.parametrize("slanted", [0, 1])
def test_an_isosurface_does_not_depend_on_the_cell(slanted: int) -> None:
    atoms = graphene_with_sodium(slanted)
    centre, width = atoms.positions[-1], 0.7
    cell = np.asarray(atoms.cell)
    shape = (40, 40, 60)
    points = grid_points(shape, cell)
    # the nearest image by hand: of nine cells around
    far = np.min(
        [
            np.square(points - centre - i * cell[0] - j * cell[1]).sum(axis=-1)
            for i in (-2, -1, 0, 1, 2) for j in (-1, 0, 1)
        ],
        axis=0,
    )  # fmt: skip
    density = Density(np.exp(-far / (2 * width**2)), cell)
    radius = width * math.sqrt(2 * math.log(2))
    found = scene.trace(density, atoms, 0.5)
    for meshes in (found.above, found.beside):
        assert meshes[0].area == pytest.approx(4 * math.pi * radius**2, rel=0.02)
        assert meshes[0].volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.02)
        assert meshes[0].vertices.mean(axis=0) == pytest.approx(centre, abs=0.02)
        assert len(meshes[1].faces) == 0
        across = np.linalg.norm(meshes[0].vertices - centre, axis=1)
        assert across == pytest.approx(np.full(len(across), radius), abs=0.03)

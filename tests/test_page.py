"""The page in a real browser: it loads, asks for nothing, draws, and can be used by keyboard."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import write

from analysis.charge import Density
from analysis.cube import write_cube
from structures.sites import hold_lateral, place_adatom
from structures.slab import rocksalt_slab
from workflows.case import Case
from workflows.page import _island, with_images, write_page
from workflows.report import Report
from workflows.store import Result, TaskFolder
from workflows.structure import to_json
from workflows.tasks import plan, survey

CHROMIUM = shutil.which("chromium") or ""
HOSTILE = '</script><img src=x onerror="document.title=1"><b>'
SLAB = rocksalt_slab("V", "N", 4.1, layers=3, cell="sqrt2", vacuum=6.0, held_layers=1)
FLAGS = (
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


def case() -> Case:
    import tomllib

    from workflows.case import find

    data = tomllib.loads(find("smoke").read_text(encoding="utf-8"))
    data["slab"]["sites"] = ["top-V", "hollow"]
    return Case.model_validate(data | {"description": HOSTILE})


def cloud(atoms: Any) -> Density:
    """Return a made-up difference: electrons below the adatom, none lost but above it."""
    grid = np.stack(np.meshgrid(*(np.linspace(0, 1, n, endpoint=False) for n in (20, 20, 60))), -1)
    position = grid.transpose(1, 0, 2, 3) @ np.asarray(atoms.cell)
    x, y, z = atoms.positions[-1]
    below = np.exp(-((position - (x, y, z - 1.2)) ** 2).sum(-1))
    above = np.exp(-((position - (x, y, z + 0.8)) ** 2).sum(-1))
    return Density(0.02 * (below - above), np.asarray(atoms.cell))


def values(task: Any) -> dict[str, Any]:
    """Return what a task might find; energies are made up, structures are real."""
    atoms = SLAB
    if task.site:
        atoms = (
            hold_lateral(place_adatom(SLAB, "Na", task.site)) if task.surface == "host" else SLAB
        )
    common = {"energy": -1.0, "structure": to_json(atoms), "fmax": 0.04, "scf_iterations": 7}
    bulk = {"atoms": 1, "lattice_constant": 4.1, "bulk_modulus": 300.0, "retries": []}
    where = {"height": 2.1, "nearest": {"N": 2.4}, "ended_at": task.site, "site_offset": 0.0}
    moved = {"integral": 1e-9, "charge_moved": 0.5, "bader_charge": 0.6, "boundary": 9.0}
    profile = {"z": [0.0, 1.0], "plane_average": [0.0, 0.0]}
    return common | bulk | where | moved | profile


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a finished run whose numbers are made up."""
    root = tmp_path_factory.mktemp("page")
    for task in plan(case()).values():
        parents = {name: TaskFolder(root / name).result() for name in task.needs}
        known = {name: result for name, result in parents.items() if result is not None}
        folder = TaskFolder(root / task.name)
        folder.path.mkdir()
        found = values(task)
        if task.kind == "density":
            atoms = place_adatom(SLAB, "Na", task.site)
            with (folder / "difference.cube").open("w", encoding="utf-8") as file:
                write_cube(file, cloud(atoms), atoms, "made up")
        if task.kind == "held" and task.surface == "host":
            frames = []
            for step in (1, 2, 3):
                frame = place_adatom(SLAB, "Na", task.site)
                frame.set_constraint()
                frame.info["energy"], frame.arrays["forces"] = 1.0 / step, frame.positions / step**2
                frames.append(frame)
            write(folder / "relaxation.extxyz", frames)
        folder.finish(Result(task.fingerprint(known), found, {}, 60.0, {"gpaw": "26.7.0"}))
    return write_page(Report(case(), survey(plan(case()), root)), root, root)


def test_a_page_is_one_small_file_that_names_no_other(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 15e6
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"(src|href)=[\"'](?!data:)", own)
    assert "default-src 'none'" in own


def test_text_of_a_case_is_escaped(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "&lt;/script&gt;" in text


def test_data_in_a_page_cannot_end_its_element() -> None:
    data = {"a": HOSTILE, "b": "<!--"}
    assert not set("<>&") & set(_island(data))
    assert json.loads(_island(data)) == data


def test_atoms_on_the_cells_edge_are_shown_on_both_sides() -> None:
    full = with_images(place_adatom(SLAB, "Na", "top-V"))
    corner = SLAB.positions[np.abs(SLAB.get_scaled_positions()[:, :2]).max(axis=1) < 0.01]
    assert len(corner)
    for shift in ((1, 0, 0), (0, 1, 0), (1, 1, 0)):
        wanted = corner[0] + shift @ np.asarray(SLAB.cell)
        assert np.linalg.norm(full.positions - wanted, axis=1).min() < 1e-6


# ---- in a browser -------------------------------------------------------------------------------


@dataclass
class Opened:
    """The page in a browser, what it asked for and what it said."""

    tab: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def picture(self) -> bytes:
        """Return the 3D view as it is drawn."""
        self.tab.wait_for_timeout(300)
        return bytes(self.tab.locator("#view").screenshot())


@pytest.fixture(scope="module")
def opened(page: Path) -> Iterator[Opened]:
    if not CHROMIUM:
        pytest.skip("needs chromium (Debian: chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        one = Opened(tab)
        tab.on("request", lambda request: one.asked.append(request.url))
        tab.on("console", lambda message: one.said.append(message.text))
        tab.on("pageerror", lambda error: one.said.append(str(error)))
        tab.goto(page.as_uri())
        tab.wait_for_selector("#view[data-ready]", timeout=60_000)
        yield one
        browser.close()


pytestmark_slow = pytest.mark.slow


@pytestmark_slow
def test_nothing_is_asked_for_and_nothing_is_wrong(opened: Opened, page: Path) -> None:
    elsewhere = [url for url in opened.asked if not url.startswith(("data:", "blob:"))]
    assert elsewhere == [page.as_uri()]
    assert opened.said == []
    assert opened.tab.title() == "smoke: Na on VN"  # no text of the case was run


@pytestmark_slow
def test_the_slider_changes_the_surface_and_says_its_value(opened: Opened) -> None:
    before, shown = opened.picture(), opened.tab.inner_text("#shown")
    assert len(set(before)) > 50
    opened.tab.locator("#isovalue").fill("80")
    assert float(opened.tab.inner_text("#shown")) > 2 * float(shown)
    assert opened.picture() != before


@pytestmark_slow
def test_keys_choose_the_site_and_turn_it(opened: Opened) -> None:
    view = opened.tab.locator("#view")
    opened.tab.locator("[role=tab]").first.focus()
    assert view.get_attribute("data-site") == "top-V"
    opened.tab.keyboard.press("ArrowRight")
    assert view.get_attribute("data-site") == "hollow"
    chosen = opened.tab.locator("[role=tab][aria-selected=true]")
    assert chosen.inner_text() == "Na at hollow"
    before = opened.picture()
    view.focus()
    opened.tab.keyboard.press("ArrowUp")
    assert opened.picture() != before


@pytestmark_slow
def test_on_a_telephone_only_tables_scroll_sideways(opened: Opened) -> None:
    opened.tab.set_viewport_size({"width": 420, "height": 800})
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= 420
    opened.tab.set_viewport_size({"width": 1400, "height": 900})

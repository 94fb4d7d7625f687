"""The page of a report, in a real browser: it draws, answers, escapes, and asks for nothing."""

import io
import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from ase import Atoms
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from analysis.browser import Line, chart, structure, volume
from analysis.charge import Density
from analysis.figures import style
from tests.lattices import grid_points, hexagonal_cell, lattice_gaussian
from tests.made_up import STRUCTURE
from tests.workflows.report.finished_run import (
    PAPER,
    case,
    evaluation,
    finish,
)
from workflows.report.page import write_page
from workflows.report.wording import caption
from workflows.steps.optimize import Step
from workflows.tasks.journal import Journal

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)  # fmt: skip
EVIL = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
SHAPE = (24, 24, 72)


def moved() -> Density:
    """Return electrons (e/angstrom^3) that go from above the adatom to below it."""
    x, y, z = (np.arange(n) / n * length for n, length in zip(SHAPE, (3, 3, 12), strict=True))
    across = np.cos(2 * np.pi * (x - 1) / 3)[:, None] + np.cos(2 * np.pi * (y - 1) / 3)[None, :]
    along = np.exp(-((z - 5.0) ** 2)) - np.exp(-((z - 7.2) ** 2))
    return Density(0.02 * np.exp(across)[:, :, None] * along, np.diag([3.0, 3.0, 12.0]))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a made-up run whose case tries to break out of it."""
    root = tmp_path_factory.mktemp("page")
    evil = case("smoke").model_copy(update={"description": EVIL})
    finish(root, evil, without=("VN-top-N-held",), moved=moved())
    journal = Journal(root / "VN-bridge-held" / "steps.jsonl", Step)
    for energy, force in ((-101.0, 0.9), (-101.4, 0.2), (-101.5, 0.04)):
        forces = [[0.0, 0.0, 0.0], [0.0, 0.0, force], [0.0, 0.0, 0.0]]
        positions = STRUCTURE.positions.tolist()
        journal.append({"energy": energy, "positions": positions, "forces": forces})
    (root / "figures").mkdir()
    (root / "figures" / "fig5.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return write_page(evaluation(root, evil), root)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS,
            viewport={"width": 1000, "height": 800},
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def opened(browser: BrowserContext, path: Path) -> tuple[Page, list[str], list[str]]:
    """Return the page once its 3D view is there, what it said and what it asked for."""
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("#view[data-ready]", timeout=60_000)
    return page, said, asked


def picture(page: Page) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return what the 3D view shows, (height, width, 3)."""
    return np.array(Image.open(io.BytesIO(page.locator("#view").screenshot())).convert("RGB"))


def isovalue(page: Page) -> float:
    """Return the isovalue that is printed beside the slider, e/angstrom^3."""
    text = page.locator("#isovalue-text").text_content() or ""
    return float(text.removeprefix("±").partition(" ")[0])


@pytest.mark.slow
def test_it_opens_without_a_word_and_asks_for_nothing(
    opened: tuple[Page, list[str], list[str]], path: Path
) -> None:
    page, said, asked = opened
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert path.stat().st_size < 15e6
    refused = page.evaluate(
        """() => new Promise(done => {
            addEventListener("securitypolicyviolation", event => done(event.blockedURI));
            new Image().src = "https://example.org/seen.png";
        })"""
    )
    assert refused.startswith("https://example.org")
    said.clear()  # the browser says so, too


@pytest.mark.slow
def test_text_of_the_case_is_text(opened: tuple[Page, list[str], list[str]]) -> None:
    page, _, _ = opened
    assert page.title() == "Na on VN: smoke-V"
    assert EVIL in (page.locator("pre").nth(1).text_content() or "")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.slow
def test_the_atoms_and_the_surfaces_are_drawn(opened: tuple[Page, list[str], list[str]]) -> None:
    page, _, _ = opened
    page.locator("#tab-0").click()
    pixels = picture(page).astype(int)
    red, green, blue = np.moveaxis(pixels, 2, 0)
    assert np.mean((red - green > 40) & (blue - green > 40)) > 0.002  # violet: Na
    assert np.mean((red - blue > 40) & (green - blue > 40)) > 0.002  # yellow
    assert np.mean((green - red > 40) & (blue - red > 40)) > 0.002  # cyan


@pytest.mark.slow
def test_the_slider_moves_the_surface(opened: tuple[Page, list[str], list[str]]) -> None:
    page, _, _ = opened
    page.locator("#tab-0").click()
    before, first = picture(page), isovalue(page)
    slider = page.locator("#isovalue")
    slider.focus()
    slider.press("End")
    largest = drawn_at(page, 6.0 * first)
    assert np.mean(np.any(picture(page) != before, axis=2)) > 0.005
    slider.press("Home")
    least = drawn_at(page, first / 6.0)
    assert largest / least == pytest.approx(36.0, rel=0.1)


def drawn_at(page: Page, value: float) -> float:
    """Wait until the surfaces are drawn at about this isovalue; return the one printed."""
    for _ in range(100):
        if isovalue(page) == pytest.approx(value, rel=0.1):
            break
        page.wait_for_timeout(100)
    return isovalue(page)


@pytest.mark.slow
def test_keys_choose_a_site_and_turn_it(opened: tuple[Page, list[str], list[str]]) -> None:
    page, _, _ = opened
    page.locator("#tab-0").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "hollow"
    assert page.locator("[role=tab][aria-selected=true]").all_text_contents() == ["hollow"]
    assert page.locator(".site:visible").get_attribute("data-site") == "hollow"
    page.locator("#view").focus()
    before = picture(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert np.mean(np.any(picture(page) != before, axis=2)) > 0.005


@pytest.mark.slow
def test_a_narrow_page_does_not_scroll_sideways(opened: tuple[Page, list[str], list[str]]) -> None:
    page, said, _ = opened
    for width in (420, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # nothing of the tables is cut: every cell lies within the page, with its heading
        cells = page.locator("table td:visible")
        boxes = [cells.nth(n).bounding_box() for n in range(cells.count())]
        assert max(box["x"] + box["width"] for box in boxes if box) <= width
    heading = "getComputedStyle(document.querySelector('.cards td.n'), '::before').content"
    assert page.evaluate(heading) == '"held, eV"'
    page.set_viewport_size({"width": 1000, "height": 800})
    assert said == []


def test_it_says_everything_without_a_browser(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "Not physical." in text
    assert "missing: VN-top-N-held" in text
    assert f"{PAPER['top-V']:.3f}".replace("-", "−") in text
    assert EVIL not in text


def test_both_questions_are_answered(tmp_path: Path) -> None:
    finish(tmp_path, case())
    text = write_page(evaluation(tmp_path, case()), tmp_path).read_text(encoding="utf-8")
    assert "More strongly than Na on Na? <strong>Yes.</strong>" in text
    assert "More strongly than in bulk Na? <strong>Yes.</strong>" in text
    assert "Na on VN (top-V, free) lies 0.77 eV per atom below bulk Na" in text


def test_a_caption_stands_once_and_is_cut_off_the_figures(tmp_path: Path) -> None:
    finish(tmp_path, case())
    found = evaluation(tmp_path, case())
    (tmp_path / "figures").mkdir()
    below = caption(found.case)
    for name in ("fig5", "lattice"):
        with style.page(180.0, 50.0, below) as figure:
            pass  # the caption comes last
        figure.savefig(tmp_path / "figures" / f"{name}.svg")
    text = write_page(found, tmp_path).read_text(encoding="utf-8")
    assert text.count("plane waves to 400 eV") == 1
    drawn = [b64decode(data).decode() for data in re.findall(r"svg\+xml;base64,([^\"]+)", text)]
    assert len(drawn) == 2
    for svg in drawn:
        root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
        _, _, _, tall = map(float, root.attrib["viewBox"].split())
        assert tall == pytest.approx(50.0 / 25.4 * 72.0, abs=0.01)
        assert root.attrib["height"] == f"{tall:.2f}pt"


def test_a_page_of_another_system_does_not_mention_the_paper(tmp_path: Path) -> None:
    other = case(host="Ti", adatom="K")
    finish(tmp_path, other)
    text = write_page(evaluation(tmp_path, other), tmp_path).read_text(encoding="utf-8")
    body = text.partition("<body>")[2].partition('<script type="application/json"')[0]
    assert "Does TiN pull K onto itself?" in body
    for word in ("paper</th>", "Published", "published", "Nanoscale", "VN"):
        assert word not in body.replace('class="paper"', ""), word


def test_a_volume_holds_the_density_at_its_points() -> None:
    packed = volume(moved(), STRUCTURE, 0.02)
    values = np.frombuffer(b64decode(packed["values"]), "<i2").reshape(packed["shape"])
    i, j, k = (n // 2 for n in packed["shape"])
    x, y, z = np.array(packed["origin"]) + np.array([i, j, k]) @ np.array(packed["steps"])
    across = np.cos(2 * np.pi * (x - 1) / 3) + np.cos(2 * np.pi * (y - 1) / 3)
    exact = 0.02 * np.exp(across) * (np.exp(-((z - 5.0) ** 2)) - np.exp(-((z - 7.2) ** 2)))
    assert values[i, j, k] * packed["unit"] == pytest.approx(exact, abs=2e-4)
    assert not values[0].any()
    assert not values[:, -1].any()


def test_a_volume_of_an_oblique_cell_holds_the_density_at_its_points() -> None:
    cell = hexagonal_cell(4.0, 14.0)
    atoms = Atoms("CNa", [[0, 0, 4], [2, 2 / 3**0.5, 6.4]], cell=cell, pbc=(1, 1, 0), tags=[1, 0])
    blob = lattice_gaussian(atoms.positions[1], 0.7)
    shape = (30, 30, 100)
    packed = volume(Density(blob(grid_points(shape, cell)), cell), atoms, 0.1)
    values = np.frombuffer(b64decode(packed["values"]), "<i2").reshape(packed["shape"])
    indices = np.moveaxis(np.indices(tuple(packed["shape"])), 0, -1)[1:-1, 1:-1]
    places = np.array(packed["origin"]) + indices @ np.array(packed["steps"])
    exact = blob(places)
    assert values[1:-1, 1:-1] * packed["unit"] == pytest.approx(exact, abs=2e-3)
    # the corners of the cell are those of the volume
    corners = np.array(structure(atoms)["cell"])[:, :2]
    i, j, _ = packed["shape"]
    ends = [[0, 0, 0], [i - 1, 0, 0], [i - 1, j - 1, 0], [0, j - 1, 0]]
    outer = np.array(packed["origin"]) + np.array(ends) @ np.array(packed["steps"])
    assert outer[:, :2] == pytest.approx(corners, abs=2e-3)


def test_a_structure_has_one_adatom_and_bonds_between_unlike_atoms() -> None:
    shown = structure(STRUCTURE)
    symbols = [atom["symbol"] for atom in shown["atoms"]]
    assert symbols.count("Na") == 1
    assert {frozenset((symbols[i], symbols[j])) for i, j in shown["bonds"]} == {
        frozenset(("V", "N"))
    }


def test_a_chart_puts_larger_numbers_higher_and_ticks_at_round_ones() -> None:
    laid = chart([Line("held", [0, 1, 2], [1.0, 0.1, 0.03])], log=True, level=0.05)
    (_, first), (_, second), (_, third) = laid.lines[0][1]
    assert laid.level is not None
    assert first < second < laid.level < third
    assert [text for _, text in laid.y] == ["0.05", "0.1", "0.2", "0.5", "1"]
    assert [text for _, text in laid.x] == ["0", "1", "2"]

"""The notebooks of examples/ run from their first cell to their last and show what is shipped.

`python -m tests.test_notebooks [NAME ...]` executes them and writes their outputs into examples/.
"""

import re
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.paths import ROOT

NOTEBOOKS = ROOT / "examples" / "notebooks"
LONGEST = 1200  # seconds for a cell; on an idle machine the slowest takes one or two minutes


def shipped(name: str) -> Any:
    """Return a notebook of examples/ with the outputs that it is shipped with."""
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def executed(name: str, folder: Path) -> Any:
    """Return a notebook of examples/ after all its cells have run in a folder without an error."""
    client = NotebookClient(
        shipped(name),
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    return client.execute()


def printed(notebook: Any) -> Iterator[str]:
    """Yield the text that the cells show; pictures, and where objects are, are left out."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stdout":
                yield output.text
            elif text := output.get("data", {}).get("text/plain"):
                yield re.sub(r" at 0x[0-9a-f]+", "", text)


def pictures(notebook: Any) -> int:
    return sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: str(path.stem))
def test_notebooks_are_small_and_whole(path: Path) -> None:
    assert path.stat().st_size < 150_000
    notebook = shipped(path.stem)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not re.search(r"/(home|root|tmp|work)/", path.read_text(encoding="utf-8"))


def test_links_of_the_notebooks_lead_somewhere() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        for cell in shipped(path.stem).cells:
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", cell.source):
                assert (NOTEBOOKS / target).exists(), target


@pytest.mark.slow
def test_fig5e_shows_what_is_shipped() -> None:
    notebook = executed("fig5e", NOTEBOOKS)
    assert list(printed(notebook)) == list(printed(shipped("fig5e")))
    assert pictures(notebook) == pictures(shipped("fig5e")) == 3


@pytest.mark.slow
def test_a_case_of_ones_own_runs_from_structure_to_table(tmp_path: Path) -> None:
    notebook = executed("own_case", tmp_path)
    text, known = ("\n".join(printed(each)) for each in (notebook, shipped("own_case")))
    assert pictures(notebook) == pictures(shipped("own_case")) == 2
    assert "NOT PHYSICAL" in text
    found, expected = (adsorption_energies(each) for each in (text, known))
    assert list(found) == ["TiN hollow", "TiN top-N", "Li hollow"]
    assert found == pytest.approx(expected, abs=0.02)  # eV; another build differs a little


def adsorption_energies(text: str) -> dict[str, float]:
    """Return the energy (eV) of the adatom held at each site in the table of energies."""
    rows = re.findall(r"^  (\S+) +(-\d\.\d{3}) +-\d\.\d{3} +\S+ \(", text, re.M)
    surfaces = ("TiN", "TiN", "Li")
    return {
        f"{name} {site}": float(held) for name, (site, held) in zip(surfaces, rows, strict=True)
    }


def main(names: Collection[str]) -> None:
    """Execute these notebooks (all if none are named) and write their outputs into examples/."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = NOTEBOOKS if path.stem == "fig5e" else Path(folder)
            nbformat.write(executed(path.stem, place), path)


if __name__ == "__main__":
    main(sys.argv[1:])

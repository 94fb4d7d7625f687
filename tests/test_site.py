"""The documentation builds as a site without warnings, and its links lead to files of the site.

Skipped where mkdocs is not installed; `make test` installs it.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.paths import ROOT

pytest.importorskip("mkdocs", reason="mkdocs is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, in a folder of its own."""
    recipe = re.search(
        r"^docs:.*\n\t@\S+ \$\(BIN\)/python (.*)$", (ROOT / "Makefile").read_text(), re.M
    )
    assert recipe
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, *recipe[1].split(), "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Documentation built" in done.stderr  # --quiet would hide warnings from --strict
    return folder


def test_every_page_of_docs_is_there(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").exists(), page.name
    assert (site / "examples/laptop/index.html").exists()


def test_links_lead_to_files_of_the_site(site: Path) -> None:
    checked = 0
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # its links begin at the top of the server
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            parts = urlsplit(link)
            if not parts.scheme and not parts.netloc and parts.path:
                assert (page.parent / unquote(parts.path)).exists(), f"{page.name}: {link}"
                checked += 1
    assert checked > 500


def test_files_outside_docs_are_those_of_the_repository(site: Path) -> None:
    for name in ("workflows/case/presets/laptop.toml", "examples/laptop/figures/fig5.png"):
        assert (site / name).read_bytes() == (ROOT / name).read_bytes()


def test_pages_need_no_network(site: Path) -> None:
    loaded = r'<(?:script|img)[^>]* src="https?:|<link[^>]* rel="stylesheet"[^>]* href="https?:'
    for page in site.rglob("*.html"):
        assert not re.search(loaded, page.read_text(encoding="utf-8")), page.name


def test_the_api_lists_functions_with_units(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in ("load", "build", "run", "Run"):
        assert f'id="sodiophile.{name}"' in text
    assert "in angstrom" in text

"""Put what the pages link to outside docs/ on the site (a hook of mkdocs.yml).

On the site, docs/ is the top folder, and all other files have their path in the repository. The
links are changed accordingly; in the files, they work on a code host, too.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FIRST = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
LINK = re.compile(r"(!?\[[^\[\]]*\])\((?![a-z]+:|#)([^()#\s]+)(#[^()\s]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.M | re.S)
# Shown below the page of the API by mkdocstrings; a code host would print such lines as they are.
DOCSTRINGS = ("sodiophile.load", "sodiophile.Run", "sodiophile.build", "sodiophile.run",
              "analysis.adsorption.Site", "analysis.charge.Density")  # fmt: skip


def site_path(path: str) -> str:
    """Return the path on the site of a file, given by its path in the repository."""
    return path.removeprefix("docs/")


def repository_path(uri: str) -> str:
    """Return the path in the repository of a file, given by its path on the site."""
    return f"docs/{uri}" if (ROOT / "docs" / uri).exists() else uri


def target(path: str, link: str) -> str:
    """Return where a link in a file leads: a path in the repository."""
    return os.path.normpath(os.path.join(os.path.dirname(path), link))  # noqa: PTH118, PTH120


def reached(pages: list[str]) -> Iterator[str]:
    """Yield the files outside docs/ that pages, or pages that they link to, link to."""
    seen = set(pages)
    while pages:
        path = pages.pop()
        if not path.startswith("docs/"):
            yield path
        if path.endswith(".md"):
            text = CODE.sub("", (ROOT / path).read_text(encoding="utf-8"))
            found = {target(path, link) for _, link, _ in LINK.findall(text)} - seen
            seen |= found
            pages += sorted(place for place in found if (ROOT / place).is_file())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ to those of the site."""
    pages = [*FIRST, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    for path in reached(pages):
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Change the links of a page to the places on the site; a folder has no page, only a name.

    The docstrings follow the page of the API.
    """
    path = repository_path(page.file.src_uri)
    if path == "docs/api.md":
        markdown += "\n## Docstrings\n" + "".join(f"\n::: {name}\n" for name in DOCSTRINGS)
    start = os.path.dirname(site_path(path))  # noqa: PTH120

    def changed(link: re.Match[str]) -> str:
        text, to, anchor = link.group(1), target(path, link.group(2)), link.group(3) or ""
        if (ROOT / to).is_dir():
            return text[1:-1]
        return f"{text}({os.path.relpath(site_path(to), start or '.')}{anchor})"

    return LINK.sub(changed, markdown)

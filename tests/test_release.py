"""A release has one version and one licence, wherever they are written."""

import json
import re
import tomllib
from typing import Any

from ruamel.yaml import YAML

from tests.paths import ROOT

WORKFLOW = ".github/workflows/test.yml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))


def yaml(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


def test_one_version() -> None:
    assert yaml("CITATION.cff")["version"] == ZENODO["version"] == PROJECT["version"]


def test_the_changelog_has_the_version_or_what_comes_after_the_last_one() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## \[(.+?)\](?: - (.+))?$", text, re.M)
    assert first == ("Unreleased", "")
    if released:
        version, date = released[0]
        assert version == PROJECT["version"]
        assert date == str(yaml("CITATION.cff")["date-released"])


def test_one_licence() -> None:
    assert yaml("CITATION.cff")["license"] == ZENODO["license"] == PROJECT["license"]


def test_the_paper_is_cited() -> None:
    from analysis import paper

    (article,) = yaml("CITATION.cff")["references"]
    assert article["doi"] == paper.DOI == ZENODO["related_identifiers"][0]["identifier"]
    assert str(article["year"]) in paper.CITATION


def test_the_workflow_runs_the_readmes_test_command_on_the_supported_pythons() -> None:
    job = yaml(WORKFLOW)["jobs"]["test"]
    assert "make test" in [step.get("run") for step in job["steps"]]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert job["strategy"]["matrix"]["python"][0] == oldest


def test_the_workflow_builds_the_documentation() -> None:
    steps = yaml(WORKFLOW)["jobs"]["docs"]["steps"]
    assert "make docs" in [step.get("run") for step in steps]

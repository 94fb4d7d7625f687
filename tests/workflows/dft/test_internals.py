"""The parts of GPAW that we rely on are all there; one that is gone is named in a sentence."""

import ast
import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk

from tests.paths import ROOT
from workflows.dft.internals import READ_IN, USES, Use, missing, missing_attributes


def test_gpaw_has_all_that_this_program_relies_on() -> None:
    assert "\n".join(missing()) == ""


def test_what_is_relied_on_was_read_in_the_version_that_is_installed() -> None:
    assert importlib.metadata.version("gpaw") == READ_IN


def test_every_module_that_is_named_imports_gpaw() -> None:
    for use in USES:
        text = (ROOT / "workflows" / "dft" / use.module).read_text(encoding="utf-8")
        assert "gpaw" in text
        for name in use.names:
            last = name.partition("(")[0].rpartition(".")[2]
            assert last in text, f"{use.module} does not use {name}"


def test_everything_that_is_imported_from_gpaw_is_listed() -> None:
    listed = {name.partition("(")[0] for use in USES for name in use.names}
    documented = {"gpaw.GPAW", "gpaw", "gpaw.cgpaw"}
    for path in (ROOT / "workflows" / "dft").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "gpaw":
                found = {f"{node.module}.{alias.name}" for alias in node.names}
                unlisted = found - documented - {n for n in found if _is_part(n, listed)}
                assert not unlisted, f"{path.name} imports {unlisted}"


def _is_part(name: str, listed: set[str]) -> bool:
    return any(other == name or other.startswith(f"{name}.") for other in listed)


def test_a_method_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("gpaw.new.calculation.DFT.change")
    (sentence,) = missing()
    assert sentence == (
        "GPAW has no gpaw.new.calculation.DFT.change, which workflows/dft/calculation.py needs "
        f"for the retry ladder, and looser forces far from the minimum (GPAW {READ_IN} has it)"
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gpaw.nowhere.at_all", "GPAW has no gpaw.nowhere.at_all"),
        ("gpaw.mpi.nothing", "GPAW has no gpaw.mpi.nothing"),
        ("gpaw.fftw.get_efficient_fft_size(n, N)", "get_efficient_fft_size takes (N, n, factors)"),
        ("gpaw.fftw.get_efficient_fft_size(M)", "and not (M)"),
    ],
)
def test_what_is_missing_is_said(name: str, problem: str) -> None:
    (sentence,) = missing([Use("parameters.py", "the grid", (name,))])
    assert problem in sentence
    assert "workflows/dft/parameters.py needs for the grid" in sentence


@pytest.mark.slow
def test_a_calculation_has_the_attributes_that_are_relied_on(tmp_path: Path) -> None:
    from gpaw import GPAW

    atoms = bulk("Na", "bcc", a=4.2)
    calc = GPAW(mode={"name": "pw", "ecut": 150}, xc="PBE", txt=str(tmp_path / "gpaw.txt"))
    contexts: list[Any] = []
    calc.hooks["scf_step"] = contexts.append
    atoms.calc = calc
    atoms.get_potential_energy()
    assert "\n".join(missing_attributes(calc=calc, context=contexts[-1])) == ""
    calc.dft.energies = None
    assert list(missing_attributes(calc=calc, context=contexts[-1])) == [
        f"GPAW's calc has no dft.energies (GPAW {READ_IN} has it)"
    ]

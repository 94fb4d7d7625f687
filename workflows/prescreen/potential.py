"""The pretrained potential: SevenNet's 7net-l3i5, with the weights that its package brings.

J. Park et al., J. Chem. Theory Comput. 20, 4857 (2024).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from workflows.system.messages import UserError

MODEL, PACKAGE = "7net-l3i5", "sevenn"

INSTALL = (
    "the pre-screen needs sevenn, the extra `mlip`: pip install 'sodiophile[mlip]' "
    "(900 MB with a CPU build of torch)"
)


@dataclass(frozen=True)
class Potential:
    """A potential that gives energies and forces of any structure.

    Attributes
    ----------
    name
        Model and version of its package: energies by another one are other numbers.
    calculator
        For ASE.
    elements
        Those that it knows.
    """

    name: str
    calculator: Calculator = field(repr=False)
    elements: frozenset[str] = field(repr=False)


def potential_name() -> str:
    """Return model and version of the potential that is installed.

    Raises
    ------
    UserError
        It is not, with the command that installs it.
    """
    try:
        return f"{MODEL} ({PACKAGE} {version(PACKAGE)})"
    except PackageNotFoundError:
        raise UserError(INSTALL) from None


def load_potential() -> Potential:
    """Load the potential, on the processor.

    Its weights are a pickle that the package itself brings. They are asked for by their place in
    the package, because under its name the model could be a file of the working directory.

    Raises
    ------
    UserError
        It is not installed, or not whole.
    """
    name = potential_name()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # accelerators that are not installed; torch's own
        try:
            from sevenn._const import SEVENNET_l3i5
            from sevenn.calculator import SevenNetCalculator
        except ImportError as error:
            raise UserError(f"{INSTALL}; found {name}, which lacks {error.name}") from None
        weights = Path(SEVENNET_l3i5)
        if not (weights.is_absolute() and weights.is_file()):
            raise UserError(f"found {name} without its weights; {INSTALL}")
        calculator = SevenNetCalculator(str(weights), device="cpu")
    elements = frozenset(chemical_symbols[number] for number in calculator.type_map)
    return Potential(name, calculator, elements)

"""sodiophile in Python: load a run, take its numbers, structures and figures; build and run cases.

>>> import sodiophile
>>> run = sodiophile.load("examples/laptop")
>>> run
<Run of case laptop in examples/laptop: ... of 44 tasks done>
>>> round(run.energy("top-V", "held", reference="clean"), 3)  # eV
-0.872

Energies are in eV, lengths in angstrom, densities in e/angstrom^3; docs/api.md has more examples.
"""

from __future__ import annotations

import importlib.metadata
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import workflows  # noqa: F401  (first: it keeps numerical libraries to one thread)
from analysis.adsorption import Relaxation, Site, Table
from analysis.charge import Density
from workflows.campaign.directory import read_campaign
from workflows.case.reading import find, presets, read
from workflows.case.schema import Case
from workflows.system.files import Locked
from workflows.system.messages import UserError, naming, require_one_of, shown
from workflows.tasks.graph import slab_of, surface_label, surfaces
from workflows.tasks.status import State, survey_recorded

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.axes import Axes

    from workflows.report.evaluation import Evaluation
    from workflows.report.results import Results
    from workflows.tasks.records import Surface

__all__ = ["Density", "Run", "Site", "Table", "UserError", "build", "load", "presets", "run"]
__version__ = importlib.metadata.version("sodiophile")

Reference = Literal["same-basin", "clean", "lowest"]
REFERENCES = ("same-basin", "clean", "lowest")


def load(directory: str | PathLike[str], case: str | None = None) -> Run:
    """Load what a run has found so far; nothing is computed or written.

    Parameters
    ----------
    directory
        Directory of the run: DIR of `sodiophile run CASE --into DIR`.
    case
        Name of a case; needed where the directory is one of several cases.

    Returns
    -------
    Run
        Energies, structures, densities and figures of what is finished.

    Raises
    ------
    UserError
        If it is not the directory of a run, or its case file cannot be used.
    ValueError
        If there is no case of this name; the message lists those that there are.

    Examples
    --------
    >>> load("examples/sensitivity/run", case="sqrt2-layers5")
    <Run of case sqrt2-layers5 in examples/sensitivity/run: 5 of 5 tasks done>
    """
    root = Path(directory)
    campaign = read_campaign(root)
    names = [member.case.name for member in campaign.members]
    if case is None and len(names) == 1:
        case = names[0]
    require_one_of("case", case, names)
    number = names.index(str(case))
    states = campaign.states_of(number, survey_recorded(campaign.tasks, root))
    return Run(root, campaign.members[number].case, states)


def build(case: str | PathLike[str]) -> dict[str, Atoms]:
    """Build all structures that a case is about, without any DFT.

    Parameters
    ----------
    case
        A preset (see `presets`) or the path of a case file (TOML).

    Returns
    -------
    dict of ase.Atoms
        Unrelaxed structures by name, lengths in angstrom: bulk and slab of host and metal, the
        adatom on every site, and the isolated atom. Held atoms are in constraints.

    Raises
    ------
    UserError
        If the case file cannot be used, or the adatom does not fit.

    Examples
    --------
    >>> structures = build("smoke")
    >>> list(structures)[:3]
    ['VN-bulk', 'VN-slab', 'VN-bridge']
    >>> structures["VN-bridge"].get_chemical_formula()
    'N2NaV2'
    """
    from workflows.preflight.computable import computable_structures

    path = find(str(case))
    with naming(shown(path)):
        return {name: one.atoms for name, one in computable_structures(read(path)).items()}


def run(
    case: str | PathLike[str],
    into: str | PathLike[str],
    *,
    jobs: int | None = None,
    quiet: bool = False,
) -> Run:
    """Compute a case with GPAW on this machine, or resume where it was stopped.

    The same as `sodiophile run CASE --into DIR`, without its tables and figures: finished tasks are
    not run again. To be called in the main thread, where Ctrl-C arrives.

    Parameters
    ----------
    case
        A preset (see `presets`) or the path of a case file (TOML).
    into
        Directory of the run: new, empty, or that of the same case.
    jobs
        Tasks side by side; as many as cores and memory allow if None.
    quiet
        Whether to print no progress. Warnings about settings are printed in any case.

    Returns
    -------
    Run
        The loaded run; `missing` names the tasks that failed.

    Raises
    ------
    UserError
        If the case cannot be computed, memory or disk do not suffice, the directory holds
        something else, or another process computes there.
    KeyboardInterrupt
        If it was interrupted; nothing is lost, the same call resumes it.
    """
    from workflows.preflight.computable import gather_computable
    from workflows.preflight.resources import estimate_needs
    from workflows.run.local import run as compute
    from workflows.run.time_left import Remaining
    from workflows.system.signals import Stopped
    from workflows.terminal.console import console
    from workflows.terminal.progress import Silent, view

    root, cases = Path(into), gather_computable([str(case)])
    if cases.campaign.shared:
        raise UserError(f"{cases.source}: found a sweep; allowed: a single case")
    needs = estimate_needs(cases)
    shows = Silent() if quiet else view(console(), shown(root), Remaining(needs.sizes))
    try:
        with shows:
            compute(cases, needs, root, jobs=jobs, view=shows, walltime=None)
    except Stopped as stop:
        if stop.signal == signal.SIGINT:
            raise KeyboardInterrupt from None
        raise SystemExit(stop.exit_code) from None
    except Locked as error:
        raise UserError(str(error)) from None
    return load(root)


@dataclass(frozen=True)
class Run:
    """What a run has found so far; see `load`.

    A frozen picture: load the run again to see what was finished since.

    Attributes
    ----------
    directory
        Directory of the run.
    case
        The case, with all its settings.
    """

    directory: Path
    case: Case
    _states: Mapping[str, State] = field(repr=False)

    def __repr__(self) -> str:
        done = sum(state.status == "done" for state in self._states.values())
        return (
            f"<Run of case {self.case.name} in {shown(self.directory)}: "
            f"{done} of {len(self._states)} tasks done>"
        )

    def __str__(self) -> str:
        """Return the table, the conclusions and the notes that `sodiophile report` prints."""
        from workflows.terminal.energy_table import report_text

        return report_text(self._evaluation)

    @cached_property
    def _evaluation(self) -> Evaluation:
        from workflows.report.evaluation import Evaluation
        from workflows.report.results import Results

        return Evaluation(Results(self._states, self.case), self.directory)

    @property
    def _results(self) -> Results:
        return self._evaluation.results

    @property
    def missing(self) -> list[str]:
        """A line for every task without a result: its name, its status, and why it failed."""
        from workflows.report.wording import missing_lines

        return missing_lines(self._states)

    def table(self) -> Table:
        """Return the adsorption energies (eV) of all sites with the conclusions drawn from them.

        Examples
        --------
        >>> table = load("examples/laptop").table()
        >>> table.strongest("held").site
        'top-N'
        >>> table.binds_more_strongly
        True
        """
        return self._evaluation.table

    @property
    def sites(self) -> list[Site]:
        """The rows of the table, host before metal: energies in eV, lengths in angstrom.

        Each is a dataclass, so that `pandas.DataFrame(run.sites)` is a data frame.

        Examples
        --------
        >>> for site in load("examples/laptop").sites[:2]:
        ...     print(site.surface, site.site, site.relaxation, f"{site.height:.2f}")
        VN(001) bridge held 2.34
        VN(001) bridge free 2.36
        """
        return list(self.table().all_sites)

    def energy(
        self,
        site: str,
        relaxation: Relaxation = "held",
        reference: Reference = "same-basin",
        surface: str | None = None,
    ) -> float:
        """Return an adsorption energy, E(slab + adatom) - E(bare slab) - E(atom).

        Parameters
        ----------
        site
            Name of the site where the adatom was placed.
        relaxation
            'held' above its site, or 'free' to leave it.
        reference
            The bare slab: 'same-basin', relaxed again from where the adatom left it; 'clean',
            relaxed by itself; or 'lowest', the lowest of all that were found.
        surface
            Name of the surface, such as 'Na(001)'; the host's if None.

        Returns
        -------
        float
            Adsorption energy in eV; negative binds.

        Raises
        ------
        ValueError
            If the case has no such site, relaxation or surface, or there is no such reference; the
            message lists what is allowed.
        UserError
            If it is not known: not computed (yet), or not comparable.

        Examples
        --------
        >>> run = load("examples/laptop")
        >>> for reference in ("same-basin", "clean", "lowest"):
        ...     print(f"{run.energy('hollow', 'free', reference):.3f}")
        -1.099
        -1.249
        -1.094
        """
        require_one_of("reference", reference, REFERENCES)
        row = self._row(site, relaxation, surface)
        energies = {
            "same-basin": row.adsorption_energy if row.reference == "same basin" else None,
            "clean": row.against_clean,
            "lowest": row.against_lowest,
        }
        energy = energies[reference]
        refused = row.problem is not None and row.problem.kind == "refused"
        if energy is None or refused:
            known = [name for name, value in energies.items() if value is not None and not refused]
            why = f" ({row.problem.text})" if row.problem else ""
            raise UserError(
                f"{row.surface} {site}, {relaxation}: no energy against {reference!r}{why}; "
                f"known: {', '.join(known) or 'none'}"
            )
        return energy

    def structure(
        self, site: str, relaxation: Relaxation = "held", surface: str | None = None
    ) -> Atoms:
        """Return the relaxed slab with its adatom, the last atom.

        Parameters
        ----------
        site, relaxation, surface
            As for `energy`.

        Returns
        -------
        ase.Atoms
            Positions and cell in angstrom; held atoms are in constraints, tags count the layers
            from the top, 1. Its total energy is in `sites`.

        Raises
        ------
        ValueError, UserError
            As for `energy`.

        Examples
        --------
        >>> load("examples/laptop").structure("top-V").get_chemical_formula()
        'N12NaV12'
        """
        from workflows.tasks.atoms_json import from_json

        row = self._row(site, relaxation, surface)
        values = self._results.adatom(self._surfaces[row.surface], site, relaxation)
        if values is None:
            why = row.problem.text if row.problem else "no result"
            raise UserError(f"{row.surface} {site}, {relaxation}: no structure: {why}")
        return from_json(values["structure"])

    def density(self, site: str, surface: str | None = None) -> Density:
        """Return a site's charge-density difference, adatom held: rho(all) - rho(slab) - rho(atom).

        Parameters
        ----------
        site
            Name of a site.
        surface
            Name of a surface, such as 'Na(110)'; the host's if None.

        Returns
        -------
        Density
            `values` in e/angstrom^3 with shape (nx, ny, nz), positive where electrons gather, and
            `cell_cv` in angstrom, rows. Its atoms are those of `structure(site, "held", surface)`.

        Raises
        ------
        ValueError
            If the case has no such surface or site; the message lists those that it has.
        UserError
            If it is not computed (yet).

        Examples
        --------
        >>> density = load("examples/laptop").density("top-V")
        >>> density.values.shape, density.units
        ((30, 30, 91), 'e/angstrom^3')
        """
        name = next(iter(self._surfaces)) if surface is None else surface
        require_one_of("surface", name, self._surfaces)
        require_one_of("site", site, slab_of(self.case, self._surfaces[name]).sites)
        picture = self._evaluation.pictures_on(self._surfaces[name]).get(site)
        if picture is None or picture.difference is None:
            state = self._results.state(self._surfaces[name], "density", site)
            why = f"{state.status} {state.note}".rstrip() if state else "not part of this run"
            raise UserError(f"{site}: no density difference: {why}")
        return picture.difference

    def figure(self, name: str, *, site: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw a part of the figures on axes of one's own, in the style that is set in matplotlib.

        Parameters
        ----------
        name
            A panel of Fig. 5: '5a' to '5d' (a site from above), '5e' (adsorption energies), '5f' to
            '5i' (a site's density difference), '5j' (Arrhenius plot). Or, for a `site`, 'top',
            'side', 'difference', 'profile' (along z) or 'potential'. Or 'powder' or 'rings', of the
            host's lattice.
        site
            Name of a site of the host, for those that need one.
        ax
            Axes to draw on. New ones, in the style of Fig. 5, if None: `ax.figure.savefig(...)`.

        Returns
        -------
        matplotlib.axes.Axes
            The axes. What is not computed is written there, and so is 'not physical' for settings
            that are not.

        Raises
        ------
        ValueError
            If there is no such figure or site; the message lists what is allowed.

        Examples
        --------
        >>> ax = load("examples/laptop").figure("5e")
        >>> ax.get_ylabel()
        'adsorption energy (eV)'
        """
        from workflows.report.plots import draw_on, draw_on_new

        if ax is None:
            return draw_on_new(self._evaluation, name, site)
        return draw_on(ax, self._evaluation, name, site)

    def export(
        self,
        into: str | PathLike[str],
        site: str | None = None,
        formats: Sequence[str] = ("poscar", "chgcar"),
        surface: str | None = None,
    ) -> list[Path]:
        """Write structures and density differences of a surface as files of other programs.

        Parameters
        ----------
        into
            Directory for the files; a file of the same name is set aside.
        site
            Name of a site, whose adatom is held, or 'clean' for the slab without adatom; all of
            them if None.
        formats
            'poscar', 'cif', 'extxyz': the relaxed structure. 'chgcar': the density difference, as
            VASP has densities: electrons, times the volume of the cell. 'gpw': GPAW's file with all
            wavefunctions, for which an SCF cycle is computed: minutes to hours, which
            `sodiophile export DIR --into DIR2 --format gpw --dry-run` estimates.
        surface
            Name of a surface, such as 'Na(110)'; the host's if None.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        ValueError
            If there is no such surface, site or format; the message lists what is allowed.
        UserError
            If nothing of it is computed (yet), or the directory cannot be used.
        """
        from workflows.report.export import deliver, plan_export

        exports = list(plan_export(self._evaluation, formats, site, surface))
        return [deliver(export, Path(into)) for export in exports]

    @property
    def _surfaces(self) -> dict[str, Surface]:
        """The surfaces of the case by name, such as 'VN(001)'."""
        return {surface_label(self.case, surface): surface for surface in surfaces(self.case)}

    def _row(self, site: str, relaxation: str, surface: str | None) -> Site:
        """Return the row of the table that is asked for; see `energy` for errors."""
        name = next(iter(self._surfaces)) if surface is None else surface
        require_one_of("surface", name, self._surfaces)
        rows = [row for row in self.sites if row.surface == name]
        require_one_of("site", site, dict.fromkeys(row.site for row in rows))
        found: dict[str, Site] = {row.relaxation: row for row in rows if row.site == site}
        require_one_of("relaxation", relaxation, found)
        return found[relaxation]

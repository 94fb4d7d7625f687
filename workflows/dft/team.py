"""Several MPI ranks on one task: rank 0 works, the others follow it.

GPAW's calls are collective: every rank must make them, or those that do will wait for ever. Rank 0
works through a task as if it were alone; it alone reads and writes folders, journals and results.
Before each call of GPAW it sends the call to the other ranks, which make it, too. Since only one
rank decides, the ranks cannot come to differ. Within a call they may divide into groups, each with
a structure of its own. A process without others passes through here at no cost.
"""

from __future__ import annotations

import functools
import itertools
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from workflows.dft.interface import AtomsCollide, NotConverged, TooManyRanks
from workflows.system.machine import forget_launcher, launched_ranks
from workflows.system.messages import UserError
from workflows.system.signals import Stopped, stoppable

# Exceptions that are raised on all MPI ranks or on none.
AGREED = (NotConverged, AtomsCollide, TooManyRanks)

PATIENCE = 60.0  # seconds within which all ranks stop together, at the end of an SCF iteration

LAST_WORDS = 0.5  # seconds in which a busy launcher passes on what was written, before all is ended

DISMISSED = ()  # what rank 0 sends the others at the end

P = ParamSpec("P")
R = TypeVar("R")
SelfT = TypeVar("SelfT")


@functools.cache
def team() -> Team:
    """Set up MPI, once; called before anything else of GPAW.

    Returns
    -------
    Team
        All MPI ranks of this task, seen from this process; of one rank without an MPI launcher.

    Raises
    ------
    UserError
        The process was started as one of several ranks, but GPAW was compiled without MPI or with
        that of another launcher.
    """
    import ase.parallel
    import gpaw
    from gpaw import cgpaw

    launched = launched_ranks()
    if launched and not cgpaw.have_mpi:
        if launched > 1:
            raise UserError(
                f"found {launched} MPI ranks; allowed: 1, GPAW was compiled without MPI"
            )
        forget_launcher()
    elif launched and gpaw.GPAW_MPI_BACKEND is None:
        gpaw.GPAW_MPI_BACKEND = "cgpaw"  # as `gpaw python` does

    from gpaw.mpi import broadcast, world

    if (launched or 1) > 1 and world.size == 1:
        raise UserError(
            f"started as {launched} MPI ranks, each of which sees itself alone; allowed: the "
            "launcher that belongs to the MPI that GPAW was compiled with"
        )
    if world.size > 1:  # for ASE, rank 0 is alone: it optimizes and writes files
        ase.parallel.world.comm = ase.parallel.DummyMPI()
    return Team(world, lambda data, root: broadcast(data, root, comm=world), AGREED)


def collective(
    method: Callable[Concatenate[SelfT, P], R],
) -> Callable[Concatenate[SelfT, P], R]:
    """Make a method of a calculation one that all MPI ranks call when rank 0 does."""

    @functools.wraps(method)
    def on_all_ranks(calculation: SelfT, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with team().calling(calculation, method.__name__, args, kwargs):
            return method(calculation, *args, **kwargs)

    return on_all_ranks


class Call(NamedTuple):
    """A method for all ranks to call.

    Attributes
    ----------
    number
        Identifies the calculation on all ranks.
    calculation
        The calculation itself; None if the other ranks have it already.
    alive
        Numbers of the calculations that are still in use: the others can be thrown away.
    method, args, kwargs
        Name and arguments of the method.
    """

    number: int
    calculation: Any
    alive: set[int]
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Team:
    """All MPI ranks of this task, seen from one of them.

    Parameters
    ----------
    comm
        Communicator with `rank`, `size`, `max_scalar`, `new_communicator` and `abort`, such as
        GPAW's.
    broadcast
        Returns the first argument of the rank that the second one names on every rank; the others
        pass None.
    agreed
        Exceptions that are raised on all ranks or on none.

    Attributes
    ----------
    rank, size
        This process's rank, and the number of ranks.
    comm
        Communicator of the ranks that share a calculation with this one: of its group within
        `in_groups`, else of all.
    """

    def __init__(
        self,
        comm: Any,
        broadcast: Callable[[Any, int], Any],
        agreed: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.rank, self.size = int(comm.rank), int(comm.size)
        self.comm = comm
        self._comm, self._broadcast = comm, broadcast
        self._groups: dict[int, Any] = {}  # this rank's communicator by the number of groups
        self._refusals = agreed
        self._agreed: tuple[type[BaseException], ...] = (*agreed, Stopped)
        self._inside = False  # all ranks are in the same call
        self._stop: Stopped | None = None
        self._calculations: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._numbers = itertools.count()

    @contextmanager
    def calling(
        self, calculation: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Iterator[None]:
        """Make all ranks take part in the call that is the body of the `with` statement.

        An exception that is raised on one rank alone ends all of them, since they could never come
        together again.

        Parameters
        ----------
        calculation
            The calculation whose method is called.
        method, args, kwargs
            Name and arguments of the method.
        """
        if self.size == 1 or self._inside:
            yield
            return
        if self.rank == 0:
            self._broadcast(self._call(calculation, method, args, kwargs), 0)
        self._inside = True
        try:
            yield
        except self._agreed:
            raise
        except BaseException:
            sys.stderr.write(f"MPI rank {self.rank} of {self.size} has ended them all:\n")
            traceback.print_exc()
            sys.stderr.flush()
            time.sleep(LAST_WORDS)
            self._comm.abort(1)
            raise
        finally:
            self._inside = False

    def _call(
        self, calculation: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Call:
        known = {number for number, one in self._calculations.items() if one is calculation}
        number = known.pop() if known else next(self._numbers)
        new = number not in self._calculations
        self._calculations[number] = calculation
        alive = set(self._calculations)
        return Call(number, calculation if new else None, alive, method, args, kwargs)

    def work(self, work: Callable[[], int]) -> int:
        """Work on rank 0, and follow it on the other ranks until it is done.

        Parameters
        ----------
        work
            What rank 0 does; it returns an exit code.

        Returns
        -------
        int
            The exit code on rank 0, and 0 on the others.
        """
        if self.rank == 0:
            try:
                return work()
            finally:
                if self.size > 1:
                    self._broadcast(DISMISSED, 0)
        with stoppable(None, self.stop, PATIENCE):
            self._follow()
        return 0

    def _follow(self) -> None:
        mine: dict[int, Any] = {}
        while call := self._broadcast(None, 0):
            mine = {number: one for number, one in mine.items() if number in call.alive}
            calculation = mine.setdefault(call.number, call.calculation)
            with suppress(*self._agreed):  # raised on rank 0, too, which knows what to do
                getattr(calculation, call.method)(*call.args, **call.kwargs)

    def in_groups(self, groups: int, work: Callable[[int], R]) -> list[R]:
        """Divide the ranks into groups that work at the same time; all ranks must call this.

        Parameters
        ----------
        groups
            Number of groups, up to that of ranks.
        work
            What a group does, by its number from 0, with calculations of its own.

        Returns
        -------
        list
            What each group found, on all ranks.

        Raises
        ------
        Exception
            Such as `NotConverged`, if a group has no answer: that of the first such group.
        """
        if groups == 1:
            return [work(0)]
        parts = np.array_split(np.arange(self.size), groups)
        mine = next(number for number, ranks in enumerate(parts) if self.rank in ranks)
        if groups not in self._groups:
            self._groups[groups] = self._comm.new_communicator(parts[mine])
        self.comm = self._groups[groups]
        answer: tuple[list[R], BaseException | None]
        try:
            answer = [work(mine)], None
        except self._refusals as error:
            answer = [], error
        finally:
            self.comm = self._comm
        while self.agree(working=False):  # the others may still be asked to stop
            pass
        leaders = [int(ranks[0]) for ranks in parts]
        answers = [self._broadcast(answer if self.rank == r else None, r) for r in leaders]
        for _, refusal in answers:
            if refusal is not None:
                raise refusal
        return [found for (found,), _ in answers]

    def stop(self, stop: Stopped) -> None:
        """Stop this process, or with several ranks all of them, as soon as they can.

        Parameters
        ----------
        stop
            Why: a signal, or the wall-clock limit.

        Raises
        ------
        Stopped
            At once, if there is one rank; else from `agree`, on all ranks together.
        """
        if self.size == 1:
            raise stop
        self._stop = stop

    def agree(self, *, working: bool = True) -> bool:
        """Stop on all ranks if one of them was asked to; all ranks must call this.

        Parameters
        ----------
        working
            Whether this rank's calculation goes on.

        Returns
        -------
        bool
            Whether that of any rank does.

        Raises
        ------
        Stopped
            With the signal that the rank was sent.
        """
        if self.size == 1:
            return working
        number = self._comm.max_scalar(int(self._stop.signal) if self._stop else 0)
        if number:
            raise Stopped(int(number))
        return bool(self._comm.max_scalar(int(working)))

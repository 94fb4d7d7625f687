"""Several MPI ranks on one task: rank 0 works, the others follow it.

GPAW's calls are collective: every rank must make them, or those that do wait for ever. Rank 0 goes
through a task as if it were alone; it alone knows of folders, journals and results. Before each
call of GPAW it tells the others which one, and they make the same call. So the ranks cannot come
to differ: only one of them decides. A process that is alone passes through here without cost.
"""

from __future__ import annotations

import functools
import itertools
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from workflows.dft.interface import AtomsCollide, NotConverged, TooManyRanks
from workflows.system.machine import forget_launcher, launched_ranks
from workflows.system.messages import UserError
from workflows.system.signals import Stopped, stoppable

# raised on all MPI ranks or on none
AGREED = (NotConverged, AtomsCollide, TooManyRanks)


@functools.cache
def team() -> Team:
    """Return the MPI ranks that this process is one of; called before anything else of GPAW.

    Raises
    ------
    UserError
        Started as several ranks, which GPAW does not see.
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
    return Team(world, lambda data: broadcast(data, comm=world), AGREED)


PATIENCE = 60.0  # seconds that all ranks get to stop together, at the end of an SCF iteration


DISMISSED = ()  # what rank 0 tells the others at the end


class Call(NamedTuple):
    """A method for all ranks to call, on the calculation of this number."""

    number: int
    calculation: Any  # None if the others have it already
    alive: set[int]  # numbers of the calculations that are still in use
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Team:
    """All MPI ranks of this task, seen from one of them.

    Parameters
    ----------
    comm
        Communicator with `rank`, `size`, `max_scalar` and `abort`.
    broadcast
        Returns rank 0's argument on every rank; the others pass None.
    agreed
        Exceptions that are raised on all ranks or on none.
    """

    def __init__(
        self,
        comm: Any,
        broadcast: Callable[[Any], Any],
        agreed: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.rank, self.size = int(comm.rank), int(comm.size)
        self._comm, self._broadcast = comm, broadcast
        self._agreed: tuple[type[BaseException], ...] = (*agreed, Stopped)
        self._inside = False  # all ranks are in the same call
        self._stop: Stopped | None = None
        self._calculations: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._numbers = itertools.count()

    @contextmanager
    def calling(
        self, calculation: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Iterator[None]:
        """Have all ranks in the same call, this one's being the body of the `with`.

        What is raised on one rank alone ends them all: they could never meet again.
        """
        if self.size == 1 or self._inside:
            yield
            return
        if self.rank == 0:
            self._broadcast(self._call(calculation, method, args, kwargs))
        self._inside = True
        try:
            yield
        except self._agreed:
            raise
        except BaseException:
            sys.stderr.write(f"MPI rank {self.rank} of {self.size} has ended them all:\n")
            traceback.print_exc()
            sys.stderr.flush()
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
        """Work on rank 0, follow it on the others; return rank 0's exit code there, 0 elsewhere."""
        if self.rank == 0:
            try:
                return work()
            finally:
                if self.size > 1:
                    self._broadcast(DISMISSED)
        with stoppable(None, self.stop, PATIENCE):
            self._follow()
        return 0

    def _follow(self) -> None:
        mine: dict[int, Any] = {}
        while call := self._broadcast(None):
            mine = {number: one for number, one in mine.items() if number in call.alive}
            calculation = mine.setdefault(call.number, call.calculation)
            with suppress(*self._agreed):  # rank 0 has the same, and knows what to do
                getattr(calculation, call.method)(*call.args, **call.kwargs)

    def stop(self, stop: Stopped) -> None:
        """Stop now; or, where there are several ranks, as soon as all of them can."""
        if self.size == 1:
            raise stop
        self._stop = stop

    def agree(self) -> None:
        """Stop on all ranks if one of them has been told to; they all call this."""
        if self.size > 1:
            number = self._comm.max_scalar(int(self._stop.signal) if self._stop else 0)
            if number:
                raise Stopped(int(number))

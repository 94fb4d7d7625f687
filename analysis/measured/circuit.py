"""The equivalent circuit of an electrode: a resistor and two semicircles, fitted to a spectrum.

Z(ω) = R_s + R_SEI/(1 + (jωτ_1)^α_1) + R_ct/(1 + (jωτ_2)^α_2), each semicircle a resistor beside a
constant-phase element Q = τ^α/R; the faster one is the SEI, the slower one charge transfer
(Nanoscale Horiz., 2022, 7, 899, text above Fig. 5 and Fig. S20).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeResult, least_squares, nnls

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

FEWEST = 10  # frequencies: seven parameters, and something left to judge the fit by
FREQUENCIES, IMPEDANCES = (1e-9, 1e12), (1e-9, 1e15)  # Hz and ohm: what instruments measure
FLATTEST, START = 0.4, 0.85  # exponents: the lowest that is allowed, and that of the first guess
SEARCHED, REFINED = 9, 4  # time constants of the first guesses, and how many guesses are refined
NEAREST = 5.0  # ratio of two time constants below which the semicircles merge
LARGEST_MISFIT = 0.05  # of |Z|, root mean square


@dataclass(frozen=True)
class Value:
    """A fitted value and its standard error, in the same unit."""

    value: float
    error: float

    @property
    def determined(self) -> bool:
        """Whether the error is less than half of the value."""
        return self.error < 0.5 * abs(self.value)


@dataclass(frozen=True)
class Arc:
    """A semicircle: a resistor beside a constant-phase element.

    Attributes
    ----------
    resistance
        In ohm.
    time_constant
        τ in s; the top of the semicircle is at the frequency 1/(2πτ).
    exponent
        α of the constant-phase element; 1 for a capacitor.
    """

    resistance: Value
    time_constant: Value
    exponent: Value

    @property
    def admittance(self) -> float:
        """Q of the constant-phase element, s^α/ohm."""
        return float(self.time_constant.value**self.exponent.value / self.resistance.value)

    @property
    def top(self) -> float:
        """Frequency of the top of the semicircle in Hz."""
        return 1.0 / (2.0 * pi * self.time_constant.value)


@dataclass(frozen=True, eq=False)
class Fit:
    """The circuit that was fitted to a spectrum.

    Attributes
    ----------
    series
        R_s in ohm.
    sei, charge_transfer
        The faster and the slower semicircle.
    frequencies
        Fitted frequencies in Hz with shape (n,), falling.
    measured
        Measured impedances in ohm with shape (n,).
    residuals
        (measured - fitted)/|measured| with shape (n,).
    """

    series: Value
    sei: Arc
    charge_transfer: Arc
    frequencies: Real
    measured: Complex
    residuals: Complex

    @property
    def misfit(self) -> float:
        """Root mean square of the relative residuals."""
        return float(np.sqrt(np.mean(np.abs(self.residuals) ** 2)))

    @property
    def reaches_top(self) -> bool:
        """Whether the top of the second semicircle was measured."""
        return bool(self.charge_transfer.top >= self.frequencies[-1])

    @property
    def determines_charge_transfer(self) -> bool:
        """Whether R_ct is known well enough to be fitted over temperature."""
        return self.charge_transfer.resistance.determined and self.reaches_top

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why R_SEI and R_ct must not be read as such; empty where they may be."""
        found = []
        for name, arc in (("R_SEI", self.sei), ("R_ct", self.charge_transfer)):
            if not arc.resistance.determined:
                found.append(f"{name} is uncertain by half of its value or more")
        ratio = self.charge_transfer.time_constant.value / self.sei.time_constant.value
        if ratio < NEAREST:
            found.append(
                f"the time constants differ by a factor of {ratio:.1f} only: the semicircles merge"
            )
        if not self.reaches_top:
            found.append(
                f"the top of the second semicircle, at {self.charge_transfer.top:.3g} Hz, "
                "was not measured: R_ct is extrapolated"
            )
        if self.misfit > LARGEST_MISFIT:
            found.append(
                f"the fit misses the spectrum by {100 * self.misfit:.1f} % (root mean square): "
                "two semicircles do not describe it"
            )
        return tuple(found)

    def predict(self, frequency: ArrayLike) -> Complex:
        """Evaluate the circuit; frequencies in Hz of any shape, impedances in ohm."""
        arcs = (self.sei, self.charge_transfer)
        return impedance(
            frequency,
            self.series.value,
            [(arc.resistance.value, arc.time_constant.value, arc.exponent.value) for arc in arcs],
        )


def impedance(
    frequency: ArrayLike, series: float, arcs: list[tuple[float, float, float]]
) -> Complex:
    """Give the impedance of a resistor in series with semicircles.

    Parameters
    ----------
    frequency
        In Hz, any shape.
    series
        R_s in ohm.
    arcs
        Of each semicircle the resistance in ohm, the time constant in s, and the exponent.

    Returns
    -------
    ndarray
        Z in ohm, shape of `frequency`.
    """
    s = 2j * pi * np.asarray(frequency, dtype=np.float64)
    # Z = R_s + sum R/(1 + (jωτ)^α)
    z = np.full(s.shape, series, dtype=np.complex128)
    for resistance, time_constant, exponent in arcs:
        z += resistance / (1.0 + (s * time_constant) ** exponent)
    return z


def spectrum(frequency: ArrayLike, z: ArrayLike) -> tuple[Real, Complex]:
    """Check a spectrum and sort it by falling frequency.

    Parameters
    ----------
    frequency
        In Hz with shape (n,), each once.
    z
        Impedances in ohm with shape (n,).

    Returns
    -------
    tuple of ndarray
        Frequencies in Hz and impedances in ohm, both with shape (n,).

    Raises
    ------
    ValueError
        Shapes differ, there are too few points, or a number is none that instruments measure.
    """
    f, measured = np.array(frequency, dtype=np.float64), np.array(z, dtype=np.complex128)
    if f.ndim != 1 or f.shape != measured.shape:
        raise ValueError(
            f"frequencies {f.shape} and impedances {measured.shape}: both must be (n,)"
        )
    if len(f) < FEWEST:
        raise ValueError(f"found {len(f)} frequencies; allowed: at least {FEWEST}")
    for what, sizes, (least, most) in (
        ("frequencies in Hz", f, FREQUENCIES),
        ("impedances in ohm", np.abs(measured), IMPEDANCES),
    ):
        if not ((sizes >= least) & (sizes <= most)).all():
            found = sizes[~((sizes >= least) & (sizes <= most))][0]
            raise ValueError(f"{what}: found {found:g}; allowed: {least:g} to {most:g}")
    order = np.argsort(-f)
    f, measured = f[order], measured[order]
    if (repeated := f[1:][np.diff(f) == 0.0]).size:
        raise ValueError(
            f"found {repeated[0]:g} Hz twice; allowed: one spectrum, each frequency once"
        )
    if not (measured.real > 0.0).any():
        raise ValueError("found no positive real part; allowed: impedances of a cell")
    return f, measured


def capacitive(frequency: ArrayLike, z: ArrayLike) -> tuple[Real, Complex]:
    """Leave out the inductive points (Im Z >= 0) above the highest frequency of all others.

    Parameters
    ----------
    frequency
        In Hz with shape (n,).
    z
        Impedances in ohm with shape (n,).

    Returns
    -------
    tuple of ndarray
        Frequencies in Hz, falling, and impedances in ohm, both with shape (m,), m <= n.

    Raises
    ------
    ValueError
        As `spectrum`, for what is left.
    """
    f, measured = np.asarray(frequency, dtype=np.float64), np.asarray(z, dtype=np.complex128)
    kept = f <= f[measured.imag < 0.0].max(initial=0.0)
    return spectrum(f[kept], measured[kept])


def fit(frequency: ArrayLike, z: ArrayLike) -> Fit:
    """Fit R_s, two semicircles and their errors by least squares of the relative residuals.

    For pairs of time constants over the measured range the resistances follow from linear least
    squares; the best pairs are refined, with all seven parameters free, and the best fit is kept.

    Parameters
    ----------
    frequency
        In Hz with shape (n,).
    z
        Impedances in ohm with shape (n,); the imaginary part of a capacitor is negative.

    Returns
    -------
    Fit
        Parameters with standard errors from the curvature at the minimum and the residuals.

    Raises
    ------
    ValueError
        As `spectrum`.
    """
    f, measured = spectrum(frequency, z)
    found = min(
        (_refine(f, measured, start) for start in _guesses(f, measured)), key=lambda r: r.cost
    )
    return _result(found, f, measured)


def _model(f: Real, x: Real) -> tuple[Complex, Complex]:
    """Give Z and its derivatives, shape (n, 7), for ln R_s, then ln R, ln τ and α of each arc."""
    s = 2j * pi * f
    z, slopes = np.full(len(f), exp(x[0]), dtype=np.complex128), np.empty((len(f), 7), complex)
    slopes[:, 0] = z
    for k in (1, 4):
        resistance, product, exponent = exp(x[k]), s * exp(x[k + 1]), x[k + 2]
        power = product**exponent
        arc = resistance / (1.0 + power)
        z += arc
        # with p = (jωτ)^α: dZ/d ln R = Z, dZ/d ln τ = -Z α p/(1 + p), dZ/dα = -Z p ln(jωτ)/(1 + p)
        slopes[:, k] = arc
        slopes[:, k + 1] = -arc * exponent * power / (1.0 + power)
        slopes[:, k + 2] = -arc * power * np.log(product) / (1.0 + power)
    return z, slopes


def _guesses(f: Real, measured: Complex) -> list[Real]:
    """Give starts of the fit: for pairs of time constants, resistances by linear least squares."""
    size = np.abs(measured)
    slowest, fastest = 1.0 / (2.0 * pi * f[-1]), 1.0 / (2.0 * pi * f[0])
    smallest = 1e-6 * float(size.max())
    found = []
    for pair in combinations(np.geomspace(fastest, slowest, SEARCHED), 2):
        arcs = [impedance(f, 0.0, [(1.0, tau, START)]) for tau in pair]
        columns: list[Complex] = [np.ones(len(f), np.complex128), *arcs]
        weighted = np.stack(columns, axis=1) / size[:, None]
        ohms, misfit = nnls(_split(weighted), _split(measured / size))
        r_s, r_1, r_2 = np.log(np.maximum(ohms, smallest))
        start = [r_s, r_1, np.log(pair[0]), START, r_2, np.log(pair[1]), START]
        found.append((float(misfit), np.array(start)))
    return [start for _, start in sorted(found, key=lambda guess: guess[0])[:REFINED]]


def _refine(f: Real, measured: Complex, start: Real) -> OptimizeResult:
    """Minimise the relative residuals of real and imaginary parts from a start."""
    # time constants: two decades beyond what was measured; resistances: as free as floats are
    slow, fast = np.log(100.0 / (2.0 * pi * f[-1])), np.log(0.01 / (2.0 * pi * f[0]))
    ohm = (start[[0, 1, 4]].min() - 25.0, start[[0, 1, 4]].max() + 25.0)
    size = np.abs(measured)

    def residual(x: Real) -> Real:
        return _split((measured - _model(f, x)[0]) / size)

    def jacobian(x: Real) -> Real:
        return _split(-_model(f, x)[1] / size[:, None])

    return least_squares(
        residual,
        start,
        jacobian,
        bounds=(
            [ohm[0], ohm[0], fast, FLATTEST, ohm[0], fast, FLATTEST],
            [ohm[1], ohm[1], slow, 1.0, ohm[1], slow, 1.0],
        ),
        x_scale="jac",
        max_nfev=400,
    )


def _split(z: Complex) -> Real:
    """Put the imaginary parts below the real ones."""
    return np.concatenate([z.real, z.imag])


def _result(found: OptimizeResult, f: Real, measured: Complex) -> Fit:
    errors = _errors(found)
    values = [Value(float(x), e) for x, e in zip(found.x, errors, strict=True)]
    series, *parts = values
    arcs = sorted(
        (Arc(_exp(parts[i]), _exp(parts[i + 1]), parts[i + 2]) for i in (0, 3)),
        key=lambda arc: arc.time_constant.value,
    )
    residuals = (measured - _model(f, found.x)[0]) / np.abs(measured)
    return Fit(_exp(series), arcs[0], arcs[1], f, measured, residuals)


def _exp(log: Value) -> Value:
    # err(R) = R err(ln R)
    return Value(exp(log.value), exp(log.value) * log.error)


def _errors(found: OptimizeResult) -> list[float]:
    """Give the standard errors of the parameters; those at a bound are taken as known."""
    free = np.flatnonzero(found.active_mask == 0)
    jacobian = found.jac[:, free]
    # cov = s^2 (J^T J)^-1 with s^2 = sum r^2/(2n - p); by singular values, for J may be singular
    variance = 2.0 * found.cost / (found.jac.shape[0] - len(free))
    _, values, rows = np.linalg.svd(jacobian, full_matrices=False)
    values = np.maximum(values, np.finfo(float).eps * values[0])
    spread = ((rows / values[:, None]) ** 2).sum(axis=0)
    errors = np.zeros(len(found.x))
    errors[free] = [sqrt(variance * float(part)) for part in spread]
    return [float(error) for error in errors]

"""Answers that need not be exact: within a time, or within a few bytes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain, islice
from typing import Any

from executors.hashing import portable_hash
from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition, narrow
from minispark.statcounter import StatCounter
from planner.ops import Count
from planner.plan import Node

_CHUNK = 1 << 16
_FEW_BITS = 16  # up to here a bit more than asked for costs next to nothing
_NORMAL_FROM = 100  # values from which on a normal distribution is as good as Student's


class BoundedFloat(float):
    """An estimate: a float with the interval that holds the true value with some confidence.

    Attributes
    ----------
    confidence : float
        Between 0 and 1.
    low, high : float
        The ends of the interval.

    Examples
    --------
    >>> about = BoundedFloat(10.0, 0.95, 8.0, 12.0)
    >>> about + 1, about.low, about.high, about.confidence
    (11.0, 8.0, 12.0, 0.95)
    """

    confidence: float
    low: float
    high: float

    def __new__(cls, mean: float, confidence: float, low: float, high: float) -> BoundedFloat:
        estimate = float.__new__(cls, mean)
        estimate.confidence = confidence
        estimate.low = low
        estimate.high = high
        return estimate

    def __reduce__(self) -> tuple[type[BoundedFloat], tuple[float, float, float, float]]:
        return BoundedFloat, (float(self), self.confidence, self.low, self.high)


def float_sum(index: int, rows: Iterator[Any]) -> list[float]:
    """One row: the sum."""
    return [float(sum(rows))]


def float_stats(index: int, rows: Iterator[Any]) -> list[StatCounter]:
    """One row: the moments of the rows as floats."""
    return [StatCounter(map(float, rows))]


@dataclass(frozen=True, slots=True)
class Sketch:
    """One row: HyperLogLog registers, 2**bits bytes, of the rows' hashes."""

    bits: int

    def __call__(self, index: int, rows: Iterator[Any]) -> list[bytes]:
        import numpy as np

        registers: Any = np.zeros(1 << self.bits, dtype=np.uint8)
        while chunk := list(islice(rows, _CHUNK)):
            hashes = np.fromiter(map(portable_hash, chunk), dtype=np.int64, count=len(chunk))
            mixed = _mixed(hashes.view(np.uint64))
            places = (mixed >> np.uint64(64 - self.bits)).astype(np.intp)
            rest = (mixed << np.uint64(self.bits)) >> np.uint64(self.bits)
            # frexp's exponent is the bit length: the rank is the place of the first 1
            ranks = 64 - self.bits - np.frexp(rest.astype(np.float64))[1] + 1
            np.maximum.at(registers, places, ranks.astype(np.uint8))
        return [registers.tobytes()]


def _mixed(hashes: Any) -> Any:
    """Hashes whose bits all look random: the finaliser of SplitMix64 (Steele et al., 2014)."""
    import numpy as np

    hashes = hashes + np.uint64(0x9E3779B97F4A7C15)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


class Approximate(Core):
    """Estimates."""

    def countApprox(self, timeout: int, confidence: float = 0.95) -> int:
        """About how many rows there are, by what was counted in the given time.

        Parameters
        ----------
        timeout : int
            Milliseconds; what still runs then is cancelled.
        confidence : float
            Between 0 and 1; it does not change the answer, only the interval of `sumApprox`.

        Examples
        --------
        >>> sc.parallelize(range(1000), 10).countApprox(10_000)
        1000
        """
        counts = narrow(self._node, Count())
        return round(_sum_of(*self._within(counts, timeout, confidence), confidence))

    def sumApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """About the sum of the rows, by what was summed in the given time.

        Parameters
        ----------
        timeout : int
            Milliseconds; what still runs then is cancelled.
        confidence : float
            How sure it should be, between 0 and 1, that the interval holds the sum.

        Examples
        --------
        >>> about = sc.parallelize(range(1000), 10).sumApprox(10_000)
        >>> about, about.low, about.high
        (499500.0, 499500.0, 499500.0)
        """
        sums = by_partition(self._node, float_sum)
        return _sum_of(*self._within(sums, timeout, confidence), confidence)

    def meanApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """About the mean of the rows, by what was seen in the given time.

        Parameters
        ----------
        timeout, confidence
            As for `sumApprox`.

        Examples
        --------
        >>> sc.parallelize(range(1000), 10).meanApprox(10_000)
        499.5
        """
        parts = by_partition(self._node, float_stats)
        return _mean_of(*self._within(parts, timeout, confidence), confidence)

    def countApproxDistinct(self, relativeSD: float = 0.05) -> int:
        """About how many different rows there are.

        Parameters
        ----------
        relativeSD : float
            The relative standard deviation of the answer; memory grows with its inverse square.

        Raises
        ------
        ValueError
            `relativeSD` is below 0.000017.

        Examples
        --------
        >>> about = sc.parallelize(range(1000)).map(str).countApproxDistinct()
        >>> 900 < about < 1100
        True

        HyperLogLog (Flajolet et al., 2007), read with the estimator of Ertl, "New cardinality
        estimation algorithms for HyperLogLog sketches", 2017, which needs no correction.
        """
        if relativeSD < 0.000017:
            raise ValueError("relativeSD should be greater than 0.000017")
        bits = max(4, math.ceil(2.0 * math.log2(1.054 / relativeSD)))
        bits += bits < _FEW_BITS
        sketches = self._rows(by_partition(self._node, Sketch(bits)))
        return round(_distinct(sketches, bits))

    def _within(self, node: Node, timeout: int, confidence: float) -> tuple[list[Any], float]:
        """The rows that came within `timeout` milliseconds, and what part of the partitions."""
        if not 0.0 <= confidence <= 1.0:
            raise ValueError(f"confidence ({confidence}) must be in [0,1]")
        until = time.monotonic() + timeout / 1000
        blocks: list[list[Any]] = []
        job = self._submit(node)
        try:
            while len(blocks) < node.width:
                found = job.next(max(0.0, until - time.monotonic()))
                if found is None:
                    break
                blocks.append(found[1])
        finally:
            if len(blocks) < node.width:
                job.cancel()
        part = len(blocks) / node.width if node.width else 1.0
        return list(chain.from_iterable(blocks)), part


def _unknown() -> BoundedFloat:
    return BoundedFloat(0.0, 0.0, -math.inf, math.inf)


def _sum_of(sums: list[float], part: float, confidence: float) -> BoundedFloat:
    """The sum over all partitions when `part` of them gave these sums.

    How many more there are and how large they are is taken from those seen; the variance of the
    product is that of two independent factors.
    """
    total = math.fsum(sums)
    if part == 1.0:
        return BoundedFloat(total, 1.0, total, total)
    if not sums:
        return _unknown()
    seen, missing = StatCounter(sums), len(sums) * (1 - part) / part
    mean = float(seen.mean())
    estimate = total + mean * missing
    if seen.n == 1:
        return BoundedFloat(estimate, confidence, -math.inf, math.inf)
    mean_variance = float(seen.sampleVariance()) / seen.n
    missing_variance = missing / part
    variance = (
        mean * mean * missing_variance
        + missing * missing * mean_variance
        + mean_variance * missing_variance
    )
    reach = _deviations(seen.n, confidence) * math.sqrt(variance)
    return BoundedFloat(estimate, confidence, estimate - reach, estimate + reach)


def _mean_of(parts: list[StatCounter], part: float, confidence: float) -> BoundedFloat:
    """The mean over all partitions when `part` of them gave these moments."""
    seen = reduce(StatCounter.mergeStats, parts, StatCounter())
    mean = float(seen.mean())
    if part == 1.0:
        return BoundedFloat(mean, 1.0, mean, mean)
    if seen.n == 0:
        return _unknown()
    if seen.n == 1:
        return BoundedFloat(mean, confidence, -math.inf, math.inf)
    error = math.sqrt(float(seen.sampleVariance()) / seen.n)
    reach = _deviations(seen.n, confidence) * error
    return BoundedFloat(mean, confidence, mean - reach, mean + reach)


def _deviations(values: int, confidence: float) -> float:
    """How many standard deviations to either side the confidence asks for."""
    if confidence >= 1.0:
        return math.inf
    if values > _NORMAL_FROM:
        from statistics import NormalDist  # brings decimal: not at every start

        return NormalDist().inv_cdf(0.5 + confidence / 2)
    return student(values - 1, confidence)


def student(freedom: int, confidence: float) -> float:
    """The t with P(|T| < t) = confidence, for Student's T with a whole number of freedoms."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """P(|T| < t): the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    return (angle + sine * total) * 2 / math.pi if odd else sine * total


def _distinct(sketches: list[bytes], bits: int) -> float:
    """The cardinality that merged registers stand for: Ertl 2017, algorithm 6."""
    import numpy as np

    size, ranks = 1 << bits, 64 - bits
    merged: Any = np.zeros(size, dtype=np.uint8)
    for sketch in sketches:
        np.maximum(merged, np.frombuffer(sketch, dtype=np.uint8), out=merged)
    counts = np.bincount(merged, minlength=ranks + 2).tolist()
    if counts[0] == size:
        return 0.0
    z = size * _tau(1 - counts[ranks + 1] / size)
    for rank in range(ranks, 0, -1):
        z = 0.5 * (z + counts[rank])
    z += size * _sigma(counts[0] / size)
    return size * size / (2 * math.log(2) * z)


def _sigma(x: float) -> float:
    """x + the sum over k of x**(2**k) * 2**(k - 1): what the empty registers add."""
    factor, total, before = 1.0, x, -1.0
    while total != before:
        x *= x
        before = total
        total += x * factor
        factor += factor
    return total


def _tau(x: float) -> float:
    """What the registers at their limit add."""
    if x in (0.0, 1.0):
        return 0.0
    factor, total, before = 1.0, 1 - x, -1.0
    while total != before:
        x = math.sqrt(x)
        before = total
        factor *= 0.5
        total -= (1 - x) ** 2 * factor
    return total / 3

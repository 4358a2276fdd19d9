"""Count, mean, variance, least and largest of numbers, merged from parts."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from numbers import Real
from types import ModuleType
from typing import Any

__all__ = ["StatCounter"]

_BATCH = 4096
_WORTH_IT = 64  # below this the plain loop is as fast, and rounds as PySpark's does
_PLAIN = frozenset({int, float})


class StatCounter:
    """Running statistics of numbers (or of numpy arrays, element by element).

    Parameters
    ----------
    values : iterable of numbers, optional
        The first values to count.

    Examples
    --------
    >>> counter = StatCounter([1, 2]).mergeStats(StatCounter([6]))
    >>> counter.count(), counter.mean(), counter.sum()
    (3, 3.0, 9.0)

    Two counters are merged, and single values added, by the formulas of Chan, Golub and LeVeque,
    "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self.n = 0
        self.mu: Any = 0.0
        self.m2: Any = 0.0
        self.maxValue: Any = -math.inf
        self.minValue: Any = math.inf
        if values is not None:
            self._add(iter(values))

    def _add(self, values: Iterator[Any]) -> None:
        while batch := list(islice(values, _BATCH)):
            summary = _of_plain(batch) if len(batch) >= _WORTH_IT else None
            if summary is not None:
                self.mergeStats(summary)
            else:
                for value in batch:
                    self.merge(value)

    def merge(self, value: Any) -> StatCounter:
        """Count one more value; gives this counter."""
        delta = value - self.mu
        self.n += 1
        self.mu = self.mu + delta / self.n
        self.m2 = self.m2 + delta * (value - self.mu)
        self.maxValue = _larger(self.maxValue, value)
        self.minValue = _smaller(self.minValue, value)
        return self

    def mergeStats(self, other: StatCounter) -> StatCounter:
        """Count all values of another counter; gives this counter.

        Raises
        ------
        TypeError
            `other` is something else.
        """
        if not isinstance(other, StatCounter):
            raise TypeError(f"Can only merge StatCounter but got {type(other)}")
        if other.n == 0:
            return self
        if self.n == 0:
            self.n, self.mu, self.m2 = other.n, other.mu, other.m2
            self.maxValue, self.minValue = other.maxValue, other.minValue
            return self
        mine, theirs = self.n, other.n
        total, delta = mine + theirs, other.mu - self.mu
        self.m2 = self.m2 + other.m2 + delta * delta * mine * theirs / total
        self.mu = _joint_mean(self.mu, mine, other.mu, theirs)
        self.maxValue = _larger(self.maxValue, other.maxValue)
        self.minValue = _smaller(self.minValue, other.minValue)
        self.n = total
        return self

    def copy(self) -> StatCounter:
        """A counter of its own with the same values."""
        return copy.deepcopy(self)

    def count(self) -> int:
        """The number of values."""
        return int(self.n)

    def mean(self) -> Any:
        """The mean; 0.0 without values."""
        return self.mu

    def sum(self) -> Any:
        """The sum."""
        return self.n * self.mu

    def min(self) -> Any:
        """The least value; infinity without values."""
        return self.minValue

    def max(self) -> Any:
        """The largest value; minus infinity without values."""
        return self.maxValue

    def variance(self) -> Any:
        """The variance, by the number of values; NaN without values."""
        return self.m2 / self.n if self.n else math.nan

    def sampleVariance(self) -> Any:
        """The variance, by the number of values less one; NaN for fewer than two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else math.nan

    def stdev(self) -> Any:
        """The square root of `variance`."""
        return _root(self.variance())

    def sampleStdev(self) -> Any:
        """The square root of `sampleVariance`."""
        return _root(self.sampleVariance())

    def asDict(self, sample: bool = False) -> dict[str, Any]:
        """All of it as a dict.

        As in PySpark, `sample=False` gives the sample variance and deviation (by the number of
        values less one), and `sample=True` the others.

        >>> sorted(StatCounter([1, 3]).asDict(sample=True))
        ['count', 'max', 'mean', 'min', 'stdev', 'sum', 'variance']
        """
        return {
            "count": self.count(),
            "mean": self.mean(),
            "sum": self.sum(),
            "min": self.min(),
            "max": self.max(),
            "stdev": self.stdev() if sample else self.sampleStdev(),
            "variance": self.variance() if sample else self.sampleVariance(),
        }

    def __repr__(self) -> str:
        return (
            f"(count: {self.count()}, mean: {self.mean()}, stdev: {self.stdev()}, "
            f"max: {self.max()}, min: {self.min()})"
        )


def _of_plain(values: Sequence[Any]) -> StatCounter | None:
    """The statistics of real numbers in a few passes at C speed; None for anything else."""
    if not all(issubclass(kind, Real) for kind in set(map(type, values))):
        return None
    numpy = _numpy()
    try:
        numbers = numpy.array(values, dtype=float)
    except OverflowError:  # an int past the floats
        return None
    counter = StatCounter()
    counter.n, counter.mu = len(values), float(numbers.mean())
    off = numbers - counter.mu
    counter.m2 = float(numpy.dot(off, off))
    counter.maxValue, counter.minValue = float(numbers.max()), float(numbers.min())
    return counter


def _joint_mean(mu: Any, n: int, other: Any, others: int) -> Any:
    """The mean of n values of mean `mu` and `others` of mean `other`, moved from the larger."""
    total = n + others
    if others * 10 < n:
        return mu + (other - mu) * others / total
    if n * 10 < others:
        return other - (other - mu) * n / total
    return (mu * n + other * others) / total


def _larger(one: Any, other: Any) -> Any:
    """The larger of two, element by element; NaN if either is."""
    if type(one) is float and type(other) in _PLAIN:
        return float(other) if other > one or other != other else one
    return _numpy().maximum(one, other)


def _smaller(one: Any, other: Any) -> Any:
    """The smaller of two, element by element; NaN if either is."""
    if type(one) is float and type(other) in _PLAIN:
        return float(other) if other < one or other != other else one
    return _numpy().minimum(one, other)


def _root(value: Any) -> Any:
    return math.sqrt(value) if type(value) in _PLAIN else _numpy().sqrt(value)


def _numpy() -> ModuleType:
    import numpy  # on first use: it is half of the package's import time

    module: ModuleType = numpy
    return module

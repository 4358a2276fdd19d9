"""Moments and histograms of datasets of numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import isinf, isnan
from typing import Any

from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition
from minispark.dataset.reducing import reduced
from minispark.statcounter import StatCounter

_EVEN = 1e-10  # steps that differ by less count as equal


def counted(index: int, rows: Iterator[Any]) -> list[StatCounter]:
    """One row: the moments of the rows."""
    return [StatCounter(rows)]


def is_missing(x: Any) -> bool:
    """Whether a value has no place among others: None or NaN."""
    return x is None or (isinstance(x, float) and isnan(x))


def extremes(index: int, rows: Iterator[Any]) -> list[tuple[Any, Any, int]]:
    """One row, (least, largest, how many) of the rows that are not missing; none without them."""
    present = (row for row in rows if row is not None and row == row)  # NaN is unlike itself
    for least in present:
        largest, number = least, 1
        for row in present:
            if row < least:
                least = row
            elif row > largest:
                largest = row
            number += 1
        return [(least, largest, number)]
    return []


@dataclass(frozen=True, slots=True)
class Bucketed:
    """One row: how many rows fall into each bucket [bounds[i], bounds[i + 1]), the last one closed.

    `step` is the width of buckets that are all equally wide, else None.
    """

    bounds: Sequence[Any]
    step: Any

    def __call__(self, index: int, rows: Iterator[Any]) -> list[list[int]]:
        least, largest = self.bounds[0], self.bounds[-1]
        inside = (row for row in rows if row is not None and least <= row <= largest)
        if self.step is None:
            place: Callable[[Any], int] = partial(bisect_right, self.bounds)
            counts, first = Counter(map(place, inside)), 1
        else:
            step = self.step
            counts, first = Counter(int((row - least) / step) for row in inside), 0
        numbers = [counts[first + i] for i in range(len(self.bounds))]
        last = numbers.pop()
        numbers[-1] += last
        return [numbers]


def added(one: list[int], other: list[int]) -> list[int]:
    """Element by element."""
    return [a + b for a, b in zip(one, other, strict=True)]


class Statistics(Core):
    """Summaries of numbers."""

    def stats(self) -> StatCounter:
        """Count, mean, variance, largest and smallest of the rows, in one job.

        >>> sc.parallelize([1, 2, 3, 4]).stats().mean()
        2.5
        """
        parts = self._rows(by_partition(self._node, counted))
        merged: StatCounter = reduced(StatCounter.mergeStats, parts)
        return merged

    def mean(self) -> Any:
        """The mean.

        >>> sc.parallelize([1, 2, 3]).mean()
        2.0
        """
        return self.stats().mean()

    def variance(self) -> Any:
        """The variance, by the number of rows.

        >>> sc.parallelize([1, 2, 3, 4]).variance()
        1.25
        """
        return self.stats().variance()

    def stdev(self) -> Any:
        """The standard deviation, by the number of rows.

        >>> sc.parallelize([1, 1, 3, 3]).stdev() == 1
        True
        """
        return self.stats().stdev()

    def sampleVariance(self) -> Any:
        """The variance, by the number of rows less one.

        >>> sc.parallelize([1, 2, 3]).sampleVariance()
        1.0
        """
        return self.stats().sampleVariance()

    def sampleStdev(self) -> Any:
        """The standard deviation, by the number of rows less one.

        >>> sc.parallelize([1, 2, 3]).sampleStdev() == 1
        True
        """
        return self.stats().sampleStdev()

    def histogram(
        self, buckets: int | list[Any] | tuple[Any, ...]
    ) -> tuple[Sequence[Any], list[int]]:
        """How many rows fall into each bucket; None and NaN are left out.

        Parameters
        ----------
        buckets : int or sorted list
            The number of equally wide buckets between the least and the largest row, or the
            bounds of the buckets. A bucket holds its lower bound; the last one its upper, too.

        Returns
        -------
        tuple
            The bounds and the counts; one bound more than counts.

        Raises
        ------
        ValueError
            Too few buckets, or bounds that are unsorted, repeated or missing; no rows to take
            the range from.
        TypeError
            Buckets are neither, or the range of the rows is not one of numbers.

        Examples
        --------
        >>> sc.parallelize(range(51)).histogram(2)
        ([0, 25, 50], [25, 26])
        >>> sc.parallelize(["ab", "ac", "b"]).histogram(("a", "b", "c"))
        (('a', 'b', 'c'), [2, 1])
        """
        if isinstance(buckets, int):
            if buckets < 1:
                raise ValueError("number of buckets must be >= 1")
            least, largest, number = self._range()
            if least == largest or buckets == 1:
                return [least, largest], [number]
            step: Any
            bounds: Sequence[Any]
            bounds, step = _even_buckets(least, largest, buckets)
        elif isinstance(buckets, list | tuple):
            _check_bounds(buckets)
            bounds, step = buckets, _common_step(buckets)
        else:
            raise TypeError("buckets should be a list or tuple or number(int or long)")
        counts = self._rows(by_partition(self._node, Bucketed(bounds, step)))
        return bounds, reduced(added, counts)

    def _range(self) -> tuple[Any, Any, int]:
        """The least and the largest row that are not missing, and how many there are."""
        found = self._rows(by_partition(self._node, extremes))
        if not found:
            raise ValueError("can not generate buckets from empty RDD")
        leasts, largests, numbers = zip(*found, strict=True)
        return min(leasts), max(largests), sum(numbers)


def _even_buckets(least: Any, largest: Any, number: int) -> tuple[list[Any], Any]:
    try:
        width = (largest - least) / number
    except TypeError:
        raise TypeError("Can not generate buckets with non-number in RDD") from None
    if isinf(width):
        raise ValueError("Can not generate buckets with infinite value")
    step: Any = int(width)
    if step * number != largest - least:
        step = (largest - least) * 1.0 / number
    return [*(i * step + least for i in range(number)), largest], step


def _check_bounds(bounds: Sequence[Any]) -> None:
    if len(bounds) < 2:
        raise ValueError("buckets should have more than one value")
    if any(map(is_missing, bounds)):
        raise ValueError("can not have None or NaN in buckets")
    if sorted(bounds) != list(bounds):
        raise ValueError("buckets should be sorted")
    if len(set(bounds)) != len(bounds):
        raise ValueError("buckets should not contain duplicated values")


def _common_step(bounds: Sequence[Any]) -> Any:
    """The width of all buckets if it is the same, else None."""
    try:
        steps = [high - low for low, high in pairwise(bounds)]
    except TypeError:
        return None
    if max(steps) - min(steps) < _EVEN:
        return (bounds[-1] - bounds[0]) / (len(bounds) - 1)
    return None

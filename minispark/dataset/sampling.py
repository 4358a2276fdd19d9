"""Random parts of a dataset. Seeds are fixed when a plan is made, so recomputing repeats itself."""

from __future__ import annotations

import math
import operator
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, pairwise, repeat, starmap
from typing import Any, Self

from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition, narrow
from planner.ops import Count

_MIXING = 10  # draws thrown away: the seeds of neighbouring partitions are close to each other
_LARGE_MEAN = 20.0


def generator(seed: int, index: int) -> random.Random:
    """The random numbers of one partition, the ones that PySpark draws for the same seed."""
    draws = random.Random(seed ^ index)
    for _ in range(_MIXING):
        draws.randint(0, 1)
    return draws


def evenly(draws: random.Random) -> Iterator[float]:
    """Numbers in [0, 1) for ever."""
    return starmap(draws.random, repeat(()))


def poisson(draws: random.Random, mean: float) -> int:
    """A Poisson number, by multiplying draws (Knuth), in logarithms where the mean is large."""
    number = 0
    if mean < _LARGE_MEAN:
        floor = math.exp(-mean)
        product = draws.random()
        while product > floor:
            number += 1
            product *= draws.random()
        return number
    time = draws.expovariate(mean)
    while time < 1.0:
        number += 1
        time += draws.expovariate(mean)
    return number


@dataclass(frozen=True, slots=True)
class Between:
    """The rows whose draw is in [low, high)."""

    low: float
    high: float
    seed: int

    def __call__(self, index: int, rows: Iterable[Any]) -> Iterator[Any]:
        draws = evenly(generator(self.seed, index))
        if self.low == 0.0:
            return compress(rows, map(operator.gt, repeat(self.high), draws))
        low, high = self.low, self.high
        return (row for row, draw in zip(rows, draws, strict=False) if low <= draw < high)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Every row a random number of times, `mean` on average."""

    mean: float
    seed: int

    def __call__(self, index: int, rows: Iterable[Any]) -> Iterator[Any]:
        draws, mean = generator(self.seed, index), self.mean
        times = starmap(poisson, repeat((draws, mean)))
        return chain.from_iterable(map(repeat, rows, times))


@dataclass(frozen=True, slots=True)
class Strata:
    """Pairs drawn by the fraction of their key."""

    fractions: Mapping[Any, float]
    replaced: bool
    seed: int

    def __call__(self, index: int, rows: Iterable[Any]) -> Iterator[Any]:
        draws, fractions = generator(self.seed, index), self.fractions
        if self.replaced:
            copies = (repeat(pair, poisson(draws, fractions[pair[0]])) for pair in rows)
            return chain.from_iterable(copies)
        return (pair for pair in rows if draws.random() < fractions[pair[0]])


class Sampling(Core):
    """Random rows."""

    def sample(self, withReplacement: bool, fraction: float, seed: int | None = None) -> Self:
        """A random part of the rows; its size is about `fraction` of them.

        Parameters
        ----------
        withReplacement : bool
            A row may be drawn more than once.
        fraction : float
            Expected number of times a row is drawn; without replacement its probability.
        seed : int, optional
            The same seed gives the same rows of the same partitions.

        Raises
        ------
        ValueError
            `fraction` is negative.

        Examples
        --------
        >>> numbers = sc.parallelize(range(1000), 4)
        >>> 50 < numbers.sample(False, 0.1, seed=7).count() < 150
        True
        """
        if not fraction >= 0:
            raise ValueError("Fraction must be nonnegative.")
        seed = _fixed(seed)
        draw = Repeated(fraction, seed) if withReplacement else Between(0.0, fraction, seed)
        return self._derive(by_partition(self._node, draw, keeps=True))

    def randomSplit(self, weights: Sequence[int | float], seed: int | None = None) -> list[Self]:
        """Datasets that share out the rows at random; their sizes go by the weights.

        Parameters
        ----------
        weights : sequence of numbers
            One for each result; they need not sum to 1.
        seed : int, optional
            As for `sample`.

        Raises
        ------
        ValueError
            A weight is negative, or all are zero.

        Examples
        --------
        >>> few, many = sc.parallelize(range(100), 2).randomSplit([1, 3], seed=7)
        >>> few.count() < many.count(), sorted(few.collect() + many.collect()) == list(range(100))
        (True, True)
        """
        if not all(weight >= 0 for weight in weights):
            raise ValueError("Weights must be nonnegative")
        total = float(sum(weights))
        if not total > 0:
            raise ValueError("Sum of weights must be positive")
        seed, node = _fixed(seed), self._node
        upto = list(accumulate((weight / total for weight in weights), initial=0.0))
        upto[-1] = 1.0  # rounding must not lose the rows with the largest draws
        return [
            self._derive(by_partition(node, Between(low, high, seed), keeps=True))
            for low, high in pairwise(upto)
        ]

    def sampleByKey(
        self,
        withReplacement: bool,
        fractions: Mapping[Any, float | int],
        seed: int | None = None,
    ) -> Self:
        """A random part of the pairs, with a fraction for every key.

        Parameters
        ----------
        withReplacement, seed
            As for `sample`.
        fractions : dict
            The fraction of each key; every key must be there.

        Raises
        ------
        AssertionError
            A fraction is negative.
        KeyError
            In the task: a key has no fraction.

        Examples
        --------
        >>> pairs = sc.parallelize([("a", i) for i in range(1000)] + [("b", 0)], 2)
        >>> drawn = pairs.sampleByKey(False, {"a": 0.2, "b": 0}, seed=7).countByKey()
        >>> 100 < drawn["a"] < 300, drawn["b"]
        (True, 0)
        """
        for fraction in fractions.values():
            assert fraction >= 0.0, f"Negative fraction value: {fraction}"
        draw = Strata(dict(fractions), withReplacement, _fixed(seed))
        return self._derive(by_partition(self._node, draw, keeps=True))

    def takeSample(self, withReplacement: bool, num: int, seed: int | None = None) -> list[Any]:
        """Exactly `num` random rows in random order (all rows if there are fewer), in the driver.

        Parameters
        ----------
        withReplacement, seed
            As for `sample`.
        num : int
            How many rows.

        Raises
        ------
        ValueError
            `num` is negative, or too large to be drawn.

        Examples
        --------
        >>> numbers = sc.parallelize(range(10), 2)
        >>> len(numbers.takeSample(False, 4, seed=7)), len(numbers.takeSample(True, 20, seed=7))
        (4, 20)
        """
        largest = sys.maxsize - int(10.0 * math.sqrt(sys.maxsize))
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        if num > largest:
            raise ValueError(f"Sample size cannot be greater than {largest}.")
        if num == 0 or self._node.width == 0:
            return []
        total: int = sum(self._rows(narrow(self._node, Count())))
        if total == 0:
            return []
        draws = random.Random(seed)
        if not withReplacement and num >= total:
            rows = self._rows(self._node)
            draws.shuffle(rows)
            return rows
        fraction = _generous_fraction(num, total, withReplacement)
        rows = self._rows(self.sample(withReplacement, fraction, seed)._node)
        while len(rows) < num:  # as good as never: the fraction leaves room for bad luck
            seed = draws.randint(0, sys.maxsize)
            rows = self._rows(self.sample(withReplacement, fraction, seed)._node)
        draws.shuffle(rows)
        return rows[:num]


def _fixed(seed: int | None) -> int:
    """The seed, drawn now where the user gave none."""
    return random.randint(0, sys.maxsize) if seed is None else operator.index(seed)


def _generous_fraction(num: int, total: int, replaced: bool) -> float:
    """A fraction that gives at least `num` of `total` rows all but one time in ten thousand.

    With replacement the size is Poisson: so many standard deviations are added. Without, it is the
    bound for sums of Bernoulli draws of Meng, "Scalable simple random sampling", ICML 2013.
    """
    fraction = num / total
    if replaced:
        deviations = 9 if num < 12 else 5
        return fraction + deviations * math.sqrt(fraction / total)
    gamma = -math.log(0.00005) / total
    return min(1.0, fraction + gamma + math.sqrt(gamma * gamma + 2 * gamma * fraction))

"""Folding in two steps: each partition in its task, then the partitions' results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any

from executors.kernels.stopping import call
from minispark.dataset.zeros import fresh


@dataclass(frozen=True, slots=True)
class Reduced:
    """The rows folded by f: one row, or none where there were none."""

    f: Callable[[Any, Any], Any]

    def __call__(self, index: int, rows: Iterator[Any]) -> list[Any]:
        for first in rows:
            return [call(reduce, self.f, rows, first)]
        return []


@dataclass(frozen=True, slots=True)
class Folded:
    """The rows folded by f into a zero: always one row."""

    zero: Any
    f: Callable[[Any, Any], Any]

    def __call__(self, index: int, rows: Iterator[Any]) -> list[Any]:
        return [call(reduce, self.f, rows, fresh(self.zero))]


@dataclass(frozen=True, slots=True)
class Extreme:
    """The first row that `pick` (min or max) finds by key, or none."""

    pick: Callable[..., Any]
    key: Callable[[Any], Any] | None

    def __call__(self, index: int, rows: Iterator[Any]) -> list[Any]:
        for first in rows:
            return [self.of(chain((first,), rows))]
        return []

    def of(self, rows: Iterable[Any]) -> Any:
        """The extreme of at least one row."""
        return call(self.pick, rows) if self.key is None else call(self._by_key, rows)

    def _by_key(self, rows: Iterable[Any]) -> Any:
        return self.pick(rows, key=self.key)


def summed(index: int, rows: Iterator[Any]) -> list[Any]:
    """One row: the sum."""
    return [sum(rows)]


def reduced(f: Callable[[Any, Any], Any], results: Sequence[Any]) -> Any:
    """The partitions' results folded by f.

    Raises
    ------
    ValueError
        There are none.
    """
    if not results:
        raise ValueError("Can not reduce() empty RDD")
    return call(reduce, f, results)

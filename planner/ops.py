"""Row operations as data. `executors/kernels` holds what runs each of them.

Every op takes the rows of its input partition(s) as an iterator and gives an iterator of rows.
`f` and its kind are the user's functions; the kernel is told the partition's index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner.goals import Goals

Fn = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Op:
    """Base of all ops. `label` is the word shown in pictures of plans."""

    @property
    def label(self) -> str:
        return type(self).__name__


# ---- one row at a time ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Map(Op):
    """f(row) for every row."""

    f: Fn


@dataclass(frozen=True, eq=False)
class Filter(Op):
    """Rows for which f(row) is true."""

    f: Fn


@dataclass(frozen=True, eq=False)
class FlatMap(Op):
    """Every element of every f(row)."""

    f: Fn


@dataclass(frozen=True, eq=False)
class MapValues(Op):
    """(k, f(v)) for every (k, v)."""

    f: Fn


@dataclass(frozen=True, eq=False)
class FlatMapValues(Op):
    """(k, x) for every (k, v) and every x of f(v)."""

    f: Fn


@dataclass(frozen=True, eq=False)
class Identity(Op):
    """The rows as they are (coalesce, prune, sides of a cartesian product)."""


# ---- a partition at a time -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MapPartitions(Op):
    """f(index, rows) gives the rows of the partition. `name` is the method the user called.

    `barrier` asks that all tasks of the stage start together and re-run together.
    """

    f: Fn
    name: str = "MapPartitions"
    barrier: bool = False

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Glom(Op):
    """The partition as one list."""


@dataclass(frozen=True, eq=False)
class Sort(Op):
    """The partition sorted by f(row) (the row itself where f is None), stable."""

    f: Fn | None = None
    ascending: bool = True


@dataclass(frozen=True, eq=False)
class Count(Op):
    """One row: how many there were."""


@dataclass(frozen=True, eq=False)
class Take(Op):
    """The first n rows."""

    n: int


# ---- combining: narrow work on both sides of an exchange -----------------------------------------


@dataclass(frozen=True, eq=False)
class Combine(Op):
    """Fold the values of each key: create(v), then merge(c, v). May give a key more than once when
    memory is short (`whole` False, before an exchange), or spills and never does (`whole` True).

    `create` is None where the first value is the combiner. `merge_combiners` joins two combiners
    of one key, for spilled runs.
    """

    create: Fn | None
    merge: Fn
    merge_combiners: Fn
    whole: bool


@dataclass(frozen=True, eq=False)
class GatherValues(Op):
    """(k, [v, …]) before an exchange; a key may come more than once when memory is short."""


@dataclass(frozen=True, eq=False)
class GroupValues(Op):
    """(k, [v, …]) for every key once, values in the order they came.

    `gathered` says that the values come in lists already (GatherValues). `wrap` turns the list
    into the type that the user sees.
    """

    wrap: Fn | None = None
    gathered: bool = False


@dataclass(frozen=True, eq=False)
class Distinct(Op):
    """Each row once, in the order of first appearance."""


# ---- before an exchange --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TagByKey(Op):
    """(f(key) % channels, row) for every keyed row: a custom partitioner, towards Direct."""

    f: Fn
    channels: int


# ---- several inputs (Zip) ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ZipRows(Op):
    """Tuples of the rows of all sides at the same place; unequal lengths are an error."""


@dataclass(frozen=True, eq=False)
class Product(Op):
    """(a, b) for every a of the left and b of the right side."""


@dataclass(frozen=True, eq=False)
class CoGroup(Op):
    """(k, ([values of side 0], [values of side 1], …)) for every key of any side."""

    wrap: Fn | None = None


@dataclass(frozen=True, eq=False)
class Join(Op):
    """(k, (v, w)) for pairs of equal keys. `left`/`right` keep keys missing on the other side."""

    left: bool = False
    right: bool = False


@dataclass(frozen=True, eq=False)
class ZipWith(Op):
    """f(index, left rows, right rows) gives the rows; the right side is often a broadcast."""

    f: Fn
    name: str = "ZipWith"

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class CutByRange(Op):
    """(channel, [row, …]) for runs of rows, by where f(row) falls among bounds, towards Direct.

    The left side is sorted by f; the right side is one row, the sorted list of at most
    channels - 1 bounds.
    """

    f: Fn | None
    channels: int
    ascending: bool


# ---- columns -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Later:
    """A side that should not be moved before it is measured how large the others are: if they have
    up to `limit` bytes, it stays where it is."""

    side: int
    limit: int


@dataclass(frozen=True, eq=False)
class Relational(Op):
    """A fragment of a query: f(partition, tables, …) takes iterators of Arrow tables and gives one.

    `f` is what runs it (it is given by whoever lowers the plan, as a row op is given the user's
    function), `words` what pictures show. Of the sides `splits` the rows may be given to several
    tasks, each with all of the other sides; `later` are some of these. `goals` says how a stage
    that runs this may change; without them it stays.
    """

    f: Fn
    words: str
    splits: tuple[int, ...] = ()
    later: tuple[Later, ...] = ()
    goals: Goals | None = None

    @property
    def label(self) -> str:
        return self.words

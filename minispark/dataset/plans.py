"""Plan nodes with the user's call site, and the few shapes that several subjects share."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from typing import Any

from executors.hashing import portable_hash
from planner.ops import MapPartitions, Op, TagByKey, ZipWith
from planner.partitioning import Broadcast, Direct, Hash, Partitioner, Partitioning
from planner.plan import Exchange, Narrow, Node, Union, Zip
from planner.reads import ONE_TO_ONE, Reads
from planner.site import call_site


def narrow(child: Node, op: Op, *, reads: Reads = ONE_TO_ONE, keeps: bool = False) -> Node:
    """`op` over the partitions of `child`; `keeps` where no row's key changes."""
    return Narrow(child, op, reads, keeps, site=call_site())


def by_partition(
    child: Node, f: Callable[[int, Iterator[Any]], Iterable[Any]], *, keeps: bool = False
) -> Node:
    """`f(index, rows)` over every partition, shown under the name of the method the user called."""
    site = call_site()
    return Narrow(child, MapPartitions(f, site.method), keeps=keeps, site=site)


def moved(child: Node, partitioning: Partitioning) -> Node:
    """The rows of `child` sent where `partitioning` says."""
    return Exchange(child, partitioning, site=call_site())


def to_everyone(child: Node) -> Node:
    """All rows of `child` for every reader."""
    return moved(child, Broadcast())


def together(
    left: Node,
    right: Node,
    f: Callable[[int, Iterator[Any], Iterator[Any]], Iterable[Any]],
    *,
    keeps: bool = False,
) -> Node:
    """`f(index, left rows, right rows)` over partitions of the same number."""
    site = call_site()
    return Zip((left, right), ZipWith(f, site.method), keeps, site=site)


def zipped(sides: Sequence[Node], op: Op, *, keeps: bool = False) -> Node:
    """`op` over partitions of the same number of all sides."""
    return Zip(tuple(sides), op, keeps, site=call_site())


def partitioner_of(channels: int, func: Callable[[Any], int]) -> Partitioner:
    """What a dataset promises once its keys were sent to `func(key) % channels`."""
    return Partitioner(channels, None if func is portable_hash else func)


def by_key(child: Node, partitioner: Partitioner) -> Node:
    """Keyed rows where `partitioner` wants them; `child` itself where they already are."""
    if child.promise == partitioner:
        return child
    channels, func = partitioner.channels, partitioner.func
    if func is None:
        return moved(child, Hash(channels))
    return moved(narrow(child, TagByKey(func, channels)), Direct(channels, partitioner))


def side_by_side(nodes: Sequence[Node]) -> Node:
    """All rows of all nodes. Nodes that promise the same keep their promise and their width."""
    first = nodes[0].promise
    if first is None or any(node.promise != first for node in nodes):
        return Union(tuple(nodes), site=call_site())
    return reduce(_same_places, nodes)


def _same_places(left: Node, right: Node) -> Node:
    return together(left, right, rows_of_both, keeps=True)


def rows_of_both(_: int, left: Iterator[Any], right: Iterator[Any]) -> Iterator[Any]:
    """The rows of two partitions, one after the other."""
    return chain(left, right)


def positive(count: int | None, default: int) -> int:
    """A number of partitions that a user asked for, or `default` where nothing was asked.

    Raises
    ------
    TypeError
        `count` is not a whole number.
    ValueError
        `count` is below one.
    """
    return default if count is None else above_zero(count)


def above_zero(count: int) -> int:
    """A number of partitions that a user must give. Raises as `positive` does."""
    if not hasattr(count, "__index__"):
        raise TypeError(f"Number of partitions must be an int, not {type(count).__name__}.")
    whole = operator.index(count)
    if whole < 1:
        raise ValueError(f"Number of partitions must be positive, not {whole}.")
    return whole

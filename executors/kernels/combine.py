"""Folding the values of keys, in memory while it lasts.

Before an exchange (`whole` False) a full table is simply sent on: the other side folds again. After
it (`whole` True) every key must come out once, so what does not fit is set aside in buckets by a
hash of the key, and each bucket is folded alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from executors.hashing import refuse_unhashable
from executors.kernels.at import At
from executors.memory import BATCH
from executors.spill import Buckets
from planner import ops

Rows = Iterator[Any]
Fold = Callable[[dict[Any, Any], Iterable[Any]], None]
_DEPTH = 4  # how often a bucket that does not fit is split again


def combine(op: ops.Combine, rows: Rows, at: At) -> Rows:
    """See ops.Combine."""
    fold = _folder(op.create, op.merge)
    if not op.whole:
        return chain.from_iterable(_tables(fold, rows, at))
    return chain.from_iterable(_whole(fold, _folder(None, op.merge_combiners), rows, at, 0))


def gather(rows: Rows, at: At) -> Rows:
    """(key, list of values), a key perhaps more than once."""
    return chain.from_iterable(_tables(_gather, rows, at))


def group(rows: Rows, gathered: bool, at: At) -> Rows:
    """(key, list of values) for every key; the values come in lists if they are `gathered`."""
    return chain.from_iterable(_whole(_extend if gathered else _gather, _extend, rows, at, 0))


def distinct(rows: Rows, at: At) -> Rows:
    """Each row once."""
    tables = _whole(_note, _first, rows, at, 0)
    return map(lambda pair: pair[0], chain.from_iterable(tables))


def _folder(create: Callable[[Any], Any] | None, merge: Callable[[Any, Any], Any]) -> Fold:
    """The loop that folds pairs into a table."""

    def plain(table: dict[Any, Any], pairs: Iterable[Any]) -> None:
        for key, value in pairs:
            if key in table:
                table[key] = merge(table[key], value)
            else:
                table[key] = value

    def created(table: dict[Any, Any], pairs: Iterable[Any]) -> None:
        assert create is not None
        for key, value in pairs:
            if key in table:
                table[key] = merge(table[key], value)
            else:
                table[key] = create(value)

    return plain if create is None else created


def _gather(table: dict[Any, Any], pairs: Iterable[Any]) -> None:
    for key, value in pairs:
        if key in table:
            table[key].append(value)
        else:
            table[key] = [value]


def _extend(table: dict[Any, Any], pairs: Iterable[Any]) -> None:
    for key, values in pairs:
        if key in table:
            table[key].extend(values)
        else:
            table[key] = values


def _note(table: dict[Any, Any], rows: Iterable[Any]) -> None:
    table.update(dict.fromkeys(rows))


def _first(table: dict[Any, Any], pairs: Iterable[Any]) -> None:
    for key, value in pairs:
        table.setdefault(key, value)


def _fold_all(fold: Fold, rows: Rows, at: At) -> Iterator[dict[Any, Any]]:
    """Fold batch after batch; hands the table out each time it is full, and at the end."""
    table: dict[Any, Any] = {}
    for first in rows:
        try:
            fold(table, chain((first,), islice(rows, BATCH - 1)))
        except TypeError as error:
            refuse_unhashable(error, [first] if fold is _note else _keys_of(first))
        if at.memory.full(table):
            yield table
            table = {}
    yield table


def _keys_of(row: Any) -> list[Any]:
    return [row[0]] if isinstance(row, tuple | list) and row else []


def _tables(fold: Fold, rows: Rows, at: At) -> Iterator[Iterable[tuple[Any, Any]]]:
    for table in _fold_all(fold, rows, at):
        yield table.items()


def _whole(
    fold: Fold, join: Fold, rows: Rows, at: At, depth: int
) -> Iterator[Iterable[tuple[Any, Any]]]:
    """Tables in which every key stands once, over all tables."""
    buckets = Buckets(at.spills, depth)
    last: dict[Any, Any] = {}
    tables = _fold_all(fold, rows, at)
    for table in tables:
        if last:
            buckets.add(last.items())
        last = table
    if not buckets:
        yield last.items()
        return
    buckets.add(last.items())
    last.clear()
    for pairs in buckets.each():
        if depth < _DEPTH:
            yield from _whole(join, join, pairs, at, depth + 1)
        else:
            table = {}
            join(table, pairs)
            yield table.items()

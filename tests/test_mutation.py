"""What counts as a change of cached rows, and what does not."""

from __future__ import annotations

import datetime
import decimal
import itertools
import threading
import time
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from executors import mutation
from executors.mutation import changed, freeze, watch, writable
from minispark.resultiterable import ResultIterable


@dataclass
class Point:
    x: float
    tags: list[str] = field(default_factory=list)


class Lazy:
    def __init__(self, n: int) -> None:
        self.n = n

    @cached_property
    def square(self) -> int:
        return self.n**2


class Counted:
    seen = 0

    def __init__(self, n: int) -> None:
        self.n = n


class Slotted:
    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n


class Restless:
    """Pickles otherwise each time."""

    ticks = itertools.count()

    def __reduce__(self) -> Any:
        return int, (next(self.ticks),)


Pair = namedtuple("Pair", "a b")  # noqa: PYI024

CHANGES: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "list append": (lambda i: [i], lambda row: row.append(1)),
    "list item": (lambda i: [i, i], lambda row: row.__setitem__(1, "new")),
    "list sorted": (lambda i: [3, 1, 2], lambda row: row.sort()),
    "same value, other type": (lambda i: [1], lambda row: row.__setitem__(0, 1.0)),
    "dict value": (lambda i: {"a": i}, lambda row: row.update(a=-1)),
    "dict key": (lambda i: {"a": i}, lambda row: row.update(b=1)),
    "value of a pair": (lambda i: (i, [i]), lambda row: row[1].append(1)),
    "deep inside": (lambda i: (i, {"a": [(1, [2])]}), lambda row: row[1]["a"][0][1].append(1)),
    "set": (lambda i: {i}, lambda row: row.add("x")),
    "attribute": (lambda i: Point(i), lambda row: setattr(row, "x", -1.0)),
    "new attribute": (lambda i: Point(i), lambda row: setattr(row, "seen", True)),
    "attribute of an attribute": (lambda i: Point(i), lambda row: row.tags.append("x")),
    "slot": (lambda i: Slotted(i), lambda row: setattr(row, "n", -1)),
    "lazy object": (lambda i: Lazy(i), lambda row: setattr(row, "n", -1)),
    "counter": (lambda i: Counter("aab"), lambda row: row.update("c")),
    "defaultdict read": (lambda i: defaultdict(list), lambda row: row["missing"]),
    "deque": (lambda i: deque([1, 2]), lambda row: row.rotate()),
    "ordered dict": (lambda i: OrderedDict(a=1, b=2), lambda row: row.move_to_end("a")),
    "bytearray": (lambda i: bytearray(b"abc"), lambda row: row.append(1)),
    "used up iterator": (lambda i: iter([1, 2, 3]), lambda row: next(row)),
    "array in a dict": (lambda i: {"w": np.zeros(3)}, lambda row: row["w"].__iadd__(1)),
    "object array": (lambda i: np.array([[1], [2]] + [i], dtype=object), lambda r: r[0].append(1)),
    "grouped values": (lambda i: (i, ResultIterable([1, 2])), lambda row: row[1].data.append(3)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found(name: str) -> None:
    make, change = CHANGES[name]
    rows = [make(i) for i in range(100)]
    before = watch(rows)
    assert not changed(rows, before)
    assert not changed(rows, before)
    for row in rows:
        change(row)
    assert changed(rows, before)


@pytest.mark.parametrize("place", [0, 99])
def test_a_change_of_only_the_first_or_last_is_found(place: int) -> None:
    rows = [[i] for i in range(100)]
    before = watch(rows)
    rows[place].append(0)
    assert changed(rows, before)


READS: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "a cached property": (lambda i: Lazy(i), lambda row: row.square),
    "cached properties in a dict": (lambda i: {"a": Lazy(i)}, lambda row: row["a"].square),
    "a counter in the class": (
        lambda i: Counted(i),
        lambda row: setattr(Counted, "seen", Counted.seen + 1),
    ),
    "an attribute dict": (lambda i: Point(i), lambda row: vars(row).items()),
    "string keys made anew": (
        lambda i: {"".join(["k", str(i)]): 1},
        lambda row: {"".join(key): value for key, value in row.items()},
    ),
    "sets of strings": (lambda i: {"a", "b", str(i)}, lambda row: row & {"a"}),
    "equal strings, one object or two": (
        lambda i: ["".join(["a", "b"]), "".join(["a", "b"])],
        lambda row: row[0] == row[1],
    ),
    "assigned what it was": (lambda i: [300 + i], lambda row: row.__setitem__(0, row[0])),
    "grouped values": (lambda i: (i, ResultIterable([1, 2])), lambda row: list(row[1])),
    "a lambda": (lambda i: [lambda: i], lambda row: row[0]()),
    "a lock": (lambda i: [threading.Lock()], lambda row: row[0].locked()),
    "pickles of its own every time": (lambda i: [Restless()], lambda row: None),
    "an array made read-only by another": (
        lambda i: {"w": np.zeros(3)},
        lambda row: row["w"].setflags(write=False),
    ),
}


@pytest.mark.parametrize("name", READS)
def test_no_false_alarm(name: str) -> None:
    make, read = READS[name]
    rows = [make(i) for i in range(100)]
    before = watch(rows)
    for _ in range(3):
        for row in rows:
            read(row)
        assert not changed(rows, before)


def test_a_class_of_the_script_is_known_by_identity() -> None:
    class Local:  # cannot be pickled by name
        def __init__(self, n: int) -> None:
            self.n = n

    rows = [Local(i) for i in range(20)]
    before = watch(rows)
    assert len(before.places) == mutation.WATCHED
    Local.extra = 1  # type: ignore[attr-defined]
    assert not changed(rows, before)
    rows[-1].n = -1
    assert changed(rows, before)


@pytest.mark.parametrize(
    "row",
    [
        1,
        "text",
        b"bytes",
        None,
        1.5,
        (1, "a", (2.0, None)),
        frozenset({1, "a"}),
        datetime.date(2020, 1, 1),
        (decimal.Decimal("1.5"), datetime.timedelta(1)),
        Pair(1, "a"),
        np.float64(1.5),
        (1, np.int32(4)),
        range(5),
    ],
    ids=repr,
)
def test_rows_that_cannot_change_cost_nothing(row: Any) -> None:
    before = watch([row] * 100)
    assert before.places == ()
    assert before.bytes == 0


def test_arrays_become_read_only_in_all_rows() -> None:
    plain = [np.zeros(2) for _ in range(1000)]
    pairs = [(i, np.zeros(2)) for i in range(1000)]
    lists = [[np.zeros(2), np.ones(2)] for _ in range(1000)]
    assert (freeze(plain), freeze(pairs), freeze(lists)) == (1000, 1000, 2000)
    for array in (*plain, *(row[1] for row in pairs), *(a for row in lists for a in row)):
        with pytest.raises(ValueError, match="read-only"):
            array += 1
    assert watch(plain).places == watch(pairs).places == ()
    assert len(watch(lists).places) == mutation.WATCHED  # the list itself can change


def test_rows_without_arrays_are_not_gone_through() -> None:
    class Loud(list[Any]):
        def __iter__(self) -> Any:
            raise AssertionError("gone through")

    assert freeze(Loud(range(1000))) == 0
    with pytest.raises(AssertionError):
        freeze(Loud([np.zeros(1)] * 1000))


def test_writable_opens_arrays_for_a_while() -> None:
    base = np.zeros(10)
    frozen_by_user = np.frombuffer(b"12345678")  # cannot ever be written
    rows = [(base[2:4], base[:5]), (base, frozen_by_user)]
    freeze(rows)
    arrays = [array for row in rows for array in row]
    assert not any(array.flags.writeable for array in arrays)
    with writable(rows):
        assert [array.flags.writeable for array in arrays] == [True, True, True, False]
    assert not any(array.flags.writeable for array in arrays)


def test_large_elements_are_watched_fewer_and_not_to_their_end() -> None:
    rows = [[bytearray(2 << 20)] for _ in range(16)]
    before = watch(rows)
    assert 2 <= len(before.places) <= 5
    assert before.places[:2] == (0, 15)
    giant = [[list(range(4_000_000))]]
    assert mutation.LONGEST <= watch(giant).bytes < mutation.LONGEST + (1 << 20)
    giant[0][0][5] = -1
    assert changed(giant, watch([[list(range(4_000_000))]]))


def test_large_arrays_are_looked_at_in_part() -> None:
    rows = [{"w": np.zeros(4_000_000)} for _ in range(6)]
    assert watch(rows).bytes < 3 * mutation.LONGEST
    before = watch(rows)
    rows[0]["w"][0] = 1
    assert changed(rows, before)


@pytest.mark.parametrize("array", [np.zeros((4, 4)).T, np.zeros((4, 4))[::2, ::2], np.array(5)])
def test_arrays_of_any_layout(array: np.ndarray) -> None:
    rows = [{"w": array}]
    before = watch(rows)
    assert before.places == (0,)
    assert not changed(rows, before)
    array[...] = 7
    assert changed(rows, before)


def test_recursive_rows() -> None:
    row: list[Any] = [1]
    row.append(row)
    before = watch([row])
    assert not changed([row], before)
    row.append(2)
    assert changed([row], before)


def test_shared_structure_is_not_blown_up() -> None:
    tree: list[Any] = [1]
    for _ in range(200):
        tree = [tree, tree]
    began = time.perf_counter()
    assert not changed([tree], watch([tree]))
    assert time.perf_counter() - began < 1


def test_too_deep_to_pickle_is_not_watched() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert watch([deep]).places == ()
    while deep:
        deep = deep[0]


def test_a_row_more_or_less_is_a_change() -> None:
    rows = [1, 2, 3]
    before = watch(rows)
    rows.append(4)
    assert changed(rows, before)


def test_empty() -> None:
    assert not changed([], watch([]))
    assert freeze([]) == 0

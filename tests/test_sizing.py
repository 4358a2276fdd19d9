"""Sizes of rows, against what the allocator really gave."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from executors.sizing import deep_size, estimate


class Plain:
    def __init__(self, i: int) -> None:
        self.number = i + 1000
        self.text = str(i)
        self.items = [i + 1000]


@dataclass
class Data:
    x: int
    y: str


@dataclass(slots=True)
class Slotted:
    x: int
    y: str


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 (users have these)


def _defaultdict(i: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    found[i] = [i + 1000]
    return found


def _shared_strings() -> list[Any]:
    words = [f"word {i}" * 20 for i in range(1000)]
    return [(words[i % 1000], i + 1000) for i in range(50_000)]


ROWS: dict[str, Callable[[], list[Any]]] = {
    "ints": lambda: [i + 10**6 for i in range(50_000)],
    "floats": lambda: [i / 7 for i in range(50_000)],
    "tuples": lambda: [(i + 1000, float(i)) for i in range(50_000)],
    "strings": lambda: [(str(i), i + 1000) for i in range(50_000)],
    "bytes": lambda: [bytes(i % 100) for i in range(50_000)],
    "objects": lambda: [Plain(i) for i in range(20_000)],
    "dataclasses": lambda: [Data(i + 1000, str(i)) for i in range(20_000)],
    "slots": lambda: [Slotted(i + 1000, str(i)) for i in range(20_000)],
    "namedtuples": lambda: [Pair(i + 1000, str(i)) for i in range(20_000)],
    "dicts": lambda: [{"a": i + 1000, "b": str(i)} for i in range(20_000)],
    "sets": lambda: [{i + 1000, i + 2000} for i in range(20_000)],
    "deques": lambda: [deque([i + 1000]) for i in range(10_000)],
    "defaultdicts": lambda: [_defaultdict(i) for i in range(10_000)],
    "ordered dicts": lambda: [OrderedDict(a=i + 1000) for i in range(10_000)],
    "arrays": lambda: [np.arange(100) + i for i in range(5_000)],
    "arrays in pairs": lambda: [(i, np.arange(50.0)) for i in range(5_000)],
    "views of one array": lambda: list(np.zeros((5_000, 100))),
    "object arrays": lambda: [
        np.array([str(i)] * 3 + [i + 1000], dtype=object) for i in range(5_000)
    ],
    "strings that rows share": _shared_strings,
    "one object in every row": lambda: [{"a": "x" * 100_000}] * 50_000,
    "one long list": lambda: [list(range(300, 500_300))],
    "one large dict": lambda: [{i + 1000: str(i) for i in range(100_000)}],
    "groups": lambda: [(i, [(i, j) for j in range(1000, 1000 + i % 60)]) for i in range(3000)],
    "rows that alternate": lambda: [
        ("x" * 2000 + str(i)) if i % 2 else i + 1000 for i in range(10_000)
    ],
    "fewer than the sample": lambda: [list(range(1000, 1000 + i)) for i in range(60)],
}


@pytest.mark.parametrize("name", ROWS)
def test_estimate_is_near_the_allocators_count(name: str) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        rows = ROWS[name]()
        real = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.9 * real < estimate(rows) < 1.3 * real


def test_rows_of_very_different_sizes_are_sampled_more() -> None:
    rows = [list(range(1000, 1000 + (500 if i % 10 == 0 else 1))) for i in range(20_000)]
    real = sum(map(deep_size, rows))
    assert 0.7 * real < estimate(rows) < 1.4 * real


def test_a_shared_object_counts_once() -> None:
    text = "x" * 10_000
    assert deep_size((text, text)) < 10_400
    assert 10_000 < deep_size([text] * 1000) < 20_000
    assert deep_size([text, "y" * 10_000]) > 20_000


def test_cycles_end() -> None:
    one: list[Any] = ["x" * 1000]
    one.append(one)
    two: dict[str, Any] = {"one": one}
    one.append(two)
    assert 1000 < deep_size(one) < 2000


def test_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    chain = reduce(lambda tail, i: [i, tail], range(1000, 101_000), None)
    began = time.perf_counter()
    assert deep_size(chain) > 1_000_000
    assert time.perf_counter() - began < 5
    while chain is not None:  # or freeing it would recurse
        chain = chain[1]


def test_sharing_without_end_is_walked_once() -> None:
    tree: list[Any] = ["leaf" * 100]
    for _ in range(200):  # 2 ** 200 paths
        tree = [tree, tree]
    assert deep_size(tree) < 100_000


def test_classes_functions_and_modules_are_not_the_rows() -> None:
    assert deep_size([Plain, deep_size, sys, len]) < 200
    assert deep_size(Plain) == 0


def test_arrow_counts_its_buffers() -> None:
    table = pa.table({"a": list(range(10_000)), "b": [str(i) for i in range(10_000)]})
    assert table.nbytes <= estimate(table) < table.nbytes + 500
    assert table.nbytes < estimate([table.slice(0), table]) < 2 * table.nbytes + 1000


def test_a_view_holds_its_whole_base() -> None:
    assert deep_size(np.zeros(100_000)[:1]) > 800_000


def test_empty_and_trivial() -> None:
    assert estimate([]) < 100
    assert estimate([None] * 10) < 500
    assert deep_size(None) < 100


class Rude:
    def __sizeof__(self) -> int:
        raise RuntimeError("no size")


def test_a_class_without_a_size_is_guessed() -> None:
    assert estimate([Rude() for _ in range(100)]) < 100_000


def test_the_cost_does_not_grow_with_the_rows() -> None:
    rows = [(str(i), i) for i in range(1_000_000)]
    best = min(_seconds(lambda: estimate(rows)) for _ in range(5))
    assert best < 0.015


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began

"""Sorts by range: to which part a row belongs is found in two ways, which agree."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from executors.relational import states, steps
from executors.relational.extents import Extents
from executors.relational.nodes import Making
from planner.columns import types as t
from planner.columns.expressions import Attr, Order
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import Bounds, Ranked, Sampled

assert steps.MODULES
UTC = dt.UTC
VALUES: list[tuple[t.DataType, pl.DataType, list[Any]]] = [
    (t.INT, pl.Int32(), [3, None, -7, 3, 0, 2**31 - 1, -(2**31)]),
    (t.DOUBLE, pl.Float64(), [0.0, -0.0, math.nan, None, math.inf, -math.inf, 1.5, -1.5]),
    (t.STRING, pl.String(), ["", "a", "B", None, "ü", "aa", "a longer text than fits"]),
    (t.BOOLEAN, pl.Boolean(), [True, None, False]),
    (t.BINARY, pl.Binary(), [b"", b"a", None, b"\xff", b"a\x00"]),
    (t.DATE, pl.Date(), [dt.date(2020, 1, 1), None, dt.date(1, 1, 1), dt.date(1969, 12, 31)]),
    (
        t.TIMESTAMP,
        pl.Datetime("us", "UTC"),
        [dt.datetime(2020, 1, 1, tzinfo=UTC), None, dt.datetime(1969, 1, 1, 0, 0, 1, 1, UTC)],
    ),
    (t.DecimalType(10, 2), pl.Decimal(10, 2), [Decimal("1.25"), None, Decimal("-7.5"), Decimal(0)]),
    (t.ArrayType(t.INT), pl.List(pl.Int32()), [[1], [], None, [1, 2], [0]]),
]
WAYS = [(up, nulls) for up in (True, False) for nulls in (True, False, None)]


def channels(frame: pl.DataFrame, bounds: pl.DataFrame, node: Ranked) -> list[int]:
    found = states._ranked(
        node, [frame.lazy(), bounds.lazy()], Making(Settings(), [], 0, Extents([], []))
    )
    return found.collect()[node.channel.column].to_list()


def made(columns: list[int], ways: list[tuple[bool, bool | None]]) -> tuple[pl.DataFrame, Ranked]:
    """All combinations of the columns' values."""
    attrs = [Attr(f"c{at}", VALUES[at][0]) for at in columns]
    rows = list(itertools.product(*(VALUES[at][2] for at in columns)))
    frame = pl.DataFrame(
        rows, {a.column: VALUES[at][1] for a, at in zip(attrs, columns, strict=True)}, orient="row"
    )
    order = tuple(Order(a, up, nulls) for a, (up, nulls) in zip(attrs, ways, strict=True))
    slot = l.Slot(tuple(attrs), 0)
    return frame, Ranked(slot, l.Slot(tuple(attrs), 1), order, Attr("channel", t.LONG))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", range(len(VALUES)))
def test_one_key(
    column: int, way: tuple[bool, bool | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, node = made([column], [way])
    agree(frame, frame, node, monkeypatch)
    agree(frame, frame.head(0), node, monkeypatch)


@pytest.mark.parametrize("ways", list(itertools.product(WAYS[::2], WAYS[1::2])))
def test_two_keys(ways: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ([1, 2], [2, 0], [3, 7], [6, 1]):
        frame, node = made(columns, list(ways))
        agree(frame, frame.gather_every(5), node, monkeypatch)


@pytest.mark.parametrize("rows", [(90_000, 10_000), (500, 60_000, 3), (40, 50), (0, 7)])
def test_bounds_of_samples_cut_evenly(rows: tuple[int, ...]) -> None:
    """Partitions of different sizes, of values that come in order and again and again."""
    parts, key, weight = 4, Attr("k", t.LONG), Attr("weight", t.LONG)
    order = (Order(key, False),)
    slot = l.Slot((key,), 0)
    at = Making(Settings(), [], 0, Extents([], []))
    frames = [
        pl.DataFrame(
            {key.column: [n * 31 % 7919 + start for n in range(count)]},
            schema={key.column: pl.Int64},
        )
        for start, count in enumerate(rows)
    ]
    sampled = Sampled(slot, order, 100 * parts, weight)
    samples = [states._sampled(sampled, [frame.lazy()], at).collect() for frame in frames]
    assert all(each.height <= 100 * parts for each in samples)
    again = states._sampled(sampled, [frames[0].lazy()], at).collect()
    assert again.equals(samples[0])
    bounds = Bounds(l.Slot((key, weight), 0), order, parts, weight)
    cuts = states._bounds(bounds, [pl.concat(samples).lazy()], at).collect()
    ranked = Ranked(slot, l.Slot((key,), 1), order, Attr("channel", t.LONG))
    whole = pl.concat(frames)
    found = pl.Series(channels(whole, cuts, ranked)).value_counts()["count"].max()
    assert isinstance(found, int) and found <= max(2, 1.2 * whole.height / parts)


def agree(
    frame: pl.DataFrame, bounds: pl.DataFrame, node: Ranked, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = states._in_order(bounds, node.order)
    compared = channels(frame, bounds, node)
    with monkeypatch.context() as patched:
        patched.setattr(states, "_FEW_BOUNDS", -1)
        assert channels(frame, bounds, node) == compared
    ordered = states._in_order(frame.with_columns(pl.Series("x", compared)), node.order)
    assert ordered["x"].to_list() == sorted(compared)

"""Rows of windows: sorted and searched quickly, they are those of the slow and plain ways."""

from __future__ import annotations

import math
import random
from decimal import Decimal, localcontext
from typing import Any

import polars as pl
import pytest

from executors.relational import frames, reaching
from executors.relational.frames import END, PARTITION, PEER, PEER_END, START, Key
from planner.columns import types as t
from planner.columns.expressions import Frame, Literal, Order

PICK = random.Random(4)
NAN, INF = math.nan, math.inf
KEYS: dict[str, tuple[t.DataType, pl.DataType, list[Any], Any]] = {
    "int": (t.INT, pl.Int32(), [-5, -1, 0, 2, 3, 7, 7, 2**31 - 1, None], 3),
    "long": (t.LONG, pl.Int64(), [-(2**63), -1, 0, 5, 2**63 - 1, None], 6),
    "double": (t.DOUBLE, pl.Float64(), [-INF, -1.5, -0.0, 0.0, 0.5, 2.0, INF, NAN, None], 1.5),
    "decimal": (
        t.DecimalType(10, 2),
        pl.Decimal(10, 2),
        [Decimal(each) for each in ("-1.50", "0.00", "0.25", "3.00")] + [None],
        Decimal("0.25"),
    ),
    "wide": (
        t.DecimalType(38, 0),
        pl.Decimal(38, 0),
        [Decimal(10**30), Decimal(10**30 + 2), Decimal(-1), None],
        Decimal(2),
    ),
}


def order(kind: t.DataType, up: bool, nulls_first: bool) -> Order:
    return Order(Literal(None, kind), up, nulls_first)


def rank(value: Any) -> tuple[int, Any]:
    """Where a value is: NaN behind all numbers, -0.0 is 0.0."""
    return (1, 0) if isinstance(value, float) and math.isnan(value) else (0, value)


def by_hand(rows: list[tuple[int, Any]], at: int, offset: Any, up: bool, after: bool) -> int | None:
    """The first row of a partition past key + offset; None for a key that is NULL."""
    part, key = rows[at]
    if key is None:
        return None
    with localcontext(prec=40):
        target = rank(key + offset if up else key - offset)
    mine = [place for place, row in enumerate(rows) if row[0] == part]
    known = [place for place in mine if rows[place][1] is not None]
    for place in known:
        there = rank(rows[place][1])
        over = there > target if up else there < target
        if over or (there == target and not after):
            return place
    return (known[-1] if known else mine[-1]) + 1


@pytest.mark.parametrize("large", [0, 3, 4096])
@pytest.mark.parametrize("name", KEYS)
def test_offsets_reach_what_they_reach_by_hand(
    name: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "_LARGE", large)
    kind, dtype, values, step = KEYS[name]
    for up in (True, False):
        for lead in (True, False):
            parts = [PICK.randint(0, 4) for _ in range(40)]
            given = pl.DataFrame(
                {
                    "p": parts,
                    "k": pl.Series([PICK.choice(values) for _ in parts], dtype=dtype),
                    "v": 1,
                }
            )
            keys = [Key("p", False, True), Key("k", not up, lead)]
            rows = frames.located(given, keys, 1)
            plain = list(zip(rows["p"], rows["k"], strict=True))
            for offset in (step, -step):
                for after in (True, False):
                    peers = rows[PEER_END] if after else rows[PEER]
                    found = reaching.reached(
                        rows["k"],
                        (rows[START], rows[END]),
                        peers,
                        order(kind, up, lead),
                        Literal(offset, kind),
                        after,
                    )
                    expected = [by_hand(plain, at, offset, up, after) for at in range(len(plain))]
                    whole = [
                        peer if wanted is None else wanted
                        for peer, wanted in zip(peers, expected, strict=True)
                    ]
                    assert found.to_list() == whole, (up, lead, offset, after)


def test_quick_and_wide_search_agree() -> None:
    keys = pl.Series(sorted(PICK.randint(-50, 50) for _ in range(200)), dtype=pl.Int64)
    low = pl.Series([0] * 120 + [120] * 80, dtype=pl.Int64)
    high = pl.Series([120] * 120 + [200] * 80, dtype=pl.Int64)
    for up, some in ((True, keys), (False, keys.reverse())):
        moved = some + 7 if up else some - 7
        for after in (True, False):
            quick = reaching.search(some.to_numpy(), moved.to_numpy(), (low, low, high), up, after)
            wide = reaching.wide_search(some, moved, (low, high), up, after)
            assert quick.to_list() == wide.to_list()


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("lead", [True, False])
@pytest.mark.parametrize("down", [True, False])
def test_packed_keys_sort_as_polars_sorts(name: str, lead: bool, down: bool) -> None:
    _, dtype, values, _ = KEYS[name]
    given = pl.DataFrame(
        {
            "p": pl.Series([PICK.choice([None, "a", "ab", ""]) for _ in range(60)]),
            "k": pl.Series([PICK.choice(values) for _ in range(60)], dtype=dtype),
            "v": range(60),
        }
    ).with_columns(pl.col("k") + 0.0 if name == "double" else pl.col("k"))
    keys = [Key("p", False, True), Key("k", down, lead)]
    found = frames.located(given, keys, 1)
    sorted_, new, peers = frames._sorted(given, keys, 1)
    assert found["v"].to_list() == sorted_["v"].to_list()
    assert (found["#row"] == found[START]).to_list() == new.tolist()
    assert (found["#row"] == found[PEER]).to_list() == peers.tolist()
    assert found[PARTITION].to_list() == (new.cumsum() - 1).tolist()


@pytest.mark.parametrize("partitioned", [0, 1, 2, 3])
def test_keys_without_room_are_numbered_anew(partitioned: int) -> None:
    far = [-(2**40), -1, 0, 5, 2**40, None]
    given = pl.DataFrame(
        {name: [PICK.choice(far) for _ in range(90)] for name in "abc"} | {"v": range(90)},
        schema_overrides=dict.fromkeys("abc", pl.Int64),
    )
    keys = [Key("a", False, True), Key("b", True, False), Key("c", True, True)]
    packed = frames._packed(given, keys, partitioned, ())
    assert packed is not None
    sorted_, new, peers = frames._sorted(given, keys, partitioned)
    assert packed[0]["v"].to_list() == sorted_["v"].to_list()
    assert (packed[1] == new).all() and (packed[2] == peers).all()


def test_columns_that_nobody_asks_for_are_left_behind() -> None:
    given = pl.DataFrame({"p": [2, 1, 2], "k": [1, 1, 0], "v": [7, 8, 9]})
    keys = [Key("p", False, True), Key("k", False, True)]
    found = frames.located(given, keys, 1, ["p", "k"])
    assert found.columns[0] == "v" and found["v"].to_list() == [8, 9, 7]
    only = frames.located(given.drop("v"), keys, 1, ["p", "k"])
    assert only[START].to_list() == [0, 1, 1]


def test_which_frames_need_their_order_key() -> None:
    reach = frames.reaches
    assert reach(Frame("range", Literal(-2, t.INT), Literal(0, t.INT)))
    assert reach(Frame("range", None, Literal(1, t.INT)))
    assert not reach(Frame("range", None, Literal(0, t.INT)))
    assert not reach(Frame("rows", Literal(-2, t.INT), Literal(0, t.INT)))

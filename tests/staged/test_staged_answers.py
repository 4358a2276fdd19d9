"""In stages the answer is what it is in one task, however many partitions there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from contexts import make_context
from hand_made import (
    both,
    call,
    desc,
    engine_of,
    expr,
    group,
    join,
    lit,
    named,
    order,
    people,
    rows_of,
    select,
    table,
    where,
)

from minispark.context import SparkContext
from planner.columns import types as t
from planner.columns.expressions import Attr, Literal, Over
from planner.columns.functions.registry import TABLE, Aggregate
from planner.query import logical as l

NONE = group(where(people(50), call("<", "k", lit(-5))), [], call("sum", "n"), call("count", "k"))


def _small() -> l.Plan:
    return select(people(60, 2), named("k", "key"), named("f", "g"), named("id", "other"))


def _aggregates(keys: list[str]) -> l.Plan:
    return group(
        people(),
        keys,
        call("count", lit(1)),
        call("sum", "n"),
        call("avg", "d"),
        call("min", "s"),
        call("max", "f"),
        call("sum", "n", where=call(">", "n", lit(0))),
    )


def _union() -> l.Plan:
    left, right = select(people(), "k", "n"), select(people(40, 3), "n", "id")
    attrs = (Attr("k", t.LONG), Attr("n", t.LONG))
    return group(l.Union((left, right), attrs), ["k"], call("count", "n"))


def _set(kind: str, every: bool) -> l.Plan:
    left, right = select(people(), "k", "f"), select(people(300, 5), "k", "f")
    return l.SetOp(left, right, kind, every)


def _window() -> l.Plan:
    over = Over(call("sum", "n"), (expr("k"),), ())
    return select(people(), "id", "k", named(over, "total"))


def _distinct_on() -> l.Plan:
    plan = select(people(), "k", "s")
    return group(l.Distinct(plan), ["k"], call("count", lit(1)))


def _joined(kind: str, extra: bool = False) -> l.Plan:
    parts = [call("=", "k", "key")]
    if extra:
        parts.append(call("<", "id", "other"))
    return join(people(), _small(), both(*parts), kind)


def _two_keys() -> l.Plan:
    """The second join and the grouping need what the first join has moved by."""
    first = join(people(), _small(), call("=", "k", "key"))
    second = join(
        first, select(people(80, 7), named("k", "k3"), named("n", "n3")), call("=", "k", "k3")
    )
    return group(second, ["k"], call("count", "n3"))


PLANS: dict[str, Callable[[], l.Plan]] = {
    "filter": lambda: where(people(), both(call(">", "n", lit(0)), call("=", "b", lit(True)))),
    "grouped": lambda: _aggregates(["k"]),
    "grouped by fractions": lambda: _aggregates(["f"]),
    "grouped by two": lambda: _aggregates(["s", "b"]),
    "one row": lambda: _aggregates([]),
    "one row of none": lambda: NONE,
    "groups of none": lambda: group(
        where(people(), call("<", "k", lit(-5))), ["s"], call("count", "k")
    ),
    "distinct values": lambda: group(
        people(), ["k"], call("count", "s", distinct=True), call("sum", "n")
    ),
    "distinct rows": lambda: l.Distinct(select(people(), "k", "f", "s")),
    "distinct, then groups": _distinct_on,
    "union": _union,
    "intersect": lambda: _set("intersect", False),
    "except": lambda: _set("except", False),
    "intersect all": lambda: _set("intersect", True),
    "except all": lambda: _set("except", True),
    "window": _window,
    "two keys": _two_keys,
    "theta join": lambda: join(people(60), _small(), call("<", "k", "key")),
    "cross join": lambda: join(people(30), _small(), None, "cross"),
    "join on an expression": lambda: join(
        people(), _small(), call("=", call("+", "k", lit(1)), "key")
    ),
    "limit of nothing": lambda: l.Limit(people(), 0),
    "count of a limit": lambda: group(l.Limit(people(), 33), [], call("count", lit(1))),
    "coalesced": lambda: l.Repartition(people(), 2, (), False),
    "dealt": lambda: l.Repartition(people(), 5),
    "by hash": lambda: l.Repartition(people(), 5, (people().output[1],)),
}
for kind in ("inner", "left", "right", "full", "semi", "anti"):
    PLANS[f"{kind} join"] = lambda kind=kind: _joined(kind)  # type: ignore[misc]
    PLANS[f"{kind} join with more"] = lambda kind=kind: _joined(kind, True)  # type: ignore[misc]
PLANS["by hash"] = lambda: _by_hash()


def _by_hash() -> l.Plan:
    plan = people()
    return l.Repartition(plan, 5, (plan.output[1],))


ORDERED: dict[str, Callable[[], l.Plan]] = {
    "sorted": lambda: order(people(), desc("f"), "k", "id"),
    "sorted by NULLs": lambda: order(people(), "k", desc("s"), "id"),
    "sorted by an expression": lambda: order(people(), call("+", "k", lit(3)), "id"),
    "the first": lambda: l.Limit(order(people(), desc("n"), "id"), 7, 3),
    "after some": lambda: l.Limit(order(people(), desc("n"), "id"), None, 490),
    "the last": lambda: l.Tail(order(people(), desc("n"), "id"), 5),
    "by range": lambda: _by_range(),
}


def _by_range() -> l.Plan:
    plan = people()
    keys = order(plan, "k", "id")
    assert isinstance(keys, l.Sort)
    return l.Sort(l.Repartition(plan, 4, keys.order), keys.order)


@pytest.fixture(scope="module")
def inline(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("inline[2]", request)
    yield context
    context.stop()


@pytest.mark.parametrize("name", [*PLANS, *ORDERED])
def test_stages_give_the_same(
    name: str, inline: SparkContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = name in ORDERED
    plan = (ORDERED if ordered else PLANS)[name]()
    fused = rows_of(engine_of(inline, mode="always").table(plan), ordered)
    for partitions in (1, 3, 8):
        for broadcast in ("-1", "10m"):
            if "join" not in name and broadcast != "-1":
                continue
            engine = engine_of(inline, mode="never", partitions=partitions, broadcast=broadcast)
            how = replace(engine.lowering(engine.settings), sort_bytes=0)  # sorts are by range
            monkeypatch.setattr(engine, "lowering", lambda settings, how=how: how)
            assert rows_of(engine.table(plan), ordered) == fused, (partitions, broadcast)


def _in_steps() -> list[str]:
    """Aggregates that have steps."""
    return sorted(
        name
        for name, entry in TABLE.items()
        if isinstance(entry, Aggregate) and entry.partial is not None
    )


def test_the_page_of_aggregates_has_them_all() -> None:
    page = (Path(__file__).parents[2] / "docs" / "aggregates.md").read_text()
    rows = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    steps = {name for row in rows if len(row) == 4 for name in row[0].strip().split(", ")}
    whole = {
        name: row[1].removesuffix(" ")
        for row in rows
        if len(row) == 2
        for name in row[0].strip().split(", ")
    }
    assert steps - {"aggregate"} == set(_in_steps())
    assert {name: why for name, why in whole.items() if name != "aggregate"} == {
        name: entry.whole
        for name, entry in TABLE.items()
        if isinstance(entry, Aggregate) and entry.whole not in ("", "it is not there")
    }


@pytest.mark.parametrize("name", _in_steps())
def test_aggregates_in_steps(name: str, inline: SparkContext) -> None:
    plan = select(people(200), "id", "k", "b", "n", named(call("*", "n", "n"), "m"))
    columns = (
        ["b"] if name in ("bool_and", "every", "bool_or", "some", "any", "count_if") else ["n"]
    )
    if name in ("corr", "covar_pop", "covar_samp") or name.startswith("regr_"):
        columns = ["m", "n"]
    if name in ("first", "first_value", "last", "last_value", "any_value"):
        columns = ["k"]  # of a group it is always the same
    if name in ("max_by", "min_by"):
        columns = ["n", "id"]
    if name == "product":
        plan = where(plan, call("<", "id", lit(30)))
    value = call(name, *columns)
    for keys in (["k"], []):
        if not keys and columns == ["k"]:
            continue
        asked = group(plan, keys, value)
        fused = rows_of(engine_of(inline, mode="always").table(asked))
        staged = engine_of(inline, mode="never", partitions=3).table(asked)
        assert rows_of(staged) == fused, (name, keys)


@pytest.mark.parametrize(
    ("kind", "every", "expected"),
    [
        ("intersect", False, {"nan": 1, None: 1, 0.0: 1}),
        ("intersect", True, {"nan": 1, None: 2, 0.0: 1}),
        ("except", False, {1.0: 1}),
        ("except", True, {"nan": 1, 1.0: 2, 0.0: 1}),
    ],
)
@pytest.mark.parametrize("mode", ["always", "never"])
def test_set_operations(
    kind: str, every: bool, expected: dict[object, int], mode: str, inline: SparkContext
) -> None:
    """NULL equals NULL, NaN equals NaN, and 0.0 equals -0.0."""
    nan = float("nan")
    left = table(x=pa.array([nan, nan, None, None, 0.0, -0.0, 1.0, 1.0], pa.float64()))
    right = table(x=pa.array([nan, None, None, None, -0.0, 2.0], pa.float64()))
    engine = engine_of(inline, mode=mode, partitions=3)
    rows = [row[0] for row in rows_of(engine.table(l.SetOp(left, right, kind, every)))]
    assert {value: rows.count(value) for value in rows} == expected


def test_literal_columns_only(inline: SparkContext) -> None:
    plan = select(people(10), Literal(1, t.INT))
    assert engine_of(inline, mode="never", partitions=3).table(plan).num_rows == 10

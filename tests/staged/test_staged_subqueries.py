"""NOT IN and scalar subqueries in stages: the joins in which one row concerns all others."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from contexts import make_context
from hand_made import engine_of, table

from minispark.context import SparkContext
from minispark.errors import SparkRuntimeException
from minispark.sql.engine import QueryEngine
from planner.columns import types as t
from planner.query import logical as l

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sql_queries"))
from tpch_tables import Tables  # noqa: E402

WAYS = [(parts, broadcast) for parts in (1, 3, 8) for broadcast in ("-1", "10m")]
INTS = pa.int32()


def of(*values: Any) -> l.Table:
    """Rows (n, its value), one for each value."""
    return table(pa.table({"n": pa.array(range(len(values)), INTS), "v": pa.array(values, INTS)}))


PLAIN = [*range(20), 3, 3]
OUTER = {"plain": PLAIN, "with NULL": [*PLAIN, None, None], "none": [], "only NULL": [None] * 9}
INNER = {
    "plain": [3, 5, 5, *range(100, 130)],
    "with NULL": [3, None, *range(100, 130)],
    "none": [],
    "only NULL": [None] * 9,
    "one": [7],
}


@pytest.fixture(scope="module")
def inline(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("inline[2]", request)
    yield context
    context.stop()


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]} {way[1]}")
def engine(request: pytest.FixtureRequest, inline: SparkContext) -> QueryEngine:
    parts, broadcast = request.param
    return engine_of(inline, mode="never", partitions=parts, broadcast=broadcast)


def found(engine: QueryEngine, text: str, **tables: l.Plan) -> list[tuple[Any, ...]]:
    """The rows of a query, sorted."""
    answer = engine.table(Tables(tables).plan(text))
    return sorted((tuple(row.values()) for row in answer.to_pylist()), key=repr)


def not_in(value: Any, others: list[Any]) -> bool:
    """Whether NOT IN is true, by SQL's logic of three values."""
    if not others:
        return True
    return value is not None and None not in others and value not in others


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
def test_not_in(outer: str, inner: str, engine: QueryEngine) -> None:
    ours, theirs = OUTER[outer], INNER[inner]
    text = "select n, v from a where v not in (select v from b)"
    wanted = [(n, v) for n, v in enumerate(ours) if not_in(v, theirs)]
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == sorted(wanted, key=repr)


def test_not_in_of_matching_rows_only(engine: QueryEngine) -> None:
    """A correlated one: only the NULLs of its own group count."""
    text = "select n from a where v not in (select v from b where b.n % 4 = a.n % 4)"
    ours, theirs = [*range(30), None], [1, 2, None, 3, *range(40, 60), 6, 7, 8]
    wanted = [
        (n,)
        for n, v in enumerate(ours)
        if not_in(v, [w for m, w in enumerate(theirs) if m % 4 == n % 4])
    ]
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == sorted(wanted, key=repr)


def test_not_in_of_two_columns(engine: QueryEngine) -> None:
    text = "select n from a where (n, v) not in (select n, v from b where n > 2)"
    ours, theirs = [0, 1, 2, None, 4, None, 6, 7], [9, 9, 9, 5, 4, 5, None, 8, None]
    pairs = [(m, w) for m, w in enumerate(theirs) if m > 2]

    def same(n: int, v: int | None, m: int, w: int | None) -> bool | None:
        if n != m:
            return False
        return None if v is None or w is None else v == w

    wanted = [(n,) for n, v in enumerate(ours) if all(same(n, v, m, w) is False for m, w in pairs)]
    assert wanted and len(wanted) < len(ours)
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == wanted


@pytest.mark.parametrize("inner", INNER)
def test_in_as_a_value(inner: str, engine: QueryEngine) -> None:
    """What is unknown is false there, as in PySpark."""
    ours, theirs = OUTER["with NULL"], INNER[inner]
    text = "select n, v in (select v from b) as x, v not in (select v from b) as y from a"
    wanted = [(n, v is not None and v in theirs, not_in(v, theirs)) for n, v in enumerate(ours)]
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == sorted(wanted, key=repr)


# ---- scalar subqueries ---------------------------------------------------------------------------


@pytest.mark.parametrize(("inner", "wanted"), [([7], 7), ([], None), ([None], None)])
def test_one_value_for_all(inner: list[Any], wanted: int | None, engine: QueryEngine) -> None:
    text = "select n, (select v from b) as x from a"
    assert found(engine, text, a=of(*PLAIN), b=of(*inner)) == sorted(
        ((n, wanted) for n in range(len(PLAIN))), key=repr
    )
    below = "select n from a where v < (select v from b)"
    kept = [(n,) for n, v in enumerate(PLAIN) if wanted is not None and v < wanted]
    assert found(engine, below, a=of(*PLAIN), b=of(*inner)) == sorted(kept, key=repr)


def test_two_values_are_an_error(engine: QueryEngine) -> None:
    for inner in ([1, 2], [5, 5], [None, None], list(range(40))):
        with pytest.raises(SparkRuntimeException) as raised:
            found(engine, "select (select v from b) as x from a", a=of(1), b=of(*inner))
        assert raised.value.getErrorClass() == "SCALAR_SUBQUERY_TOO_MANY_ROWS"


def test_a_value_for_each_group(engine: QueryEngine) -> None:
    text = "select n, (select max(v) from b where b.n % 5 = a.v % 7) as x from a"
    ours, theirs = [*range(25), None], [None, 4, None, 9, 2, None, 8, 1]
    wanted = []
    for n, v in enumerate(ours):
        some = [
            w for m, w in enumerate(theirs) if v is not None and m % 5 == v % 7 and w is not None
        ]
        wanted.append((n, max(some, default=None)))
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == sorted(wanted, key=repr)


def test_a_count_of_no_rows_is_zero(engine: QueryEngine) -> None:
    text = "select n, (select count(*) from b where b.v = a.v) as x from a"
    ours, theirs = [1, 2, None, 4], [1, 1, None, 4]
    assert found(engine, text, a=of(*ours), b=of(*theirs)) == [(0, 2), (1, 0), (2, 0), (3, 1)]


def test_two_values_of_one_group_are_an_error(engine: QueryEngine) -> None:
    """Only where a row asks for that group."""
    text = "select n, (select n from b where b.v = a.v) as x from a"
    theirs = of(5, 6, 6, None, None, 8)
    assert found(engine, text, a=of(5, 8, 1, None), b=theirs) == [
        (0, 0), (1, 5), (2, None), (3, None)
    ]  # fmt: skip
    with pytest.raises(SparkRuntimeException) as raised:
        found(engine, text, a=of(5, 6), b=theirs)
    assert raised.value.getErrorClass() == "SCALAR_SUBQUERY_TOO_MANY_ROWS"


@pytest.mark.parametrize("kind", ["null-aware anti", "single"])
def test_plans_have_these_joins(kind: str) -> None:
    """What the tests above are about is what they test."""
    text = {
        "null-aware anti": "select n from a where v not in (select v from b)",
        "single": "select n, (select n from b where b.v = a.v) as x from a",
    }[kind]
    plan = Tables({"a": of(1), "b": of(2)}).plan(text)
    assert kind in {node.kind for node in l.walk(plan) if isinstance(node, l.Join)}
    assert plan.output[0].kind == t.INT

"""Aggregates of distinct values in stages: what is equal is put together before it is moved."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from contexts import Recorder, make_context
from hand_made import engine_of, people, rows_of

from minispark.context import SparkContext
from planner import events as ev
from planner.columns import types as t
from planner.columns.expressions import Attr
from planner.columns.functions.registry import TABLE, Aggregate
from planner.partitioning import HashColumns, Single
from planner.plan import Exchange, walk
from planner.query import logical as l

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sql_queries"))
from tpch_tables import Tables  # noqa: E402

TEXTS = {
    "one of all": "select count(distinct s) from t",
    "one of each group": "select k, count(distinct s) from t group by k",
    "with others": "select k, count(distinct s), sum(n), avg(d), count(*), max(f) "
    "from t group by k",
    "with others of all": "select count(distinct k), sum(distinct n), sum(n), avg(f) from t",
    "of two columns": "select k, count(distinct s, b), count(s) from t group by k",
    "the group itself": "select k, count(distinct k), count(distinct s), count(*) "
    "from t group by k",
    "three sets": "select b, count(distinct s), sum(distinct n), count(distinct s, k), min(n) "
    "from t group by b",
    "three sets of all": "select count(distinct s), sum(distinct n), avg(distinct d), sum(n) "
    "from t",
    "fractions": "select b, count(distinct f), sum(distinct f), min(distinct f) from t group by b",
    "some rows": "select k, count(distinct s) filter (where n > 0), sum(n) filter (where n < 9), "
    "count(distinct s) from t group by k",
    "an expression": "select k % 3, count(distinct n % 7), sum(distinct n + id) "
    "from t group by k % 3",
    "of nothing": "select count(distinct s), sum(n), avg(distinct n), stddev(n) "
    "from t where n > 999",
    "of no group": "select k, count(distinct s), sum(n) from t where n > 999 group by k",
    "rollup": "select k, b, count(distinct s), count(distinct n), sum(n) from t "
    "group by rollup(k, b)",
    "cube": "select b, s, count(distinct k), count(*) from t group by cube(b, s)",
    "grouping sets": "select b, k, count(distinct s, n), grouping(b) from t "
    "group by grouping sets ((b, k), (b), ())",
    "with one that needs all rows": "select b, count(distinct s), percentile(n, 0.5) "
    "from t group by b",
    "over a join": "select t.k, count(distinct u.s), sum(u.n) "
    "from t join u on t.k = u.k group by t.k",
}


@pytest.fixture(scope="module")
def inline(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("inline[2]", request)
    yield context
    context.stop()


def plan_of(text: str, rows: int = 400) -> l.Plan:
    return Tables({"t": people(rows), "u": people(60, 2)}).plan(text)


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_in_stages(name: str, inline: SparkContext) -> None:
    plan = plan_of(TEXTS[name])
    fused = rows_of(engine_of(inline, mode="always").table(plan))
    for partitions in (1, 3, 8):
        engine = engine_of(inline, mode="never", partitions=partitions)
        assert rows_of(engine.table(plan)) == fused, partitions


def _beside() -> list[str]:
    """Aggregates that have steps, and whose value does not hang on the order of rows."""
    loose = {"first", "first_value", "last", "last_value", "any_value", "max_by", "min_by"}
    return sorted(
        name
        for name, entry in TABLE.items()
        if isinstance(entry, Aggregate) and entry.partial is not None and name not in loose
    )


@pytest.mark.parametrize("keys", ["b", ""])
def test_every_aggregate_beside_distinct_values(keys: str, inline: SparkContext) -> None:
    """In one query: states that come from the rows of another set must count for nothing."""
    calls = []
    for name in _beside():
        two = name in ("corr", "covar_pop", "covar_samp") or name.startswith("regr_")
        logic = name in ("bool_and", "every", "bool_or", "some", "any", "count_if")
        value = "m, n" if two else "n > 0" if logic else "n % 2" if name == "product" else "n"
        calls.append(f"{name}({value})")
    columns = f"{keys + ', ' if keys else ''}count(distinct s), sum(distinct k), {', '.join(calls)}"
    source = "(select *, n * n as m from t where id < 60)"
    plan = plan_of(f"select {columns} from {source} {'group by ' + keys if keys else ''}")
    fused = rows_of(engine_of(inline, mode="always").table(plan))
    engine = engine_of(inline, mode="never", partitions=3)
    for row, other in zip(rows_of(engine.table(plan)), fused, strict=True):
        assert row == other


def exchanges(plan: l.Plan, inline: SparkContext, **more: object) -> list[Exchange]:
    engine = engine_of(inline, mode="never", partitions=4)
    node = engine.physical(plan)
    return [each for each in walk(node) if isinstance(each, Exchange)]


def test_few_groups_are_shared_out_by_value(inline: SparkContext) -> None:
    """By (group, value) first: with no group, or two, one task would have all the rows."""
    first, second = exchanges(plan_of("select count(distinct id), sum(n) from t"), inline)
    assert first.partitioning == HashColumns(4, (0,)) and isinstance(second.partitioning, Single)
    first, second = exchanges(plan_of("select b, count(distinct id) from t group by b"), inline)
    assert first.partitioning == HashColumns(4, (0, 1))
    assert second.partitioning == HashColumns(4, (0,))


def _scan(rows: int, **most: int) -> l.Scan:
    attrs = tuple(Attr(name, t.LONG) for name in most)
    spans = tuple((name, 0.0, float(value)) for name, value in most.items())
    slices = tuple(l.FileSlice(f"part-{at}", rows // 4, rows * 4) for at in range(4))
    return l.Scan("parquet", attrs, slices, spans=spans)


def test_many_groups_are_moved_once(inline: SparkContext) -> None:
    """What is equal is put together before, if that leaves fewer rows."""
    text = "select g, count(distinct v) from t group by g"
    engine = replace(engine_of(inline, mode="never").lowering(engine_of(inline).settings))
    assert engine.staged
    for most, word in ((9, "Finished"), (10**6, "Aggregate")):
        plan = Tables({"t": _scan(10**6, g=9_999, v=most)}).plan(text)
        only = exchanges(plan, inline)
        assert [each.partitioning for each in only] == [HashColumns(4, (0,))]
        picture = engine_of(inline, mode="never", partitions=4).explain(plan)
        assert word in picture
        assert ("Partial" in picture) == (word == "Finished")


def test_fewer_rows_are_moved(inline: SparkContext) -> None:
    """Few different values of many rows: no task sends more than there are of them."""
    listener = Recorder()
    inline._session.add_listener(listener)
    rows = 20_000
    plan = plan_of("select b, count(distinct k), sum(n) from t group by b", rows)
    engine = engine_of(inline, mode="never", partitions=4)
    found = engine.table(plan)
    assert found.num_rows == 3
    sent = [n.report.rows_out for n in listener.of(ev.TaskEnded)]
    assert max(sent) <= 3 * 21 and sum(sent) < rows // 50

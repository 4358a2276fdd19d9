"""Joins that were planned with two shuffles, of which one turns out not to be needed; and how the
plan is shown before and after such a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contexts import Recorder, make_context
from hand_made import (
    call,
    engine_of,
    group,
    join,
    named,
    order,
    people,
    rows_of,
    select,
    table,
    where,
)
from histories import History, kill_each, lose_each

from executors.blockio import BlockMissing
from executors.runloop import JobHandle
from minispark import chaos
from minispark.context import SparkContext
from minispark.sql import SparkSession
from minispark.sql import functions as f
from minispark.sql.engine import QueryEngine
from planner import events as ev
from planner.query import logical as l

WIDE = 8
SETTINGS = {"mode": "never", "partitions": WIDE, "broadcast": "-1", "adaptive": True}


@pytest.fixture(scope="module")
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context("inline[2]", request)
    yield found
    found.stop()


@pytest.fixture
def heard(context: SparkContext) -> Iterator[Recorder]:
    found = Recorder()
    context._session.add_listener(found)
    yield found
    context._session.remove_listener(found)


def widths(heard: Recorder) -> list[int]:
    """Tasks of each stage, in the order in which the stages began."""
    tasks: dict[int, set[int]] = {}
    for stage, partition in heard.starts():
        tasks.setdefault(stage, set()).add(partition)
    return [len(partitions) for partitions in tasks.values()]


def few() -> l.Plan:
    """Rows of which the planner believes that there are more: a condition on both columns."""
    right = select(people(300, 2), named("k", "key"), named("n", "m"), named("s", "t"))
    return where(right, call("<", call("+", "key", "m"), 20))


def many() -> l.Plan:
    return people(2_000)


def matched(kind: str = "inner") -> l.Plan:
    left, right = (few(), many()) if kind == "right" else (many(), few())
    keys = ("key", "k") if kind == "right" else ("k", "key")
    return join(left, right, call("=", *keys), kind)


def three_tables() -> l.Plan:
    """The large side of a join is a join by another key, of which one side is small too."""
    names = select(people(200, 3), named("n", "number"), named("s", "u"))
    inner = join(
        many(), where(names, call(">", call("*", "number", 2), 10)), call("=", "n", "number")
    )
    return join(inner, few(), call("=", "k", "key"))


PLANS: dict[str, Callable[[], l.Plan]] = {
    "groups of a join": lambda: group(matched(), ["s"], call("sum", "m"), call("count", "id")),
    "a left join": lambda: group(matched("left"), ["t"], call("sum", "n")),
    "a right join": lambda: group(matched("right"), ["s"], call("sum", "m")),
    "a semi join": lambda: group(matched("semi"), ["s"], call("sum", "n")),
    "an anti join": lambda: group(matched("anti"), ["s"], call("sum", "n")),
    "the join itself": lambda: select(matched(), "id", "m", "t"),
    "sort of a join": lambda: order(select(matched(), "id", "m"), "id", "m"),
    "a join of a join": lambda: group(three_tables(), ["u"], call("count", "m")),
}
SAVED = {"a join of a join": 2}  # shuffles that are not needed, where it is not one


def answer(engine: QueryEngine, plan: l.Plan, lose: str | None) -> list[Any]:
    if lose is None:
        return rows_of(engine.table(plan))
    at = {"block": "in fetch", "written block": "after write", "executor": "in fetch"}[lose]
    made = chaos.kill_executor if lose == "executor" else chaos.lose_shuffle_block
    with made(at=at, when=lambda info: info.writes_shuffle or at == "in fetch") as fault:
        found = rows_of(engine.table(plan))
    assert fault.count == 1
    return found


@pytest.mark.parametrize("lose", [None, "block", "written block", "executor"])
@pytest.mark.parametrize("name", PLANS)
def test_a_small_side_is_read_whole_and_the_large_one_stays(
    name: str, lose: str | None, context: SparkContext, heard: Recorder
) -> None:
    plan = PLANS[name]()
    expected = rows_of(engine_of(context, mode="always").table(plan))
    counts = []
    for measured in ("-1", "100k"):
        heard.clear()
        engine = engine_of(context, **SETTINGS, measured=measured)
        assert answer(engine, plan, lose) == expected
        counts.append(len(widths(heard)))
    before, after = counts
    assert before - after == SAVED.get(name, 1)
    text = engine.explain(plan)
    assert text.count("every task reads all of it") == SAVED.get(name, 1)
    assert text.count("[read whole by every task]") == SAVED.get(name, 1)
    initial, final = text.split("== Final Plan ==")
    assert "== Initial Plan ==" in initial
    assert initial.count("Exchange") - final.count("Exchange") == SAVED.get(name, 1)


def test_beside_a_much_larger_side_the_limit_is_higher_unless_it_is_the_users(
    context: SparkContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minispark.sql.engine._SENT", "1")
    large = people(20_000)
    plan = group(join(large, few(), call("=", "k", "key")), ["s"], call("sum", "m"))
    found = []
    for limit in ({}, {"measured": "1"}, {"broadcast": "1"}):
        engine = engine_of(context, mode="never", partitions=WIDE, adaptive=True, **limit)
        rows = rows_of(engine.table(plan))
        found.append((engine.explain(plan).count("every task reads all of it"), rows))
    assert [changes for changes, _ in found] == [1, 0, 0]
    assert found[0][1] == found[1][1] == found[2][1]


@pytest.mark.parametrize("lose", [None, "block"])
@pytest.mark.parametrize("kind", ["full", "left"])
def test_what_every_task_must_not_have_alone_is_shuffled(
    kind: str, lose: str | None, context: SparkContext
) -> None:
    """A small side of which unmatched rows are in the answer: each only once."""
    found = join(few(), many(), call("=", "key", "k"), kind)
    plan = group(found, ["t"], call("count", "id"), call("count", "m"))
    expected = rows_of(engine_of(context, mode="always").table(plan))
    engine = engine_of(context, **SETTINGS, measured="100k")
    assert answer(engine, plan, lose) == expected
    assert "every task reads" not in engine.explain(plan)


def test_groups_by_the_key_of_the_join_count_on_the_shuffle(context: SparkContext) -> None:
    """They are made in the stage of the join, where all rows of a key have to be."""
    plan = group(matched(), ["k"], call("sum", "m"))
    expected = rows_of(engine_of(context, mode="always").table(plan))
    engine = engine_of(context, **SETTINGS, measured="100k")
    assert rows_of(engine.table(plan)) == expected
    assert "every task reads" not in engine.explain(plan)


def test_a_side_that_each_task_would_compute_otherwise_is_shuffled(context: SparkContext) -> None:
    """It is grouped in the stage of the join, and every task would take another one's first row."""
    for name, whole in (("first", False), ("max", True)):
        one = group(people(300, 2), ["k"], call(name, "n"))
        one = select(one, named("k", "key"), named(f"{name}(n)", "m"))
        plan = select(join(many(), one, call("=", "k", "key")), "id", "m")
        engine = engine_of(context, **SETTINGS, measured="100k")
        assert engine.table(plan).num_rows == engine_of(context, mode="always").table(plan).num_rows
        assert ("every task reads all of it" in engine.explain(plan)) == whole, name


def test_a_side_that_is_too_large_is_shuffled(context: SparkContext, heard: Recorder) -> None:
    plan = PLANS["groups of a join"]()
    expected = rows_of(engine_of(context, mode="always").table(plan))
    counts = []
    for measured in ("-1", "2k"):  # it has more, and by estimation less than 16k
        heard.clear()
        engine = engine_of(context, **SETTINGS, measured=measured)
        assert rows_of(engine.table(plan)) == expected
        counts.append(widths(heard))
    assert len(counts[0]) == len(counts[1])
    assert "every task reads" not in engine.explain(plan)


def test_a_hint_for_a_shuffle_is_followed(context: SparkContext) -> None:
    plan = join(many(), l.Hint(few(), "merge"), call("=", "k", "key"))
    engine = engine_of(context, **SETTINGS, measured="100k")
    engine.table(plan)
    assert "every task reads" not in engine.explain(plan)


def test_a_large_side_in_one_partition_is_spread_for_the_tasks(context: SparkContext) -> None:
    """Staying where it is would leave the work of the join to one task of eight."""
    plan = join(l.Limit(many(), 1_500), few(), call("=", "k", "key"))
    engine = engine_of(context, **SETTINGS, measured="100k")
    engine.table(plan)
    text = engine.explain(plan)
    assert "every task reads" not in text, text


def test_a_kept_large_side_is_read_where_it_is(context: SparkContext) -> None:
    part = where(many(), call(">", "id", 3))
    plan = group(join(part, few(), call("=", "k", "key")), ["s"], call("sum", "m"))
    expected = rows_of(engine_of(context, mode="always").table(plan))
    engine = engine_of(context, **SETTINGS, measured="100k")
    assert engine.cache(part)
    try:
        for lose in (None, "executor", None):
            assert answer(engine, plan, lose) == expected
            assert "every task reads" in engine.explain(plan)
    finally:
        engine.unpersist(part, blocking=True)


def test_a_lost_part_of_the_answer_is_made_as_it_was(
    context: SparkContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks of a changed stage have other rows than those that were planned."""
    plan = PLANS["the join itself"]()
    engine = engine_of(context, **SETTINGS, measured="100k")
    expected = rows_of(engine.table(plan))
    read, come = JobHandle.rows, []

    def some_gone(handle: JobHandle, result: Any) -> list[Any]:
        come.append(result)
        if len(come) in (2, 5):
            raise BlockMissing("gone with its node")
        return read(handle, result)

    monkeypatch.setattr(JobHandle, "rows", some_gone)
    assert rows_of(engine.table(plan)) == expected
    assert len(come) == WIDE + 2
    assert "every task reads" in engine.explain(plan)


# ---- before and after ----------------------------------------------------------------------------


def sections(text: str) -> dict[str, str]:
    """The parts of an explain by their titles."""
    parts = text.split("== ")[1:]
    return dict(part.split(" ==\n", 1) for part in parts)


@pytest.mark.parametrize("lose", [None, "block"])
def test_partitions_read_together_are_shown(lose: str | None, context: SparkContext) -> None:
    plan = group(matched(), ["s"], call("sum", "m"))
    engine = engine_of(context, **SETTINGS, measured="-1")
    assert "== Final Plan ==" not in engine.explain(plan)
    answer(engine, plan, lose)
    found = sections(engine.explain(plan))
    assert "(8) Partial" in found["Initial Plan"]
    assert "(1) Partial" in found["Final Plan"]
    assert "8 partitions of" in found["Final Plan"] and "read by 1 tasks" in found["Final Plan"]
    assert "8 partitions of" not in found["Initial Plan"]


def skewed(count: int = 20_000) -> tuple[l.Plan, dict[str, Any]]:
    """One key has nearly all rows of the left side; and settings for which that is too much."""
    rows = range(count)
    left = table(k=[7 if n % 50 else n for n in rows], n=list(rows))
    right = select(table(key=list(range(40)), m=list(range(40))), "key", "m")
    plan = group(join(left, right, call("=", "k", "key")), ["n"], call("count", "k"))
    sizes = {"least": 1, "advised": count, "skewed": count * 3 // 2}
    return plan, {**sizes, "measured": "-1", "merges": False}


@pytest.mark.parametrize("lose", [None, "block"])
def test_a_split_partition_is_shown(lose: str | None, context: SparkContext) -> None:
    plan, sizes = skewed()
    engine = engine_of(context, **SETTINGS, **sizes)
    expected = rows_of(engine_of(context, mode="always").table(plan))
    assert answer(engine, plan, lose) == expected
    final = sections(engine.explain(plan))["Final Plan"]
    assert "8 partitions of" in final and "of them" in final, final


def test_a_plan_that_nothing_changed_is_shown_once(context: SparkContext) -> None:
    engine = engine_of(context, **{**SETTINGS, "adaptive": False})
    plan = group(matched(), ["s"], call("sum", "m"))
    engine.table(plan)
    assert list(sections(engine.explain(plan))) == ["Physical Plan"]


def test_merging_and_splitting_can_be_switched_off(context: SparkContext, heard: Recorder) -> None:
    plan, sizes = skewed()
    engine = engine_of(context, **SETTINGS, **sizes, splits=False)
    engine.table(plan)
    assert widths(heard) == [WIDE] * 4
    assert "Final Plan" not in engine.explain(plan)


# ---- exactly what runs again after a change ------------------------------------------------------


CHANGED: dict[str, Callable[[], tuple[l.Plan, dict[str, Any]]]] = {
    "one side is not shuffled": lambda: (PLANS["groups of a join"](), {"measured": "100k"}),
    "small partitions are read together": lambda: (
        PLANS["groups of a join"](),
        {"measured": "-1"},
    ),
    "a large partition is split": lambda: skewed(3_000),
}


@pytest.mark.parametrize("harm", [kill_each, lose_each])
@pytest.mark.parametrize("change", CHANGED)
def test_every_loss_after_a_change(
    change: str, harm: Callable[..., int], request: pytest.FixtureRequest, context: SparkContext
) -> None:
    """A worker dies, or a block of a measured stage is lost, in each task: the plan that measured
    sizes made stays what it is, and only what was lost and who missed it run again."""
    plan, sizes = CHANGED[change]()
    engine = engine_of(context, **{**SETTINGS, "partitions": 3}, **sizes)
    expected = rows_of(engine_of(context, mode="always").table(plan))
    history = History(context._session, blocks_die=True)
    request.addfinalizer(history.end)

    def ask() -> str:
        assert rows_of(engine.table(plan)) == expected
        return sections(engine.explain(plan))["Final Plan"]

    assert harm(history, context, ask) >= (18 if harm is kill_each else 11)
    words = {"one": "not shuffled", "small": "read by 1 tasks", "a": "of them"}
    assert words[change.split()[0]] in ask()


# ---- whose settings ------------------------------------------------------------------------------


def test_each_session_has_its_own_settings(context: SparkContext, heard: Recorder) -> None:
    """Whichever was made last."""
    plan = group(matched(), ["s"], call("sum", "m"))
    merging = engine_of(context, **SETTINGS, measured="-1")
    joining = engine_of(context, **SETTINGS, measured="100k")
    still = engine_of(context, **{**SETTINGS, "adaptive": False})
    found = []
    for engine in (merging, joining, still, merging):
        heard.clear()
        engine.table(plan)
        found.append(widths(heard))
    assert found[0] == found[3] == [WIDE, WIDE, 1, WIDE]
    assert found[1] == [WIDE, WIDE, WIDE]
    assert found[2] == [WIDE] * 4


def test_a_dataframe_shows_what_happened(
    context: SparkContext, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    spark = SparkSession(context)
    for key, value in (
        ("minispark.sql.singleNode", "never"),
        ("spark.sql.autoBroadcastJoinThreshold", "-1"),
        ("spark.sql.adaptive.autoBroadcastJoinThreshold", "100k"),
    ):
        spark.conf.set(key, value)
    large = spark.range(0, 4_000, 1, 4).withColumn("k", f.col("id") % 50)
    small = spark.range(0, 200, 1, 2).where("id * 3 % 7 = 1").select(f.col("id").alias("key"))
    both = large.join(small, f.col("k") == f.col("key"))
    both.explain()
    assert "Final Plan" not in capsys.readouterr().out
    rows = both.collect()
    assert len(rows) == sum(80 for key in range(50) if key * 3 % 7 == 1)
    both.explain()
    shown = capsys.readouterr().out
    assert "== Initial Plan ==" in shown and "== Final Plan ==" in shown
    assert "the other side is not shuffled" in shown

    heard = Recorder()
    context._session.add_listener(heard)
    both.write.parquet(str(tmp_path / "out"))
    context._session.remove_listener(heard)
    assert len(heard.of(ev.StageStarted)) == 2, "the small side, and the join that is written"
    assert spark.read.parquet(str(tmp_path / "out")).count() == len(rows)


# ---- in processes --------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", ["executor", "block", None])
def test_in_processes_it_is_the_same(lose: str | None, request: pytest.FixtureRequest) -> None:
    """The last test of this file: it takes the place of the other context."""
    context = make_context("local[2]", request)
    try:
        plan = PLANS["groups of a join"]()
        expected = rows_of(engine_of(context, mode="always").table(plan))
        engine = engine_of(context, **SETTINGS, measured="100k")
        assert answer(engine, plan, lose) == expected
        assert "every task reads all of it" in engine.explain(plan)
        assert answer(engine, plan, lose) == expected
    finally:
        context.stop()

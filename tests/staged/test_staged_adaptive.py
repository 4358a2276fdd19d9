"""Measured sizes change the stages that have not begun."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contexts import make_context
from hand_made import call, engine_of, group, join, named, order, people, rows_of, select, table

from minispark import chaos
from minispark.context import SparkContext
from planner import events as ev
from planner.query import logical as l
from planner.query.adaptive import merged


@pytest.fixture
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context("inline[2]", request)
    yield found
    found.stop()


class Widths:
    """Tasks of each stage, in the order in which the stages began."""

    def __init__(self) -> None:
        self.found: dict[int, set[int]] = {}

    def on_event(self, notice: ev.Notice) -> None:
        if isinstance(notice, ev.TaskStarted):
            self.found.setdefault(notice.task.stage, set()).add(notice.task.partition)

    def counts(self) -> list[int]:
        return [len(partitions) for partitions in self.found.values()]


def joined() -> l.Plan:
    right = select(people(100, 2), named("k", "key"), named("n", "m"))
    return join(people(400), right, call("=", "k", "key"))


PLANS = {
    "groups of a join": lambda: group(joined(), ["s"], call("sum", "m")),
    "join of groups": lambda: group(
        join(
            group(people(), ["k"], call("sum", "n")),
            select(people(90, 4), named("k", "k2")),
            call("=", "k", "k2"),
        ),
        ["sum(n)"],
        call("count", "k2"),
    ),
    "sort of groups": lambda: order(group(joined(), ["s"], call("sum", "m")), "s"),
}


@pytest.mark.parametrize("lose", [False, True])
@pytest.mark.parametrize("name", PLANS)
def test_small_partitions_are_read_together(name: str, lose: bool, context: SparkContext) -> None:
    plan = PLANS[name]()
    settings = {"mode": "never", "partitions": 8, "broadcast": "-1"}
    expected = rows_of(engine_of(context, mode="always").table(plan))
    widths: list[list[int]] = []
    for adaptive in (False, True):
        listener = Widths()
        context._session.add_listener(listener)
        engine = engine_of(context, adaptive=adaptive, **settings)
        if lose:
            with chaos.lose_shuffle_block() as fault:
                found = engine.table(plan)
            assert fault.count == 1
        else:
            found = engine.table(plan)
        assert rows_of(found) == expected
        context._session.remove_listener(listener)
        widths.append(listener.counts())
    before, after = widths
    assert len(before) == len(after)
    assert sum(after) < sum(before), (before, after)


def test_partitions_that_were_asked_for_stay(context: SparkContext) -> None:
    listener = Widths()
    context._session.add_listener(listener)
    plan = group(l.Repartition(people(), 6), ["k"], call("count", "n"))
    engine = engine_of(context, mode="never", partitions=3, adaptive=True)
    assert engine.table(plan).num_rows == 21
    assert 6 in listener.counts()


@pytest.mark.parametrize("lose", [False, True])
@pytest.mark.parametrize("kind", ["inner", "left", "semi", "right", "full"])
def test_a_skewed_partition_of_a_join_is_split(
    kind: str, lose: bool, context: SparkContext
) -> None:
    """One key has nearly all rows of the left side, which several tasks then share."""
    rows = 20_000
    left = table(k=[7 if n % 50 else n for n in range(rows)], n=list(range(rows)))
    right = select(table(key=list(range(40)), m=list(range(40))), "key", "m")
    by_n = group(join(left, right, call("=", "k", "key"), kind), ["n"], call("count", "k"))
    expected = rows_of(engine_of(context, mode="always").table(by_n))
    listener = Widths()
    context._session.add_listener(listener)
    engine = engine_of(
        context,
        mode="never",
        partitions=4,
        broadcast="-1",
        adaptive=True,
        least=1,
        advised=20_000,
        skewed=30_000,
    )
    if lose:
        with chaos.lose_shuffle_block() as fault:
            found = engine.table(by_n)
        assert fault.count == 1
    else:
        found = engine.table(by_n)
    assert rows_of(found) == expected
    assert (max(listener.counts()) > 4) == (kind in ("inner", "left", "semi"))


def test_groups_of_channels() -> None:
    assert merged([5, 5, 5], 5) == ((0,), (1,), (2,))
    assert merged([0, 0, 0], 5) == ((0, 1, 2),)
    assert merged([100], 5) == ((0,),)

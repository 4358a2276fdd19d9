"""Which exchanges a plan gets: none where rows are where they are needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contexts import MASTERS, make_context
from hand_made import (
    call,
    desc,
    engine_of,
    group,
    join,
    lit,
    named,
    order,
    people,
    rows_of,
    select,
)

from planner import events as ev
from planner.partitioning import HashColumns, Partitioning
from planner.plan import Exchange, Node, Union, walk
from planner.query import logical as l
from planner.query.lower import lower
from planner.query.lowering.pieces import Lowering
from planner.sources import ValuesPart

STAGED = Lowering(lambda fragment: None, staged=True, partitions=4, broadcast_bytes=-1)  # type: ignore[arg-type,return-value]


def exchanges(node: Node) -> list[Partitioning]:
    """Those below a node, in the order in which they run."""
    return [each.partitioning for each in walk(node) if isinstance(each, Exchange)]


def kinds(plan: l.Plan, how: Lowering = STAGED) -> list[str]:
    return [type(each).__name__ for each in exchanges(lower(plan, how))]


def side(seed: int = 2) -> l.Plan:
    return select(people(100, seed), named("k", f"key{seed}"), named("n", f"n{seed}"))


def test_one_task_has_no_exchange() -> None:
    plan = order(
        group(join(people(), side(), call("=", "k", "key2")), ["k"], call("sum", "n")), "k"
    )
    node = lower(plan, replace(STAGED, staged=False))
    assert exchanges(node) == [] and node.width == 1


def test_grouping_moves_states_by_key() -> None:
    plan = group(people(), ["k"], call("sum", "n"))
    (by,) = exchanges(lower(plan, STAGED))
    assert by == HashColumns(4, (0,))


def test_no_second_exchange_for_the_same_keys() -> None:
    joined = join(people(), side(), call("=", "k", "key2"))
    assert kinds(group(joined, ["k"], call("sum", "n"))) == ["HashColumns"] * 2
    assert kinds(group(joined, ["key2"], call("sum", "n"))) == ["HashColumns"] * 2
    again = join(joined, side(3), call("=", "k", "key3"))
    assert kinds(again) == ["HashColumns"] * 3
    other = join(joined, side(3), call("=", "n", "n3"))
    assert kinds(other) == ["HashColumns"] * 4


def test_keys_of_the_optional_side_are_not_relied_on() -> None:
    """Rows without a match have NULL there, and are where their own key says."""
    left = join(people(), side(), call("=", "k", "key2"), "left")
    assert kinds(group(left, ["k"], call("sum", "n"))) == ["HashColumns"] * 2
    assert kinds(group(left, ["key2"], call("sum", "n"))) == ["HashColumns"] * 3
    full = join(people(), side(), call("=", "k", "key2"), "full")
    assert kinds(group(full, ["k"], call("sum", "n"))) == ["HashColumns"] * 3


def test_fewer_keys_gather_more() -> None:
    by_k = group(people(), ["k"], call("sum", "n"))
    assert kinds(group(by_k, ["k", "sum(n)"], call("count", lit(1)))) == ["HashColumns"]
    by_two = group(people(), ["k", "s"], call("sum", "n"))
    assert kinds(group(by_two, ["k"], call("count", lit(1)))) == ["HashColumns"] * 2


def test_a_small_side_goes_to_everyone() -> None:
    plan = join(people(), side(), call("=", "k", "key2"))
    how = replace(STAGED, broadcast_bytes=10 << 20)
    assert kinds(plan, how) == ["Broadcast"]
    assert kinds(replace(plan, kind="full"), how) == ["HashColumns"] * 2
    hinted = l.Join(plan.left, l.Hint(plan.right, "broadcast"), "inner", plan.condition)
    assert kinds(hinted) == ["Broadcast"]
    merged = l.Join(plan.left, l.Hint(plan.right, "merge"), "inner", plan.condition)
    assert kinds(merged, how) == ["HashColumns"] * 2


def test_the_side_that_keeps_its_rows_is_not_the_one_sent() -> None:
    large, small = people(5000), side()
    for kind, wanted in (("left", "Broadcast"), ("right", "HashColumns")):
        how = replace(STAGED, broadcast_bytes=5000)
        assert kinds(join(large, small, call("=", "k", "key2"), kind), how)[0] == wanted


def test_sorts() -> None:
    plan = order(people(), desc("n"))
    assert kinds(plan, replace(STAGED, sort_bytes=1 << 20)) == ["Single"]
    ranged = lower(plan, replace(STAGED, sort_bytes=0))
    names = [type(each).__name__ for each in exchanges(ranged)]
    assert names == ["Single", "Broadcast", "ChannelColumn"] and ranged.width == 4
    assert kinds(l.Limit(plan, 5), replace(STAGED, sort_bytes=0)) == ["Single"]


def test_what_occurs_twice_is_moved_once() -> None:
    grouped = group(people(), ["k"], call("sum", "n"))
    twice = join(
        l.renewed(grouped), select(l.renewed(grouped), named("k", "other")), call("=", "k", "other")
    )
    assert kinds(twice) == ["HashColumns"]


def test_users_partitions() -> None:
    plan = people()
    dealt = lower(l.Repartition(plan, 6), STAGED)
    assert dealt.width == 6
    assert lower(l.Repartition(plan, 2, (), False), STAGED).width == 2
    assert lower(l.Repartition(plan, 9, (), False), STAGED).width == 4
    fused = lower(l.Repartition(plan, 6), replace(STAGED, staged=False))
    assert fused.width == 6


def test_a_union_is_side_by_side() -> None:
    left, right = select(people(), "k"), select(people(90, 4), "k")
    node = lower(l.Union((left, right), left.output), STAGED)
    assert isinstance(node, Union) and node.width == 8


def test_files_are_dealt_to_tasks() -> None:
    slices = tuple(l.FileSlice(f"part-{n}", 10, 1000) for n in range(10))
    scan = l.Scan("parquet", people().attrs, slices)
    how = replace(STAGED, opening_bytes=0, scan_bytes=2000)
    (source,) = [n for n in walk(lower(scan, how)) if not n.children]
    shares = [part.values[0] for part in source.parts if isinstance(part, ValuesPart)]
    assert len(shares) == 5
    assert sorted(piece.path for s in shares for piece in s.slices) == sorted(
        piece.path for piece in slices
    )


@pytest.mark.parametrize("master", MASTERS[:2])
def test_no_task_gets_much_more_than_its_share(master: str, request: pytest.FixtureRequest) -> None:
    sc = make_context(master, request)
    try:
        seen: list[ev.TaskEnded] = []

        class Listener:
            def on_event(self, notice: ev.Notice) -> None:
                if isinstance(notice, ev.TaskEnded):
                    seen.append(notice)

        sc._session.add_listener(Listener())
        left = l.Range(people().attrs[0], 0, 40_000, 1, 5)
        right = select(l.Range(people().attrs[0], 0, 40_000, 1, 3), named("id", "other"))
        plan = join(l.renewed(left), right, call("=", "id", "other"))
        engine = engine_of(sc, mode="never", partitions=8, broadcast="-1")
        assert [type(x) for x in exchanges(engine.physical(plan))] == [HashColumns, HashColumns]
        assert engine.table(plan).num_rows == 40_000
        last = max(each.task.stage for each in seen)
        rows = [each.report.rows_out for each in seen if each.task.stage == last]
        assert sum(rows) == 40_000 and len(rows) == 8 and max(rows) <= 2 * 40_000 / 8
        assert sum(e.report.rows_out for e in seen if e.task.stage != last) == 80_000
    finally:
        sc.stop()


def test_ordered_rows_come_in_order(request: pytest.FixtureRequest) -> None:
    sc = make_context("inline[2]", request)
    try:
        engine = engine_of(sc, mode="never", partitions=3)
        found = rows_of(engine.table(order(people(), "id")), ordered=True)
        assert [row[0] for row in found] == list(range(500))
    finally:
        sc.stop()

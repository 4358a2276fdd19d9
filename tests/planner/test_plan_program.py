"""Unfolding: which (step, partition) pairs one output partition needs, inputs before users."""

from __future__ import annotations

import pickle

from by_hand import everywhere, mapped, shuffled, source, zipped

from planner.levels import StorageLevel
from planner.ops import Identity
from planner.plan import Narrow, Node, Union
from planner.program import Fetch, Instance, unfold
from planner.reads import Groups, LeftOf, RightOf, coalesce
from planner.stages import Splitter, Stage


def nothing(persist: int, partition: int) -> bool:
    return False


def pairs(instances: tuple[Instance, ...]) -> list[tuple[int, int]]:
    return [(each.step, each.partition) for each in instances]


def split(plan: Node, *kept: Node) -> Stage:
    splitter = Splitter()
    for at, node in enumerate(kept):
        splitter.kept[node.id] = (at, StorageLevel.MEMORY_ONLY)
    return splitter.result_stage(plan)


def test_a_chain_needs_its_own_partition() -> None:
    found = unfold(split(mapped(source(3))).program, 2, nothing)
    assert found == (Instance(0, 2, ()), Instance(1, 2, (0,)))


def test_inputs_come_before_users_and_in_the_order_they_are_read() -> None:
    program = split(Narrow(source(5), Identity(), Groups(((4, 0, 2),)))).program
    found = unfold(program, 0, nothing)
    assert pairs(found) == [(0, 4), (0, 0), (0, 2), (1, 0)]
    assert found[-1].inputs == (0, 1, 2)


def test_a_pair_used_twice_is_unfolded_twice() -> None:
    """Rows are an iterator: it can be read once."""
    base = mapped(source(1))
    found = unfold(split(zipped(base, base)).program, 0, nothing)
    assert pairs(found) == [(0, 0), (1, 0), (0, 0), (1, 0), (2, 0)]
    assert found[-1].inputs == (1, 3)


def test_a_group_of_none_is_a_partition_without_inputs() -> None:
    program = split(Narrow(source(2), Identity(), Groups(((), (1,))))).program
    assert unfold(program, 0, nothing) == (Instance(1, 0, ()),)
    assert pairs(unfold(program, 1, nothing)) == [(0, 1), (1, 1)]


def test_only_the_side_of_a_union_that_is_meant_is_needed() -> None:
    program = split(Union((source(1), mapped(source(2))))).program
    assert pairs(unfold(program, 0, nothing)) == [(0, 0), (3, 0)]
    assert pairs(unfold(program, 2, nothing)) == [(1, 1), (2, 1), (3, 2)]


def test_a_product_reads_one_partition_of_each_side() -> None:
    left = Narrow(source(2), Identity(), LeftOf(3))
    right = Narrow(source(3), Identity(), RightOf(2, 3))
    program = split(zipped(left, right)).program
    reads = [p for s, p in pairs(unfold(program, 5, nothing)) if s in (0, 2)]
    assert reads == [1, 2]


def test_a_broadcast_is_read_at_zero_by_everybody() -> None:
    program = split(zipped(source(4), everywhere(source(2)))).program
    assert pairs(unfold(program, 3, nothing)) == [(0, 3), (1, 0), (2, 3)]


def test_nothing_below_a_kept_partition_is_needed() -> None:
    base = mapped(source(2))
    program = split(mapped(base), base).program
    assert pairs(unfold(program, 1, nothing)) == [(0, 1), (1, 1), (2, 1), (3, 1)]
    found = unfold(program, 1, lambda persist, partition: (persist, partition) == (0, 1))
    assert found == (Instance(2, 1, ()), Instance(3, 1, (0,)))


def test_some_kept_partitions_may_be_there_and_others_not() -> None:
    base = mapped(source(3))
    packed = Narrow(base, Identity(), coalesce(3, 1))
    program = split(packed, base).program
    found = unfold(program, 0, lambda persist, partition: partition == 1)
    assert pairs(found) == [(0, 0), (1, 0), (2, 0), (2, 1), (0, 2), (1, 2), (2, 2), (3, 0)]
    assert found[-1].inputs == (2, 3, 6)


def test_the_last_instance_is_what_was_asked_for() -> None:
    base = shuffled(source(2), 3)
    program = split(zipped(mapped(base), mapped(mapped(base)))).program
    for partition in range(3):
        last = unfold(program, partition, nothing)[-1]
        assert (last.step, last.partition) == (len(program) - 1, partition)


def test_a_program_of_five_thousand_steps_unfolds_without_recursion() -> None:
    plan: Node = source(2)
    for _ in range(5_000):
        plan = Narrow(plan, Identity(), coalesce(2, 2))
    assert len(unfold(split(plan).program, 0, nothing)) == 5_001


def test_a_program_of_five_thousand_steps_can_be_pickled() -> None:
    plan: Node = source(2)
    for _ in range(5_000):
        plan = Narrow(plan, Identity(), coalesce(2, 2))
    assert len(pickle.loads(pickle.dumps(split(plan).program))) == 5_001


def test_ten_thousand_inputs_unfold() -> None:
    program = split(Narrow(source(10_000), Identity(), coalesce(10_000, 1))).program
    found = unfold(program, 0, nothing)
    assert len(found[-1].inputs) == 10_000


def test_a_fetch_reads_its_own_channel_a_view_or_everything() -> None:
    assert Fetch(3, 1).channels(2) == (2,)
    assert Fetch(1, 1, everywhere=True).channels(0) == (0,)
    merged = Fetch(2, 1, view=((0, 1), (2,)))
    assert [merged.channels(p) for p in range(2)] == [(0, 1), (2,)]

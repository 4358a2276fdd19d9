"""A plan is cut at its exchanges; what is between two of them becomes one flat program."""

from __future__ import annotations

import pytest
from by_hand import (
    at_barrier,
    everywhere,
    mapped,
    must_not_run,
    shuffled,
    source,
    zipped,
)

from planner.levels import StorageLevel
from planner.ops import Filter, Identity, Map, Op, Take
from planner.partitioning import Broadcast, Direct, Hash
from planner.plan import Exchange, Narrow, Node, Persist, Union
from planner.program import Apply, Beside, Fetch, Keep, Program, Read, Together
from planner.reads import coalesce
from planner.site import Site
from planner.stages import Splitter, Stage

LEVEL = StorageLevel.MEMORY_ONLY


def kinds(stage: Stage) -> list[str]:
    return [type(step).__name__ for step in stage.program]


def ops(program: Program) -> list[list[type[Op]]]:
    return [[type(op) for op in step.ops] for step in program if isinstance(step, Apply)]


# ---- one stage -----------------------------------------------------------------------------------


def test_a_chain_of_narrow_nodes_is_one_step() -> None:
    plan = Narrow(Narrow(mapped(source(3)), Filter(must_not_run)), Take(2))
    stage = Splitter().result_stage(plan)
    assert kinds(stage) == ["Read", "Apply"]
    assert ops(stage.program) == [[Map, Filter, Take]]
    assert stage.width == 3
    assert not stage.parents
    assert stage.output is None
    assert stage.exchange is None


def test_the_parts_of_a_source_stay_with_the_driver() -> None:
    base = source(3)
    stage = Splitter().result_stage(mapped(base))
    assert stage.sources == {0: base.parts}
    assert isinstance(stage.program[0], Read)


def test_every_op_has_the_users_line() -> None:
    sites = [Site("map", "a.py", line) for line in (1, 2)]
    plan = Narrow(source(1), Map(must_not_run), site=sites[0])
    plan = Narrow(plan, Map(must_not_run), site=sites[1])
    (_, step) = Splitter().result_stage(plan).program
    assert isinstance(step, Apply)
    assert step.sites == tuple(sites)


def test_partitions_that_move_begin_a_new_step() -> None:
    moved = Narrow(mapped(source(4)), Identity(), coalesce(4, 2))
    stage = Splitter().result_stage(mapped(mapped(moved)))
    assert ops(stage.program) == [[Map], [Identity, Map, Map]]
    last = stage.program[-1]
    assert last.inputs(1) == ((1, 2), (1, 3))
    assert stage.width == 2


def test_a_union_sits_beside_its_sides() -> None:
    left, right = mapped(source(2)), source(3)
    stage = Splitter().result_stage(mapped(Union((left, right))))
    assert kinds(stage) == ["Read", "Apply", "Read", "Beside", "Apply"]
    beside = stage.program[3]
    assert isinstance(beside, Beside)
    assert [beside.inputs(p) for p in range(5)] == [
        ((1, 0),),
        ((1, 1),),
        ((2, 0),),
        ((2, 1),),
        ((2, 2),),
    ]


def test_a_union_with_empty_sides_finds_the_right_one() -> None:
    stage = Splitter().result_stage(Union((source(0), source(1), source(0), source(1))))
    beside = stage.program[-1]
    assert isinstance(beside, Beside)
    assert [beside.inputs(p) for p in range(2)] == [((1, 0),), ((3, 0),)]


def test_a_union_with_itself_reads_it_twice_from_one_step() -> None:
    base = mapped(source(2))
    stage = Splitter().result_stage(Union((base, base)))
    assert kinds(stage) == ["Read", "Apply", "Beside"]
    assert [stage.program[-1].inputs(p) for p in range(4)] == [
        ((1, 0),),
        ((1, 1),),
        ((1, 0),),
        ((1, 1),),
    ]


def test_a_zip_reads_the_same_partition_of_all_and_a_broadcast_at_zero() -> None:
    plan = zipped(source(3), everywhere(source(2)))
    stage = Splitter().result_stage(plan)
    together = stage.program[-1]
    assert isinstance(together, Together)
    assert together.everywhere == (False, True)
    assert together.inputs(2) == ((0, 2), (1, 0))


def test_a_diamond_inside_a_stage_is_written_once() -> None:
    base = Narrow(source(2), Identity(), coalesce(2, 2))
    plan = zipped(Narrow(base, Identity(), coalesce(2, 2)), base)
    stage = Splitter().result_stage(plan)
    assert kinds(stage) == ["Read", "Apply", "Apply", "Together"]


def test_what_is_not_a_physical_node_is_refused() -> None:
    with pytest.raises(TypeError, match="not a physical node"):
        Splitter().result_stage(Node())


# ---- exchanges -----------------------------------------------------------------------------------


def test_an_exchange_ends_a_stage_and_begins_one() -> None:
    wide = shuffled(mapped(source(3)), 2)
    stage = Splitter().result_stage(mapped(wide))
    assert kinds(stage) == ["Fetch", "Apply"]
    assert stage.width == 2
    (maps,) = stage.parents.values()
    assert list(stage.parents) == [wide.id]
    assert kinds(maps) == ["Read", "Apply"]
    assert (maps.width, maps.exchange, maps.output) == (3, wide.id, Hash(2))


def test_a_plan_may_end_in_an_exchange() -> None:
    stage = Splitter().result_stage(shuffled(source(3), 2))
    assert kinds(stage) == ["Fetch"]
    assert stage.width == 2


def test_only_hashed_rows_are_checked_by_readers() -> None:
    for partitioning, hashed, whole in (
        (Hash(3), 3, False),
        (Direct(3), 0, False),
        (Broadcast(), 0, True),
    ):
        fetch = Splitter().result_stage(Exchange(source(1), partitioning)).program[0]
        assert isinstance(fetch, Fetch)
        assert (fetch.hashed, fetch.everywhere) == (hashed, whole)


def test_the_stage_of_an_exchange_carries_the_line_that_asked_for_it() -> None:
    site = Site("reduceByKey", "job.py", 9)
    wide = Exchange(source(1), Hash(1), site=site)
    (maps,) = Splitter().result_stage(mapped(wide)).parents.values()
    assert maps.site == site


def test_an_exchange_used_twice_is_one_parent() -> None:
    wide = shuffled(source(2))
    stage = Splitter().result_stage(zipped(mapped(wide), wide))
    assert len(stage.parents) == 1
    assert kinds(stage).count("Fetch") == 1


def test_an_exchange_on_two_ways_to_the_top_has_one_stage() -> None:
    bottom = shuffled(source(2))
    left, right = shuffled(mapped(bottom)), shuffled(mapped(bottom))
    stage = Splitter().result_stage(zipped(left, right))
    one, other = stage.parents.values()
    assert one is not other
    assert one.parents[bottom.id] is other.parents[bottom.id]


@pytest.mark.parametrize("direct_first", [False, True])
def test_an_exchange_that_is_read_above_and_below_another(direct_first: bool) -> None:
    bottom = shuffled(source(2))
    upper = shuffled(mapped(bottom))
    sides = (bottom, upper) if direct_first else (upper, bottom)
    stage = Splitter().result_stage(zipped(*sides))
    assert stage.parents[upper.id].parents[bottom.id] is stage.parents[bottom.id]


def test_stages_of_exchanges_are_remembered_and_results_are_not() -> None:
    splitter = Splitter()
    wide = shuffled(source(2))
    plan = mapped(wide)
    first, second = splitter.result_stage(plan), splitter.result_stage(plan)
    assert first.id != second.id
    assert first.parents[wide.id] is second.parents[wide.id]


def test_each_exchange_is_announced_once() -> None:
    told: list[Exchange] = []
    splitter = Splitter(told.append)
    bottom = shuffled(source(1))
    upper = shuffled(mapped(bottom))
    splitter.result_stage(bottom)
    splitter.result_stage(mapped(upper))
    splitter.result_stage(upper)
    assert told == [bottom, upper]


def test_a_forgotten_exchange_is_split_anew() -> None:
    splitter = Splitter()
    wide = shuffled(source(1))
    first = splitter.result_stage(wide)
    splitter.forget(wide.id)
    second = splitter.result_stage(wide)
    assert first.parents[wide.id] is not second.parents[wide.id]


# ---- kept nodes and checkpoints ------------------------------------------------------------------


def test_a_kept_node_is_a_step_of_its_own() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    splitter.kept[base.id] = (77, LEVEL)
    stage = splitter.result_stage(mapped(mapped(base)))
    assert kinds(stage) == ["Read", "Apply", "Keep", "Apply"]
    keep = stage.program[2]
    assert isinstance(keep, Keep)
    assert (keep.persist, keep.level, keep.child) == (77, LEVEL, 1)
    assert ops(stage.program) == [[Map], [Map, Map]]


def test_a_persist_node_stands_for_its_child() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    handle = Persist(base, LEVEL)
    splitter.kept[base.id] = (handle.id, LEVEL)
    for plan in (mapped(handle), mapped(base), mapped(Persist(handle, LEVEL))):
        assert kinds(splitter.result_stage(plan)) == ["Read", "Apply", "Keep", "Apply"]
    assert splitter.resolve(handle) is base


def test_an_unpersisted_plan_is_still_a_plan() -> None:
    splitter = Splitter()
    handle = Persist(mapped(source(2)), LEVEL)
    stage = splitter.result_stage(mapped(handle))
    assert kinds(stage) == ["Read", "Apply"]
    assert ops(stage.program) == [[Map, Map]]


def test_a_plan_may_end_in_a_kept_node() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    splitter.kept[base.id] = (1, LEVEL)
    assert kinds(splitter.result_stage(base)) == ["Read", "Apply", "Keep"]
    assert kinds(splitter.result_stage(Persist(base, LEVEL))) == ["Read", "Apply", "Keep"]


def test_a_shuffle_may_be_kept() -> None:
    splitter = Splitter()
    wide = shuffled(source(2))
    splitter.kept[wide.id] = (1, LEVEL)
    assert kinds(splitter.result_stage(mapped(wide))) == ["Fetch", "Keep", "Apply"]


def test_a_kept_node_used_twice_is_kept_once() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    splitter.kept[base.id] = (1, LEVEL)
    stage = splitter.result_stage(zipped(mapped(base), base))
    assert kinds(stage).count("Keep") == 1


def test_a_checkpoint_replaces_lineage() -> None:
    splitter = Splitter()
    wide = shuffled(mapped(source(3)), 2)
    base = mapped(wide)
    before = splitter.result_stage(mapped(base))
    assert before.parents
    saved = source(2)
    splitter.cuts[base.id] = saved
    after = splitter.result_stage(mapped(base))
    assert not after.parents
    assert kinds(after) == ["Read", "Apply"]
    assert after.sources == {0: saved.parts}
    assert splitter.resolve(Persist(base, LEVEL)) is saved


def test_a_checkpoint_of_the_whole_plan_is_read() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    splitter.cuts[base.id] = source(2)
    assert kinds(splitter.result_stage(base)) == ["Read"]


def test_nothing_below_a_checkpoint_gets_a_stage() -> None:
    told: list[Exchange] = []
    splitter = Splitter(told.append)
    base = mapped(shuffled(source(3)))
    splitter.cuts[base.id] = source(2)
    splitter.result_stage(shuffled(mapped(base)))
    assert len(told) == 1


def test_forgetting_a_node_forgets_what_stands_for_it() -> None:
    splitter = Splitter()
    base = mapped(source(1))
    splitter.kept[base.id] = (1, LEVEL)
    splitter.cuts[base.id] = source(1)
    splitter.forget(base.id)
    splitter.forget(base.id)
    assert kinds(splitter.result_stage(base)) == ["Read", "Apply"]


# ---- barriers and size ---------------------------------------------------------------------------


def test_one_barrier_op_makes_a_barrier_stage() -> None:
    splitter = Splitter()
    assert splitter.result_stage(mapped(at_barrier(source(2)))).barrier
    assert not splitter.result_stage(mapped(source(2))).barrier
    (maps,) = splitter.result_stage(shuffled(at_barrier(source(2)))).parents.values()
    assert maps.barrier


def test_five_thousand_narrow_steps_are_one_step() -> None:
    plan: Node = source(2)
    for _ in range(5_000):
        plan = mapped(plan)
    stage = Splitter().result_stage(plan)
    assert kinds(stage) == ["Read", "Apply"]
    assert len(ops(stage.program)[0]) == 5_000


def test_five_thousand_steps_that_cannot_be_merged() -> None:
    plan: Node = source(2)
    for _ in range(5_000):
        plan = Narrow(plan, Identity(), coalesce(2, 2))
    assert len(Splitter().result_stage(plan).program) == 5_001


def test_five_thousand_unions() -> None:
    plan: Node = source(1)
    for _ in range(5_000):
        plan = Union((plan, source(1)))
    stage = Splitter().result_stage(plan)
    assert stage.width == 5_001
    assert len(stage.program) == 10_001


def test_a_thousand_exchanges_in_a_row() -> None:
    plan: Node = source(1)
    for _ in range(1_000):
        plan = shuffled(mapped(plan))
    splitter = Splitter()
    splitter.result_stage(plan)
    assert len(splitter.stages) == 1_000


def test_ten_thousand_partitions() -> None:
    stage = Splitter().result_stage(mapped(shuffled(source(10_000), 10_000)))
    assert stage.width == 10_000
    (maps,) = stage.parents.values()
    assert maps.width == 10_000
    assert len(stage.program) == 2

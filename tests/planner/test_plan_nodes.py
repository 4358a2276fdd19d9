"""Nodes: widths, promises, and walks that do not mind how deep a lineage is."""

from __future__ import annotations

import dataclasses
import gc
import sys
import weakref

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
from planner.ops import Identity, Map, MapPartitions, MapValues, ZipRows, ZipWith
from planner.partitioning import (
    Broadcast,
    Direct,
    Hash,
    Partitioner,
    RoundRobin,
    Single,
)
from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip, walk
from planner.reads import LeftOf, RightOf, coalesce, pick
from planner.site import Site
from planner.sources import RangePart

PARTITIONER = Partitioner(3, must_not_run)


# ---- widths --------------------------------------------------------------------------------------


def test_every_node_knows_its_width_when_it_is_made() -> None:
    base = source(4)
    assert base.width == 4
    assert mapped(base).width == 4
    assert shuffled(base, 7).width == 7
    assert everywhere(base).width == 1
    assert Exchange(base, Single()).width == 1
    assert Exchange(base, RoundRobin(5)).width == 5
    assert Union((base, mapped(source(3)))).width == 7
    assert Persist(base, StorageLevel.DISK_ONLY).width == 4
    assert Narrow(base, Identity(), coalesce(4, 3)).width == 3
    assert Narrow(base, Identity(), pick(2)).width == 1
    assert source(0).width == 0


def test_the_sides_of_a_cartesian_product_have_the_width_of_the_product() -> None:
    left = Narrow(source(2), Identity(), LeftOf(3))
    right = Narrow(source(3), Identity(), RightOf(2, 3))
    assert (left.width, right.width, zipped(left, right).width) == (6, 6, 6)


def test_a_broadcast_side_fits_any_width() -> None:
    assert zipped(source(4), everywhere(source(2))).width == 4
    assert zipped(everywhere(source(2)), source(4)).width == 4
    assert zipped(everywhere(source(2)), everywhere(source(3))).width == 1


def test_sides_of_different_widths_are_refused_when_the_node_is_made() -> None:
    with pytest.raises(ValueError, match=r"different numbers of partitions: \[2, 3\]"):
        zipped(source(2), source(3), everywhere(source(9)))


def test_ids_are_never_used_twice() -> None:
    ids = [source(1).id for _ in range(100)]
    assert len(set(ids)) == 100
    assert ids == sorted(ids)


# ---- promises ------------------------------------------------------------------------------------


def test_exchanges_promise_where_keys_are() -> None:
    base = source(2)
    assert shuffled(base, 3).promise == Partitioner(3)
    assert Exchange(base, Direct(3, by=PARTITIONER)).promise == PARTITIONER
    assert Exchange(base, Direct(3)).promise is None
    assert Exchange(base, RoundRobin(3)).promise is None
    assert Exchange(base, Single()).promise is None
    assert Exchange(base, Broadcast()).promise is None


def test_a_promise_holds_through_what_keeps_keys_in_place_and_no_further() -> None:
    base = shuffled(source(2), 3)
    kept = Narrow(base, MapValues(must_not_run), keeps=True)
    assert kept.promise == Partitioner(3)
    assert Persist(kept, StorageLevel.MEMORY_ONLY).promise == Partitioner(3)
    assert mapped(kept).promise is None
    assert Narrow(kept, MapValues(must_not_run), keeps=True).promise == Partitioner(3)
    assert Narrow(mapped(kept), MapValues(must_not_run), keeps=True).promise is None


def test_a_promise_does_not_survive_partitions_that_move() -> None:
    base = shuffled(source(2), 3)
    assert Narrow(base, Identity(), coalesce(3, 2), keeps=True).promise is None
    assert Narrow(base, Identity(), pick(1), keeps=True).promise is None
    assert Union((base,)).promise is None


def test_a_zip_may_pass_on_the_promise_of_its_first_side() -> None:
    left, right = shuffled(source(2), 3), shuffled(source(2), 3)
    assert Zip((left, right), ZipRows(), keeps=True).promise == Partitioner(3)
    assert Zip((left, right), ZipRows()).promise is None


def test_a_source_may_carry_a_promise() -> None:
    """A checkpoint of a partitioned dataset is still partitioned."""
    parts = (RangePart(0, 1, 1),)
    assert Source(parts, by=Partitioner(1)).promise == Partitioner(1)
    assert Source(parts).promise is None


def test_partitioners_are_equal_by_number_and_function() -> None:
    assert Partitioner(3) == Partitioner(3)
    assert Partitioner(3) != Partitioner(4)
    assert Partitioner(3) != PARTITIONER
    assert Partitioner(3, must_not_run) == PARTITIONER
    assert Hash(3).promise == Partitioner(3)


# ---- values --------------------------------------------------------------------------------------


def test_nodes_are_frozen_and_compare_by_identity() -> None:
    base = source(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        base.label = "other"  # type: ignore[misc]
    one, other = mapped(base), mapped(base)
    assert one != other
    assert len({one, other}) == 2
    assert one == one  # noqa: PLR0124


def test_a_repr_is_one_flat_line_with_the_users_line() -> None:
    node = Narrow(source(2), Map(must_not_run), site=Site("map", "/home/me/job.py", 7))
    assert repr(node) == f"Narrow#{node.id}[2] map at job.py:7"


def test_the_label_of_an_op_is_its_name_or_what_the_user_called() -> None:
    assert Map(must_not_run).label == "Map"
    assert MapPartitions(must_not_run, "sampleByKey").label == "sampleByKey"
    assert ZipWith(must_not_run, "zipWithIndex").label == "zipWithIndex"
    assert at_barrier(source(1)).op.label == "mapPartitions"


def test_children_are_what_a_node_reads() -> None:
    left, right = source(2), source(2)
    assert source(1).children == ()
    assert mapped(left).children == (left,)
    assert shuffled(left).children == (left,)
    assert Persist(left, StorageLevel.DISK_ONLY).children == (left,)
    assert zipped(left, right).children == (left, right)
    assert Union((left, right)).children == (left, right)


# ---- walks ---------------------------------------------------------------------------------------


def test_a_walk_meets_children_first_and_everybody_once() -> None:
    base = source(2)
    left, right = mapped(base), shuffled(base)
    top = zipped(left, right)
    met = list(walk(top))
    assert len(met) == 4
    assert met[-1] is top
    assert met[0] is base
    for node in met:
        assert all(met.index(child) < met.index(node) for child in node.children)


def deep(length: int) -> Node:
    node: Node = source(1)
    for _ in range(length):
        node = mapped(node)
    return node


def test_a_lineage_of_five_thousand_steps_is_walked_hashed_and_printed() -> None:
    assert sys.getrecursionlimit() < 5_000
    top = deep(5_000)
    assert len(list(walk(top))) == 5_001
    assert hash(top) != 0
    assert len(repr(top)) < 200


def test_a_long_lineage_is_freed_when_its_handle_goes() -> None:
    top = deep(5_000)
    gone = weakref.ref(next(walk(top)))
    del top
    gc.collect()
    assert gone() is None

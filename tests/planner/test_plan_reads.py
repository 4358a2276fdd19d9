"""Which input partitions an output partition reads, against the plain meaning of each rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.reads import ONE_TO_ONE, Groups, LeftOf, RightOf, coalesce, pick

small = st.integers(0, 30)


def test_one_to_one() -> None:
    assert ONE_TO_ONE.of(5) == (5,)
    assert ONE_TO_ONE.width(7) == 7


def test_groups_may_repeat_and_leave_out() -> None:
    reads = Groups(((2, 0), (), (2,)))
    assert reads.width(3) == 3
    assert [reads.of(at) for at in range(3)] == [(2, 0), (), (2,)]


def test_pick_takes_whole_partitions_in_the_order_named() -> None:
    reads = pick(3, 1)
    assert reads.width(9) == 2
    assert [reads.of(at) for at in range(2)] == [(3,), (1,)]


@given(left=st.integers(1, 6), right=st.integers(1, 6))
def test_the_sides_of_a_product_meet_in_all_pairs_once(left: int, right: int) -> None:
    lefts, rights = LeftOf(right), RightOf(left, right)
    assert lefts.width(left) == rights.width(right) == left * right
    pairs = [(lefts.of(at)[0], rights.of(at)[0]) for at in range(left * right)]
    assert pairs == [(a, b) for a in range(left) for b in range(right)]


@given(width=st.integers(1, 200), into=st.integers(1, 300))
def test_coalesce_reads_everything_once_in_order(width: int, into: int) -> None:
    reads = coalesce(width, into)
    groups = [reads.of(at) for at in range(reads.width(width))]
    assert len(groups) == min(width, into)
    assert [partition for group in groups for partition in group] == list(range(width))


@given(width=st.integers(1, 200), into=st.integers(1, 300))
def test_coalesce_makes_groups_of_nearly_one_size(width: int, into: int) -> None:
    sizes = [len(group) for group in coalesce(width, into).groups]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1

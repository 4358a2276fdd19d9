"""What the driver knows of blocks: the arithmetic of channels, and the output table."""

from __future__ import annotations

from array import array
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.blocks import Block, MapOutput, Outputs

lengths = st.lists(st.integers(0, 9), min_size=1, max_size=12)


def output(sizes: list[int], firsts: tuple[int, ...] = (0,), name: str = "b") -> MapOutput:
    bounds = array("q", accumulate(sizes, initial=0))
    ends = [*firsts[1:], len(sizes)]
    blocks = tuple(
        Block(f"{name}{at}", f"n{at}", bounds[end] - bounds[first])
        for at, (first, end) in enumerate(zip(firsts, ends, strict=True))
    )
    return MapOutput(blocks, firsts, bounds)


def test_a_channel_is_a_piece_of_the_block() -> None:
    one = output([3, 0, 5])
    piece = one.cut(exchange=9, source=4, channel=2)
    assert piece is not None
    assert (piece.exchange, piece.source, piece.channel) == (9, 4, 2)
    assert (piece.block, piece.start, piece.length) == (one.blocks[0], 3, 5)


def test_an_empty_channel_has_no_piece() -> None:
    assert output([3, 0, 5]).cut(1, 0, 1) is None


def test_a_block_for_each_destination_begins_with_its_first_channel() -> None:
    one = output([1, 2, 3, 4], firsts=(0, 2))
    pieces = [one.cut(1, 0, channel) for channel in range(4)]
    assert [(p.block.where, p.start, p.length) for p in pieces if p] == [
        ("b0", 0, 1),
        ("b0", 1, 2),
        ("b1", 0, 3),
        ("b1", 3, 4),
    ]


@given(sizes=lengths, data=st.data())
def test_pieces_lie_end_to_end_in_their_blocks(sizes: list[int], data: st.DataObject) -> None:
    marks = data.draw(st.sets(st.integers(1, len(sizes)), max_size=3))
    firsts = (0, *sorted(mark for mark in marks if mark < len(sizes)))
    one = output(sizes, firsts)
    filled = dict.fromkeys(one.blocks, 0)
    for channel, size in enumerate(sizes):
        piece = one.cut(0, 0, channel)
        assert one.size(channel) == size
        if piece is None:
            assert size == 0
            continue
        assert piece.start == filled[piece.block]
        filled[piece.block] += piece.length
    assert {block: block.bytes for block in one.blocks} == filled


def test_more_destinations_than_channels_leave_some_without() -> None:
    one = output([2, 3], firsts=(0, 1, 1))
    pieces = [one.cut(1, 0, channel) for channel in range(2)]
    assert [(p.block.where, p.start, p.length) for p in pieces if p] == [("b0", 0, 2), ("b2", 0, 3)]


# ---- the table -----------------------------------------------------------------------------------


def test_a_table_counts_what_is_absent() -> None:
    table = Outputs(3)
    assert (table.absent, list(table.missing())) == (3, [0, 1, 2])
    table.put(1, output([1]))
    assert (table.absent, list(table.missing())) == (2, [0, 2])
    table.put(1, output([2]))
    assert table.absent == 2, "the same one again"
    table.put(0, output([1]))
    table.put(2, output([1]))
    assert (table.absent, list(table.missing())) == (0, [])


def test_forgetting_gives_back_what_was_there() -> None:
    table, one = Outputs(2), output([1])
    table.put(0, one)
    assert table.forget(0) is one
    assert table.forget(0) is None
    assert table.absent == 2


def test_slices_come_channel_by_channel_in_map_order() -> None:
    table = Outputs(2)
    table.put(1, output([1, 2, 0], name="second"))
    table.put(0, output([3, 0, 4], name="first"))
    slices = table.slices(5, (2, 0))
    assert [(each.channel, each.source, each.length) for each in slices] == [
        (2, 0, 4),
        (0, 0, 3),
        (0, 1, 1),
    ]


def test_a_reader_of_an_incomplete_exchange_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="before its exchange was complete"):
        Outputs(1).slices(1, (0,))


def test_sizes_are_summed_over_what_is_there() -> None:
    table = Outputs(3)
    assert table.sizes() == ()
    table.put(0, output([1, 2]))
    table.put(2, output([10, 20]))
    assert table.sizes() == (11, 22)


def test_an_exchange_of_no_maps_is_complete() -> None:
    table = Outputs(0)
    assert table.absent == 0
    assert table.slices(1, (0, 1)) == ()


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=30))
def test_absent_is_always_the_number_of_missing(steps: list[tuple[int, bool]]) -> None:
    table = Outputs(5)
    for source, put in steps:
        if put:
            table.put(source, output([1]))
        else:
            table.forget(source)
        assert table.absent == len(list(table.missing()))

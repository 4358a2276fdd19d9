"""Arrow tables in exchanges: how they are cut, written and read."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import polars as pl
import pyarrow as pa
import pytest

from executors import frames
from executors.channels import write_channels
from executors.relational import splitting
from executors.spill import Spills
from planner import partitioning as parts

KEYS = pa.table(
    {
        "i": pa.array([1, 2, None, 2**40], pa.int64()),
        "f": pa.array([0.0, math.nan, None, 1.5], pa.float64()),
        "s": pa.array(["a", "ü", None, "a longer text"]),
        "b": pa.array([b"a", b"", None, b"zz"]),
        "t": pa.array([True, False, None, True]),
        "l": pa.array([[1], [], None, [1, 2]], pa.list_(pa.int32())),
    }
)
SCRIPT = """
import polars as pl
from executors.relational import splitting
frame = pl.DataFrame({"i": [1, 2, None], "s": ["a", "ü", None], "f": [0.0, 1.5, None]})
print(splitting.hashes(frame, (0, 1, 2)).to_list())
"""


def _hashed(table: pa.Table, channels: int, *keys: int) -> dict[int, list[dict[str, object]]]:
    return {c: part.to_pylist() for c, part in splitting.by_hash([table], keys, channels)}


@pytest.mark.parametrize("name", KEYS.column_names)
def test_equal_keys_meet(name: str) -> None:
    place = KEYS.column_names.index(name)
    whole = splitting.hashes(splitting.joined([KEYS]), (place,))
    parts_ = splitting.hashes(splitting.joined([KEYS.slice(2), KEYS.slice(0, 2)]), (place,))
    assert whole.to_list() == [*parts_[2:], *parts_[:2]]


def test_zeros_are_one_key_and_so_are_nans() -> None:
    other_nan = pl.Series([-math.nan])  # another pattern of bits
    frame = pl.DataFrame({"f": pl.concat([pl.Series([0.0, -0.0, math.nan]), other_nan])})
    zero, minus, nan, other = splitting.hashes(frame, (0,)).to_list()
    assert zero == minus != nan == other


def test_another_process_has_the_same_hash() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1] and found[0].startswith("[")


def test_rows_keep_their_order_in_a_channel() -> None:
    table = pa.table({"k": [n % 7 for n in range(100)], "n": range(100)})
    found = _hashed(table, 4, 0)
    assert sorted(row["n"] for rows in found.values() for row in rows) == list(range(100))
    for rows in found.values():
        assert [row["n"] for row in rows] == sorted(row["n"] for row in rows)


def test_uniform_keys_spread() -> None:
    sizes = [t.num_rows for _, t in splitting.by_hash([pa.table({"k": range(80_000)})], (0,), 8)]
    assert len(sizes) == 8 and max(sizes) < 2 * 80_000 / 8


@pytest.mark.parametrize("channels", [1, 2, 7, 32, 33])
def test_both_ways_to_cut_give_the_same(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass for each channel, where there are few channels of many rows; else one pass."""
    table = pa.table(
        {"k": [n % 1000 for n in range(70_000)], "t": [f"t{n}" for n in range(70_000)]}
    )
    halves = [table.slice(0, 10_000), table.slice(10_000)]

    def cut() -> dict[int, pa.Table]:
        return dict(splitting.by_hash(halves, (0,), channels))

    found = cut()
    monkeypatch.setattr(splitting, "_FEW", 0)
    assert {c: t.to_pylist() for c, t in cut().items()} == {
        c: t.to_pylist() for c, t in found.items()
    }
    assert list(found) == sorted(found) and sum(t.num_rows for t in found.values()) == 70_000


def test_a_channel_without_rows_is_not_there() -> None:
    table = pa.table({"k": [5] * 10_000})
    assert [t.num_rows for _, t in splitting.by_hash([table], (0,), 4)] == [10_000]


def test_dealing_depends_on_the_rows_and_not_on_their_order() -> None:
    table = pa.table({"n": range(101), "s": [f"text {n}" for n in range(101)]})
    turned = table.take(list(range(100, -1, -1)))

    def sets(given: pa.Table) -> dict[int, set[int]]:
        return {c: set(t["n"].to_pylist()) for c, t in splitting.dealt([given], 4, 1)}

    assert sets(table) == sets(turned)
    assert sorted(map(len, sets(table).values())) == [25, 25, 25, 26]


def test_a_frame_holds_a_table_and_not_a_pickle() -> None:
    frame = frames.encode([KEYS, KEYS.slice(1, 2)])
    assert frame[:1] == b"A" and len(frame) % 64 == 0 and b"pyarrow" not in frame
    found = [row for rows in frames.decode(memoryview(frame)) for row in rows]
    assert [t.num_rows for t in found] == [4, 2]
    assert found[0].drop("f").equals(KEYS.drop("f"))
    assert frames.count(found) == 6 and frames.count([1, 2]) == 2


def test_a_frame_is_filled_up_with_zeros() -> None:
    """Its memory was another frame's before: nothing of that is written."""
    frames.encode([pa.table({"n": range(1000)})])
    table = pa.table({"n": pa.array([1, 2, 3], pa.int8())})
    one, two = bytes(frames.encode([table])), bytes(frames.encode([table]))
    assert one == two and len(one) % 64 == 0 and not any(one[9:64])
    several = frames.encode([table, KEYS])
    found = [row for rows in frames.decode(memoryview(several)) for row in rows]
    assert [each.num_rows for each in found] == [3, 4]


def test_a_compressed_frame_is_smaller() -> None:
    table = pa.table({"s": ["the same text"] * 5000})
    plain, packed = frames.encode([table]), frames.encode([table], compress=True)
    assert len(packed) < len(plain) / 3
    assert next(frames.decode(memoryview(packed)))[0].equals(table)


def test_rows_that_are_no_tables_are_pickled_still() -> None:
    mixed = [KEYS, 1]
    frame = frames.encode(mixed)
    assert frame[:1] == b"P" and next(frames.decode(memoryview(frame)))[1] == 1


def test_text_that_was_filtered_leaves_the_rest_behind() -> None:
    words = pl.DataFrame({"n": range(20_000)}).with_columns(
        s=pl.format("a text of quite some length, number {}", "n")
    )
    few = words.filter(pl.col("n") % 100 == 0).to_arrow(compat_level=pl.CompatLevel.newest())
    assert len(frames.encode([few])) < 200 * 100
    by_key = [t for _, t in splitting.by_hash([few], (0,), 4)]
    assert sum(len(frames.encode([t])) for t in by_key) < 200 * 100


@pytest.mark.parametrize(
    ("partitioning", "channels"),
    [
        (parts.HashColumns(3, (0,)), 3),
        (parts.DealColumns(3), 3),
        (parts.HashColumns(1, (0,)), 1),
        (parts.Single(), 1),
        (parts.Broadcast(), 1),
    ],
)
def test_channels_count_rows_of_tables(
    partitioning: parts.Partitioning, channels: int, tmp_path: object
) -> None:
    tables = [pa.table({"k": range(n * 50, n * 50 + 50)}) for n in range(4)]
    spills = Spills(str(tmp_path))
    written = write_channels(iter(tables), partitioning, 0, spills, 1 << 20)
    assert written.rows == 200 and len(written.bounds()) == channels + 1
    found = [
        row
        for channel in range(channels)
        for frame in written.frames(channel, channel + 1)
        for rows in frames.decode(memoryview(frame))
        for table in rows
        for row in table["k"].to_pylist()
    ]
    assert sorted(found) == list(range(200))
    spills.close()


def test_the_last_column_says_the_channel() -> None:
    table = pa.table({"n": [1, 2, 3, 4], "channel": [1, 0, 1, 2]})
    found = {c: t.to_pylist() for c, t in splitting.by_last_column([table], 3)}
    assert found == {0: [{"n": 2}], 1: [{"n": 1}, {"n": 3}], 2: [{"n": 4}]}

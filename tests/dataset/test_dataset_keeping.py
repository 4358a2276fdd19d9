"""Checkpoints, shuffles that are freed, and saved folders."""

from __future__ import annotations

import os
import random
from operator import add
from pathlib import Path

import pytest

from minispark import SparkContext, StorageLevel
from planner.plan import Source


def test_a_checkpoint_needs_a_folder(sc: SparkContext) -> None:
    assert sc.getCheckpointDir() is None
    with pytest.raises(RuntimeError, match="setCheckpointDir"):
        sc.parallelize([1]).checkpoint()


def test_a_checkpoint_cuts_the_lineage(sc: SparkContext, tmp_path: Path) -> None:
    sc.setCheckpointDir(str(tmp_path))
    rows = sc.parallelize([(i, 1) for i in range(10)], 3).reduceByKey(add, 4)
    rows.checkpoint()
    assert (rows.is_checkpointed, rows.isCheckpointed(), rows.getCheckpointFile()) == (
        True,
        False,
        None,
    )
    before = rows.collect()
    assert rows.isCheckpointed()
    assert str(rows.getCheckpointFile()).endswith(f"/rdd-{rows.id()}")
    assert isinstance(rows._node, Source)
    assert rows.collect() == before
    assert rows.partitioner is not None  # what is known of the keys stays known
    assert sorted(rows.join(rows).keys().collect()) == list(range(10))


def test_a_local_checkpoint_cuts_the_lineage(sc: SparkContext) -> None:
    rows = sc.parallelize(range(10), 3).map(lambda x: random.random())
    rows.localCheckpoint()
    assert rows.isLocallyCheckpointed()
    assert rows.getStorageLevel() == StorageLevel.MEMORY_AND_DISK_DESER
    before = rows.collect()
    assert isinstance(rows._node, Source)
    assert rows.collect() == before == rows.map(lambda x: x).collect()
    assert rows.getCheckpointFile() is None


def test_kept_again_and_again(sc: SparkContext) -> None:
    rows = sc.parallelize(range(10), 2).map(abs)
    for _ in range(3):
        assert rows.cache().sum() == 45
        assert rows.getStorageLevel() == StorageLevel.MEMORY_ONLY
        assert rows.unpersist(blocking=True).sum() == 45
        assert rows.getStorageLevel() == StorageLevel.NONE


def test_freed_shuffles_are_run_again(sc: SparkContext) -> None:
    calls = sc.accumulator(0)

    def seen(x: int) -> tuple[int, int]:
        calls.add(1)
        return x % 3, x

    sums = sc.parallelize(range(9), 2).map(seen).reduceByKey(add, 2)
    first = sums.collect()
    assert sums.collect() == first
    assert calls.value == 9
    sums.cleanShuffleDependencies(blocking=True)
    assert sums.collect() == first
    assert calls.value == 18


def test_a_failed_save_leaves_nothing(sc: SparkContext, tmp_path: Path) -> None:
    folder = str(tmp_path / "rows")
    with pytest.raises(ZeroDivisionError):
        sc.parallelize([1, 0], 2).map(lambda x: 1 // x).saveAsTextFile(folder)
    assert not os.path.exists(folder)
    sc.parallelize(["x", b"y", 3], 2).saveAsTextFile(folder)
    assert sorted(sc.textFile(folder).collect()) == ["3", "x", "y"]
    with pytest.raises(FileExistsError):
        sc.parallelize([1]).saveAsTextFile(folder)


@pytest.mark.parametrize("codec", ["GzipCodec", "BZip2Codec", "DefaultCodec"])
def test_compressed_text(sc: SparkContext, tmp_path: Path, codec: str) -> None:
    folder = str(tmp_path / codec)
    full = f"org.apache.hadoop.io.compress.{codec}"
    sc.parallelize(["a", "\u00e9"], 2).saveAsTextFile(folder, full)
    assert sorted(sc.textFile(folder).collect()) == ["a", "\u00e9"]

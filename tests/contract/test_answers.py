"""The same questions to every back end, with answers worked out in plain Python."""

from __future__ import annotations

import os
from operator import add
from pathlib import Path

import pytest

from minispark import BarrierTaskContext, SparkContext, StorageLevel, TaskContext


def test_a_shuffle_brings_equal_keys_together(sc: SparkContext) -> None:
    words = [f"w{n % 17}" for n in range(1000)]
    counts = sc.parallelize(words, 5).map(lambda w: (w, 1)).reduceByKey(add, 3).collect()
    assert sorted(counts) == sorted((f"w{n}", words.count(f"w{n}")) for n in range(17))


def test_keys_of_every_kind_meet(sc: SparkContext) -> None:
    keys = [1, 1.0, True, None, (None, 1), ("a", None), "é", b"x", float("nan"), frozenset({1, 2})]
    pairs = sc.parallelize([(key, 1) for key in keys * 3], 4)
    counted = pairs.reduceByKey(add, 3).values().collect()
    # 1, 1.0 and True are one key; every NaN object is a key of its own unless it is the same one
    assert sum(counted) == 30
    assert sorted(counted, reverse=True)[0] == 9
    assert pairs.filter(lambda kv: kv[0] is None).groupByKey(3).mapValues(len).collect() == [
        (None, 3)
    ]


def test_join_cogroup_union_and_cartesian(sc: SparkContext) -> None:
    left = sc.parallelize([(n % 5, n) for n in range(20)], 3)
    right = sc.parallelize([(n % 7, -n) for n in range(14)], 2)
    plain = [
        (a, (x, y))
        for a, x in [(n % 5, n) for n in range(20)]
        for b, y in [(n % 7, -n) for n in range(14)]
        if a == b
    ]
    assert sorted(left.join(right).collect()) == sorted(plain)
    assert len(left.fullOuterJoin(right).collect()) == len(plain) + 4
    grouped = dict(left.cogroup(right).mapValues(lambda v: (len(v[0]), len(v[1]))).collect())
    assert grouped == {0: (4, 2), 1: (4, 2), 2: (4, 2), 3: (4, 2), 4: (4, 2), 5: (0, 2), 6: (0, 2)}
    assert left.union(right).count() == 34
    assert left.cartesian(right).count() == 280


@pytest.mark.parametrize("ascending", [True, False])
def test_sorting_is_total_and_stable(sc: SparkContext, ascending: bool) -> None:
    rows = [(n * 7919 % 101, n) for n in range(2000)]
    found = sc.parallelize(rows, 4).sortByKey(ascending, 3)
    assert found.keys().collect() == sorted((k for k, _ in rows), reverse=not ascending)
    sizes = [len(part) for part in found.glom().collect()]
    assert len(sizes) == 3 and max(sizes) < 1500


def test_nothing_runs_until_an_action(sc: SparkContext, recorder) -> None:
    def explode(row: int) -> int:
        raise AssertionError("a transformation must not run")

    data = sc.parallelize(range(10), 2).map(explode).filter(explode)
    data.map(lambda n: (n, n)).reduceByKey(add).sortByKey().zipWithIndex().cache()
    assert not recorder.starts()


def test_first_of_a_huge_range_calls_the_function_once(sc: SparkContext) -> None:
    calls = sc.accumulator(0)

    def counted(n: int) -> int:
        calls.add(1)
        return n

    assert sc.range(0, 10**12, 1, 4).map(counted).first() == 0
    assert calls.value == 1


def test_take_runs_one_task_and_an_iterator_one_at_a_time(sc: SparkContext, recorder) -> None:
    data = sc.parallelize(range(100), 10)
    assert data.take(1) == [0]
    assert len(recorder.starts()) == 1
    recorder.clear()
    rows = data.toLocalIterator()
    assert next(rows) == 0
    assert len(recorder.starts()) == 1
    assert list(rows) == list(range(1, 100))
    assert len(recorder.starts()) == 10


def test_a_finished_shuffle_is_used_again(sc: SparkContext, recorder) -> None:
    counts = sc.parallelize(range(100), 4).map(lambda n: (n % 3, 1)).reduceByKey(add, 2)
    assert counts.count() == 3
    assert len(recorder.starts()) == 6
    recorder.clear()
    assert sorted(counts.collect()) == [(0, 34), (1, 33), (2, 33)]
    assert len(recorder.starts()) == 2


def test_a_long_lineage(sc: SparkContext) -> None:
    data = sc.parallelize(range(4), 2)
    for _ in range(5000):
        data = data.map(lambda n: n + 1)
    assert data.collect() == [5000, 5001, 5002, 5003]


def test_many_empty_partitions(sc: SparkContext) -> None:
    count = 10_000 if not sc.master.startswith("ray") else 1_000
    assert sc.parallelize([], count).count() == 0


def test_tasks_know_who_they_are(sc: SparkContext) -> None:
    sc.setLocalProperty("colour", "red")

    def describe(rows):
        task = TaskContext.get()
        yield task.partitionId(), task.attemptNumber(), task.getLocalProperty("colour")

    assert sc.parallelize(range(4), 4).mapPartitions(describe).collect() == [
        (n, 0, "red") for n in range(4)
    ]
    sc.setLocalProperty("colour", None)
    assert TaskContext.get() is None


def test_broadcasts_and_accumulators(sc: SparkContext) -> None:
    table = sc.broadcast({n: n * n for n in range(100)})
    seen = sc.accumulator(0)

    def look(n: int) -> int:
        seen.add(1)
        return table.value[n]

    assert sc.parallelize(range(100), 4).map(look).sum() == sum(n * n for n in range(100))
    assert seen.value == 100
    table.destroy()


def test_a_barrier_stage_meets(sc: SparkContext) -> None:
    def meet(rows):
        task = BarrierTaskContext.get()
        mine = str(sum(rows))
        yield task.allGather(mine)

    gathered = sc.parallelize([1, 2, 3, 4], 2).barrier().mapPartitions(meet).collect()
    assert gathered == [["3", "7"], ["3", "7"]]


def test_text_goes_out_and_comes_in(sc: SparkContext, tmp_path: Path) -> None:
    folder = str(tmp_path / "lines")
    sc.parallelize([f"line {n}" for n in range(50)], 3).saveAsTextFile(folder)
    assert sorted(os.listdir(folder)) == ["_SUCCESS", "part-00000", "part-00001", "part-00002"]
    assert sorted(sc.textFile(folder).collect()) == sorted(f"line {n}" for n in range(50))
    with pytest.raises(Exception, match="already exists"):
        sc.parallelize(["x"]).saveAsTextFile(folder)


def test_checkpoints_cut_lineage(sc: SparkContext, tmp_path: Path, recorder) -> None:
    sc.setCheckpointDir(str(tmp_path / "checkpoints"))
    for method in ("checkpoint", "localCheckpoint"):
        calls = sc.accumulator(0)

        def counted(n: int, calls=calls) -> int:
            calls.add(1)
            return n * 2

        data = sc.parallelize(range(10), 2).map(counted)
        getattr(data, method)()
        assert data.collect() == list(range(0, 20, 2))
        before = calls.value
        assert data.map(lambda n: n + 1).collect() == list(range(1, 21, 2))
        assert calls.value == before, "the lineage below a checkpoint ran again"
        assert data.isCheckpointed()
        assert "counted" not in data.toDebugString().decode()


def test_cached_rows_are_read_where_they_are(sc: SparkContext, recorder) -> None:
    calls = sc.accumulator(0)

    def counted(n: int) -> int:
        calls.add(1)
        return n

    data = sc.parallelize(range(40), 4).map(counted).cache()
    for _ in range(5):
        assert data.sum() == 780
    assert calls.value == 40
    assert data.is_cached and data.getStorageLevel() == StorageLevel.MEMORY_ONLY
    data.unpersist(blocking=True)
    assert data.sum() == 780
    assert calls.value == 80

"""How much runs: nothing while a plan is made, and no more than an answer needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from operator import add

import pytest
from contexts import Recorder

from minispark import SparkContext


@pytest.fixture
def recorder(local_sc: SparkContext) -> Iterator[Recorder]:
    heard = Recorder()
    local_sc._session.add_listener(heard)
    yield heard
    local_sc._session.remove_listener(heard)


def test_defining_a_plan_runs_nothing(local_sc: SparkContext, recorder: Recorder) -> None:
    rows = local_sc.range(0, 100, 1, 4)
    pairs = rows.keyBy(lambda x: x % 3)
    plans = [
        rows.sortBy(lambda x: -x),
        pairs.sortByKey(numPartitions=3),
        rows.zipWithIndex(),
        rows.distinct().repartition(3).coalesce(2).glom(),
        pairs.join(pairs).groupByKey(),
        *rows.randomSplit([1, 2]),
        rows.sample(True, 0.5),
        pairs.reduceByKey(add).cache(),
    ]
    assert all(plan.getNumPartitions() for plan in plans)
    assert recorder.starts() == []


def test_the_first_of_a_trillion(local_sc: SparkContext, recorder: Recorder) -> None:
    calls = local_sc.accumulator(0)

    def seen(x: int) -> int:
        calls.add(1)
        return x

    assert local_sc.range(0, 10**12, 1, 4).map(seen).first() == 0
    assert calls.value == 1
    assert len(recorder.starts()) == 1


def test_take_asks_for_more_partitions_as_it_needs_them(
    local_sc: SparkContext, recorder: Recorder
) -> None:
    rows = local_sc.range(0, 100, 1, 20)
    assert rows.take(3) == [0, 1, 2]
    assert len(recorder.starts()) == 1
    recorder.clear()
    assert rows.filter(lambda x: x >= 12).take(2) == [12, 13]  # partitions 0, then 1 to 4
    assert len(recorder.starts()) == 5


@pytest.mark.parametrize("ahead", [False, True])
def test_a_local_iterator_goes_partition_by_partition(
    local_sc: SparkContext, recorder: Recorder, ahead: bool
) -> None:
    rows = local_sc.range(0, 6, 1, 3).toLocalIterator(ahead)
    assert recorder.starts() == []
    assert next(rows) == 0
    time.sleep(0.3)
    assert len(recorder.starts()) == (2 if ahead else 1)
    assert list(rows) == [1, 2, 3, 4, 5]
    assert len(recorder.starts()) == 3


def test_lookup_reads_one_partition(local_sc: SparkContext, recorder: Recorder) -> None:
    placed = local_sc.parallelize([(str(i), i) for i in range(20)]).partitionBy(8)
    assert placed.count() == 20
    recorder.clear()
    assert placed.lookup("7") == [7]
    assert len(recorder.starts()) == 2  # where the key is, and its values


def test_what_is_partitioned_alike_is_joined_where_it_is(
    local_sc: SparkContext, recorder: Recorder
) -> None:
    rows = local_sc.parallelize([(i, i) for i in range(20)], 3)
    left, right = rows.partitionBy(4), rows.mapValues(str).partitionBy(4)
    assert left.join(right).mapValues(len).reduceByKey(add).count() == 20
    assert len(recorder.starts()) == 3 + 3 + 4


def test_an_estimate_keeps_its_time(local_sc: SparkContext) -> None:
    def slow(x: int) -> int:
        time.sleep(1)
        return x

    rows = local_sc.range(0, 20, 1, 20).map(slow)
    began = time.monotonic()
    assert rows.countApprox(100) == 0
    assert time.monotonic() - began < 0.3
    assert local_sc.parallelize([1, 2]).sum() == 3  # the executors are free again


def test_estimates_of_what_was_seen(local_sc: SparkContext) -> None:
    def late(index: int, rows: Iterator[int]) -> Iterator[int]:
        if index > 3:
            time.sleep(30)
        return rows

    rows = local_sc.range(0, 60, 1, 6).mapPartitionsWithIndex(late)
    total = rows.sumApprox(1500, 0.9)
    assert total.confidence == 0.9
    assert total.low < total < total.high
    assert float(total) == pytest.approx(sum(range(40)) * 6 / 4)
    mean = rows.meanApprox(1500)
    assert mean == 19.5
    assert mean.low < 19.5 < mean.high

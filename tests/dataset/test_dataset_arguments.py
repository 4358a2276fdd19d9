"""Arguments that make no sense, and user functions that do what they should not."""

from __future__ import annotations

import copy
import pickle
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from minispark import Dataset, SparkContext, StorageLevel
from minispark.errors import PySparkRuntimeError


@pytest.fixture(scope="module")
def rows(local_sc: SparkContext) -> Dataset:
    return local_sc.parallelize([(i % 3, i) for i in range(10)], 2)


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda d: d.repartition(0), ValueError, "must be positive"),
        (lambda d: d.coalesce(-1), ValueError, "must be positive"),
        (lambda d: d.reduceByKey(max, 0), ValueError, "must be positive"),
        (lambda d: d.sortByKey(numPartitions=-2), ValueError, "must be positive"),
        (lambda d: d.join(d, "2"), TypeError, "int, not str"),
        (lambda d: d.partitionBy(2.0), TypeError, "int, not float"),
        (lambda d: d.take("2"), TypeError, "int, not str"),
        (lambda d: d.takeOrdered(-1), ValueError, "cannot be negative"),
        (lambda d: d.sample(False, -0.1), ValueError, "nonnegative"),
        (lambda d: d.randomSplit([1, -1]), ValueError, "nonnegative"),
        (lambda d: d.randomSplit([0, 0]), ValueError, "positive"),
        (lambda d: d.sampleByKey(False, {0: -1}), AssertionError, "Negative fraction"),
        (lambda d: d.takeSample(False, -1), ValueError, "cannot be negative"),
        (lambda d: d.treeReduce(max, 0), ValueError, "smaller than 1"),
        (lambda d: d.zip(d.repartition(3)), ValueError, "same number of partitions: 2 and 3"),
        (lambda d: d.union([1]), TypeError, "A dataset is needed here, not list"),
        (lambda d: d + [1], TypeError, "A dataset is needed here"),
        (lambda d: d.persist("MEMORY_ONLY"), TypeError, "StorageLevel, not str"),
        (lambda d: d.countApproxDistinct(1e-6), ValueError, "greater than"),
        (lambda d: d.sumApprox(10, 2.0), ValueError, r"in \[0,1\]"),
        (lambda d: d.values().histogram([3, 1]), ValueError, "sorted"),
        (lambda d: d.values().histogram([1, 1]), ValueError, "duplicated"),
        (lambda d: d.values().histogram({}), TypeError, "list or tuple"),
        (lambda d: d.setName(5), TypeError, "str, not int"),
        (lambda d: d.withResources({}), TypeError, "ResourceProfile"),
        (lambda d: d.saveAsTextFile("x", "NoCodec"), ValueError, "NoCodec"),
        (lambda d: d.saveAsSequenceFile("x"), NotImplementedError, "saveAsSequenceFile"),
    ],
)
def test_refused(
    rows: Dataset, ask: Callable[[Dataset], Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        ask(rows)


def test_partitions_of_unequal_length_cannot_be_zipped(local_sc: SparkContext) -> None:
    with pytest.raises(ValueError, match="number of elements"):
        local_sc.parallelize(range(4), 2).zip(local_sc.parallelize(range(5), 2)).collect()


def test_another_level_needs_an_unpersist(local_sc: SparkContext) -> None:
    kept = local_sc.parallelize([1]).persist(StorageLevel.DISK_ONLY)
    with pytest.raises(ValueError, match="unpersist"):
        kept.cache()
    assert kept.unpersist().cache().getStorageLevel() == StorageLevel.MEMORY_ONLY


def stop(*_: Any) -> Any:
    raise StopIteration


@pytest.mark.parametrize(
    "run",
    [
        lambda d: d.map(stop).collect(),
        lambda d: d.filter(stop).collect(),
        lambda d: d.flatMap(stop).collect(),
        lambda d: d.keyBy(stop).collect(),
        lambda d: d.mapValues(stop).collect(),
        lambda d: d.flatMapValues(stop).collect(),
        lambda d: d.groupBy(stop).collect(),
        lambda d: d.sortBy(stop).collect(),
        lambda d: d.foreach(stop),
        lambda d: d.reduce(stop),
        lambda d: d.fold(0, stop),
        lambda d: d.aggregate(0, stop, stop),
        lambda d: d.treeAggregate(0, stop, stop),
        lambda d: d.reduceByKey(stop).collect(),
        lambda d: d.reduceByKeyLocally(stop),
        lambda d: d.aggregateByKey(0, stop, stop).collect(),
        lambda d: d.top(2, key=stop),
        lambda d: d.max(key=stop),
    ],
)
def test_stop_iteration_is_an_error(rows: Dataset, run: Callable[[Dataset], Any]) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        run(rows)


def test_zero_values_may_be_changed(local_sc: SparkContext) -> None:
    """Each partition folds into a zero of its own, and the user's zero stays as it was."""

    def count(found: dict[int, int], row: int) -> dict[int, int]:
        found[row] += 1
        return found

    def join(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
        for key, number in other.items():
            one[key] += number
        return one

    zero: dict[int, int] = defaultdict(int)
    rows = local_sc.parallelize(list(range(5)) * 2, 4)
    expected = dict.fromkeys(range(5), 2)
    assert rows.aggregate(zero, count, join) == expected
    assert rows.treeAggregate(zero, count, join) == expected
    lists = rows.map(lambda x: (x % 2, x)).aggregateByKey(
        [], lambda found, x: [*found, x], lambda one, other: one + other
    )
    assert {key: sorted(found) for key, found in lists.collect()} == {
        0: [0, 0, 2, 2, 4, 4],
        1: [1, 1, 3, 3],
    }
    assert zero == {}


def test_a_handle_stays_in_the_driver(local_sc: SparkContext, rows: Dataset) -> None:
    with pytest.raises(PySparkRuntimeError, match="only be used in the driver"):
        pickle.dumps(rows)
    with pytest.raises(PySparkRuntimeError):
        copy.copy(rows)
    with pytest.raises(pickle.PicklingError, match="only be used in the driver"):
        rows.map(lambda row: rows.count()).collect()


def test_a_command_that_fails(local_sc: SparkContext) -> None:
    rows = local_sc.parallelize(["1", "2"], 2)
    assert rows.pipe("grep 3").collect() == []
    with pytest.raises(RuntimeError, match="exited with error code 1"):
        rows.pipe("grep 3", checkCode=True).collect()
    with pytest.raises(FileNotFoundError):
        rows.pipe("there-is-no-such-command").collect()
    with pytest.raises(ZeroDivisionError):
        local_sc.parallelize([1, 0], 1).map(lambda x: 1 // x).pipe("cat").collect()
    assert local_sc.range(0, 10**6, 1, 1).pipe("head -n 2").collect() == ["0", "1"]
    assert local_sc.range(0, 10**6, 1, 1).pipe("cat").take(1) == ["0"]

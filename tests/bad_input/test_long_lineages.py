"""Lineages of thousands of transformations, and thousands of partitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import pytest
from bad import refused, said, works

from minispark import SparkContext

LONG = 5000


def repeated(data: Any, step: Callable[[Any], Any], times: int) -> Any:
    return reduce(lambda dataset, _: step(dataset), range(times), data)


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (lambda d: d.map(lambda n: n + 1), [LONG, LONG + 1, LONG + 2, LONG + 3]),
        (lambda d: d.filter(lambda n: n > 1), [2, 3]),
        (lambda d: d.flatMap(lambda n: [n]), [0, 1, 2, 3]),
        (lambda d: d.mapPartitions(list), [0, 1, 2, 3]),
    ],
    ids=["map", "filter", "flatMap", "mapPartitions"],
)
def test_five_thousand(
    local_sc: SparkContext, step: Callable[[Any], Any], answer: list[int]
) -> None:
    data = repeated(local_sc.parallelize(range(4), 2), step, LONG)
    assert data.collect() == answer
    assert len(repr(data)) < 100
    assert works(local_sc)


def test_five_thousand_of_pairs(local_sc: SparkContext) -> None:
    pairs = local_sc.parallelize([("a", 0)], 2)
    pairs = repeated(
        pairs, lambda p: p.mapValues(lambda n: n + 1).flatMapValues(lambda n: [n]), 2500
    )
    assert pairs.collect() == [("a", 2500)]


def test_an_exception_at_the_bottom_of_it(local_sc: SparkContext) -> None:
    data = local_sc.parallelize(range(4), 2).map(lambda n: 1 // n)
    data = repeated(data, lambda d: d.map(lambda n: n + 1), LONG)
    with refused(local_sc, ZeroDivisionError, "in partition 0 of stage") as caught:
        data.collect()
    line = test_an_exception_at_the_bottom_of_it.__code__.co_firstlineno + 1
    assert f"map at test_long_lineages.py:{line}" in said(caught.value)


def test_its_picture_and_its_name(local_sc: SparkContext) -> None:
    data = repeated(local_sc.parallelize([1], 1), lambda d: d.map(abs), LONG)
    assert data.toDebugString().count(b"map at test_long_lineages.py") == LONG


def test_kept_all_along_the_way(local_sc: SparkContext) -> None:
    data = repeated(local_sc.parallelize(range(4), 2), lambda d: d.map(abs).cache(), 300)
    assert data.sum() == 6
    assert works(local_sc)


def test_unions(local_sc: SparkContext) -> None:
    ones = [local_sc.parallelize([1], 1) for _ in range(500)]
    assert local_sc.union(ones).sum() == 500
    assert reduce(lambda one, other: one.union(other), ones).sum() == 500
    assert repeated(local_sc.parallelize([1], 1), lambda d: d.union(d), 9).sum() == 512


def test_two_hundred_shuffles_in_a_row(local_sc: SparkContext) -> None:
    pairs = local_sc.parallelize([(n % 4, 1) for n in range(16)], 2)
    sums = repeated(pairs, lambda p: p.reduceByKey(add, 2).map(lambda kv: (kv[0], kv[1] + 1)), 200)
    assert sorted(sums.collect()) == [(key, 204) for key in range(4)]
    assert sorted(sums.collect()) == [(key, 204) for key in range(4)], "from the finished shuffles"


def test_two_hundred_joins_in_a_row(local_sc: SparkContext) -> None:
    left = local_sc.parallelize([(1, 0), (2, 0)], 2)
    one = local_sc.parallelize([(1, 1), (2, 1)], 2)
    joined = repeated(left, lambda d: d.join(one, 2).mapValues(sum), 200)
    assert sorted(joined.collect()) == [(1, 200), (2, 200)]


def test_zips_and_coalesces(local_sc: SparkContext) -> None:
    data = local_sc.parallelize(range(4), 2)
    assert repeated(data, lambda d: d.zip(data).keys(), 200).collect() == [0, 1, 2, 3]
    assert repeated(data, lambda d: d.coalesce(2).map(abs), 500).collect() == [0, 1, 2, 3]


def test_ten_thousand_empty_partitions(local_sc: SparkContext) -> None:
    empty = local_sc.parallelize([], 10_000)
    assert empty.getNumPartitions() == 10_000
    assert empty.map(lambda n: (n, 1)).reduceByKey(add, 3).collect() == []
    assert works(local_sc)

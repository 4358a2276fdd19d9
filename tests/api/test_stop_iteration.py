"""A StopIteration that a function lets out fails the job; it never ends it early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minispark import SparkContext


def stops(*_: Any) -> Any:
    raise StopIteration


def stops_late(rows: Iterator[Any]) -> Any:
    for _ in rows:
        pass
    return next(rows)


CASES: dict[str, Callable[[SparkContext], Any]] = {
    "mapPartitions": lambda sc: sc.range(4).mapPartitions(stops).collect(),
    "mapPartitions, late": lambda sc: sc.range(4).mapPartitions(stops_late).collect(),
    "mapPartitionsWithIndex": lambda sc: sc.range(4).mapPartitionsWithIndex(stops).count(),
    "foreachPartition": lambda sc: sc.range(4).foreachPartition(stops),
    "foreachPartition, late": lambda sc: sc.range(4).foreachPartition(stops_late),
    "foreach": lambda sc: sc.range(4).foreach(stops),
    "runJob": lambda sc: sc.runJob(sc.range(4), stops),
    "barrier": lambda sc: sc.range(4, numSlices=2).barrier().mapPartitions(stops).collect(),
    "toLocalIterator": lambda sc: list(sc.range(4).mapPartitions(stops).toLocalIterator()),
    "toLocalIterator, ahead": lambda sc: list(
        sc.range(4).mapPartitions(stops).toLocalIterator(prefetchPartitions=True)
    ),
    "take": lambda sc: sc.range(4).mapPartitions(stops).take(1),
    "partitionBy": lambda sc: sc.range(4).keyBy(abs).partitionBy(2, stops).collect(),
    "zipWithIndex": lambda sc: sc.range(4).mapPartitions(stops).zipWithIndex().collect(),
    "saveAsTextFile": lambda sc: sc.range(4).mapPartitions(stops).saveAsTextFile("/tmp/never"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_fails_the_job(sc: SparkContext, case: Callable[[SparkContext], Any]) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        case(sc)
    assert sc.range(4).sum() == 6

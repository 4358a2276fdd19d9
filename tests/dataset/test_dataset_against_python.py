"""What datasets of pairs answer, held to plain Python over random pairs and partitions."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product
from operator import add
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minispark import Dataset, SparkContext

Pair = tuple[Any, Any]
keys = st.one_of(
    st.integers(-5, 5), st.sampled_from(["a", "b", ""]), st.none(), st.tuples(st.integers(0, 2))
)
pairs = st.lists(st.tuples(keys, st.integers(0, 9)), max_size=30)
widths = st.integers(1, 4)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ordered(rows: Any) -> list[Any]:
    return sorted(rows, key=repr)


def by_key(rows: list[Pair]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found


@few
@given(pairs, pairs, widths, widths, st.booleans())
def test_joins(
    sc: SparkContext, a: list[Pair], b: list[Pair], n: int, m: int, placed: bool
) -> None:
    left, right = sc.parallelize(a, n), sc.parallelize(b, m)
    if placed:
        left = left.partitionBy(n)
    ours, theirs = by_key(a), by_key(b)
    every = {
        key: (ours.get(key, []), theirs.get(key, [])) for key in dict.fromkeys([*ours, *theirs])
    }
    full = [
        (key, pair) for key, (v, w) in every.items() for pair in product(v or [None], w or [None])
    ]
    assert ordered(left.fullOuterJoin(right).collect()) == ordered(full)
    expected = [row for row in full if row[0] in ours]
    assert ordered(left.leftOuterJoin(right).collect()) == ordered(expected)
    expected = [row for row in full if row[0] in theirs]
    assert ordered(left.rightOuterJoin(right, 3).collect()) == ordered(expected)
    expected = [row for row in full if row[0] in ours and row[0] in theirs]
    assert ordered(left.join(right).collect()) == ordered(expected)
    groups = left.cogroup(right).mapValues(lambda sides: tuple(map(sorted, sides)))
    assert ordered(groups.collect()) == ordered(
        (key, (sorted(v), sorted(w))) for key, (v, w) in every.items()
    )
    expected = [row for row in a if row[0] not in theirs]
    assert ordered(left.subtractByKey(right).collect()) == ordered(expected)


@pytest.mark.parametrize(
    "theirs", [[(1, "x"), (3, "y")], [(1, 7), (3, 8)], [(3, 8), (1, 7), (1, 9)]]
)
def test_rows_with_parts_lead_a_join_where_the_other_sides_have_none(
    sc: SparkContext, theirs: list[Pair]
) -> None:
    """They lie in memory in their own order. Of several rows of a key, or of values with parts on
    both sides, the right side's order counts."""
    ours = [(key, [key, key]) for key in (3, 2, 1)]
    both = dict(ours)
    found = sc.parallelize(ours, 1).join(sc.parallelize(theirs, 1), 1).collect()
    lead = len(dict(theirs)) == len(theirs) and theirs[0][1] == 7
    wanted = [(3, ([3, 3], 8)), (1, ([1, 1], 7))]
    assert found == (wanted if lead else [(key, (both[key], value)) for key, value in theirs])


@few
@given(pairs, pairs, widths, widths)
def test_sets(sc: SparkContext, a: list[Pair], b: list[Pair], n: int, m: int) -> None:
    left, right = sc.parallelize(a, n), sc.parallelize(b, m)
    assert left.union(right).collect() == a + b
    assert ordered(left.distinct().collect()) == ordered(set(a))
    assert ordered(left.intersection(right).collect()) == ordered(set(a) & set(b))
    assert ordered(left.subtract(right).collect()) == ordered(row for row in a if row not in b)
    assert ordered(left.cartesian(right).collect()) == ordered(product(a, b))
    assert left.zipWithIndex().collect() == [(row, i) for i, row in enumerate(a)]
    numbers = left.zipWithUniqueId().values().collect()
    assert len(set(numbers)) == len(a)
    assert left.zip(left.map(repr)).collect() == [(row, repr(row)) for row in a]


@few
@given(pairs, widths)
def test_folds_by_key(sc: SparkContext, a: list[Pair], n: int) -> None:
    rows, sums = sc.parallelize(a, n), {key: sum(v) for key, v in by_key(a).items()}
    for found in (
        rows.reduceByKey(add),
        rows.reduceByKey(add, 2, lambda key: len(repr(key))),
        rows.partitionBy(3).reduceByKey(add, 3),
        rows.foldByKey(0, add),
        rows.aggregateByKey(0, add, add),
        rows.combineByKey(lambda v: v, add, add),
        rows.groupByKey().mapValues(sum),
        rows.mapValues(lambda v: v).groupByKey(2).mapValues(sum),
    ):
        assert ordered(found.collect()) == ordered(sums.items())
    assert dict(rows.countByKey()) == Counter(key for key, _ in a)
    assert dict(rows.countByValue()) == Counter(a)
    for key in [*sums, "nobody"]:
        assert sorted(rows.lookup(key)) == sorted(by_key(a)[key])
        assert sorted(rows.partitionBy(3).lookup(key)) == sorted(by_key(a)[key])


@few
@given(st.lists(st.integers(-50, 50), max_size=60), widths, st.integers(1, 5), st.booleans())
def test_order(sc: SparkContext, a: list[int], n: int, channels: int, up: bool) -> None:
    rows, expected = sc.parallelize(a, n), sorted(a, reverse=not up)
    assert rows.sortBy(lambda x: x, up, channels).collect() == expected
    found = rows.map(lambda x: (x, -x)).sortByKey(up, channels)
    assert found.keys().collect() == expected
    found = rows.keyBy(lambda x: x // 7).sortByKey(up, channels, keyfunc=lambda key: -key)
    assert found.keys().collect() == sorted((x // 7 for x in a), reverse=up)
    placed = rows.keyBy(lambda x: x).repartitionAndSortWithinPartitions(3, lambda x: x, up)
    for number, part in enumerate(placed.keys().glom().collect()):
        assert part == sorted((x for x in a if x % 3 == number), reverse=not up)
    assert rows.top(4) == sorted(a, reverse=True)[:4]
    assert rows.takeOrdered(4, key=lambda x: -x) == sorted(a, reverse=True)[:4]
    assert rows.take(7) == a[:7]


@few
@given(st.lists(st.integers(), max_size=40), st.integers(1, 9), st.integers(1, 4))
def test_trees(sc: SparkContext, a: list[int], n: int, depth: int) -> None:
    rows = sc.parallelize(a, n)
    assert rows.treeAggregate(0, add, add, depth) == sum(a)
    if a:
        assert rows.treeReduce(max, depth) == rows.reduce(max) == rows.max() == max(a)


@few
@given(pairs, widths, st.integers())
def test_splits_share_out_all_rows(sc: SparkContext, a: list[Pair], n: int, seed: int) -> None:
    parts = sc.parallelize(a, n).randomSplit([1, 0, 2.5], seed)
    assert parts[1].isEmpty()
    assert ordered(row for part in parts for row in part.collect()) == ordered(a)


def test_sorted_partitions_are_even_and_stable(sc: SparkContext) -> None:
    rows = sc.range(0, 40_000, 1, 4).map(lambda x: ((x * 7919) % 101, x))
    found = rows.sortByKey(numPartitions=4)
    assert found.collect() == sorted(rows.collect(), key=lambda pair: pair[0])
    sizes = found.glom().map(len).collect()
    assert max(sizes) < 2 * min(sizes)


@pytest.fixture(scope="module")
def placed(sc: SparkContext) -> Dataset:
    return sc.parallelize([(i, i) for i in range(10)], 2).partitionBy(5)


def test_partitions_of_results(sc: SparkContext, placed: Dataset) -> None:
    two, three = sc.parallelize([(1, 1)], 2), sc.parallelize([(1, 1)], 3)
    assert two.join(three).getNumPartitions() == 5
    assert two.cogroup(three, 7).getNumPartitions() == 7
    assert two.reduceByKey(add).getNumPartitions() == 2
    assert placed.union(placed).getNumPartitions() == 5
    assert placed.union(two).getNumPartitions() == 7
    assert placed.join(two).getNumPartitions() == 5  # the side in place stays where it is
    assert placed.mapValues(str).partitioner == placed.partitioner
    assert placed.filter(bool).partitioner == placed.partitioner
    assert placed.map(lambda row: row).partitioner is None
    assert placed.partitionBy(5) is placed


@pytest.mark.parametrize("width", [0, 3])
def test_no_rows(sc: SparkContext, width: int) -> None:
    rows = sc.parallelize([], 3) if width else sc.emptyRDD()
    assert rows.reduceByKey(add).collect() == rows.sortByKey().collect() == []
    assert rows.join(rows).collect() == rows.distinct().collect() == []
    assert rows.zipWithIndex().collect() == rows.take(3) == rows.lookup(1) == []
    assert rows.sum() == rows.count() == rows.countApproxDistinct() == 0
    assert rows.isEmpty()
    for fail in (rows.first, rows.max, lambda: rows.reduce(add), lambda: rows.treeReduce(add)):
        with pytest.raises(ValueError, match="empty"):
            fail()


def test_no_partitions_are_spread(sc: SparkContext) -> None:
    assert sc.emptyRDD().repartition(2).glom().collect() == [[], []]
    assert sc.emptyRDD().sortBy(abs, numPartitions=3).glom().collect() == [[], [], []]

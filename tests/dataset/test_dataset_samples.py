"""Samples, estimates and moments."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest

from minispark import SparkContext, StatCounter
from minispark.dataset.approximate import student
from minispark.dataset.ordering import evenly_spaced


@pytest.mark.parametrize("replaced", [False, True])
def test_a_sample_repeats_itself(sc: SparkContext, replaced: bool) -> None:
    rows = sc.range(0, 2000, 1, 4)
    for seed in (None, 7):
        drawn = rows.sample(replaced, 0.2, seed)
        assert drawn.collect() == drawn.collect()
        assert 300 < drawn.count() < 500
    assert rows.sample(replaced, 0.2, 7).collect() == rows.sample(replaced, 0.2, 7).collect()
    assert rows.sample(replaced, 0.2, 7).collect() != rows.sample(replaced, 0.2, 8).collect()
    assert rows.sample(replaced, 0.0).isEmpty()


def test_samples_of_a_size(sc: SparkContext) -> None:
    rows = sc.range(0, 100, 1, 3)
    for num in (0, 1, 5, 99):
        drawn = rows.takeSample(False, num, 3)
        assert len(drawn) == len(set(drawn)) == num
    assert sorted(rows.takeSample(False, 500, 3)) == rows.collect()
    assert len(rows.takeSample(True, 500, 3)) == 500
    assert rows.takeSample(False, 20, 3) == rows.takeSample(False, 20, 3)


def test_samples_by_key(sc: SparkContext) -> None:
    rows = sc.range(0, 3000, 1, 3).keyBy(lambda x: x % 3)
    for replaced in (False, True):
        found = rows.sampleByKey(replaced, {0: 0.1, 1: 0.5, 2: 0}, 5).countByKey()
        assert 50 < found[0] < 150 < 400 < found[1] < 600
        assert found[2] == 0
    with pytest.raises(KeyError):
        rows.sampleByKey(False, {0: 1.0}).collect()


@pytest.mark.parametrize("count", [0, 1, 5, 40, 41, 1000, 12_345])
def test_a_sample_of_sorted_rows_is_evenly_spaced(count: int) -> None:
    picked, step = evenly_spaced(iter(range(count)), 40)
    assert len(picked) < 40 or count == 0
    assert count <= 39 or len(picked) >= 20
    assert all(0 < after - before <= 2 * step for before, after in itertools.pairwise(picked))
    assert abs(len(picked) * step - count) <= 2 * step


@pytest.mark.parametrize("number", [10, 900, 40_000])
def test_distinct_values_are_estimated(sc: SparkContext, number: int) -> None:
    rows = sc.range(0, 2 * number, 1, 3).map(lambda x: x % number)
    for change in (int, float, str, lambda x: (x, None)):
        assert rows.map(change).countApproxDistinct(0.02) == pytest.approx(number, rel=0.06)


@pytest.mark.parametrize(
    ("freedom", "confidence", "t"),
    [(1, 0.95, 12.706), (5, 0.95, 2.571), (2, 0.99, 9.925), (30, 0.95, 2.042), (99, 0.9, 1.660)],
)
def test_students_quantiles(freedom: int, confidence: float, t: float) -> None:
    assert student(freedom, confidence) == pytest.approx(t, abs=5e-4)


def test_moments(sc: SparkContext) -> None:
    draws = random.Random(3)
    numbers = [draws.gauss(1e6, 1) for _ in range(5000)]
    found = sc.parallelize(numbers, 3).stats()
    assert found.count() == 5000
    assert found.mean() == pytest.approx(statistics.fmean(numbers), rel=1e-12)
    assert found.variance() == pytest.approx(statistics.pvariance(numbers), rel=1e-9)
    assert found.sampleStdev() == pytest.approx(statistics.stdev(numbers), rel=1e-9)
    assert (found.max(), found.min()) == (max(numbers), min(numbers))


def test_moments_of_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    arrays = [numpy.array([1.0, 2.0]), numpy.array([3.0, 4.0])]
    found = StatCounter(arrays[:1]).mergeStats(StatCounter(arrays[1:]))
    assert found.mean().tolist() == [2.0, 3.0]
    assert found.variance().tolist() == found.stdev().tolist() == [1.0, 1.0]
    assert found.max().tolist() == [3.0, 4.0]


def test_counters_are_merged() -> None:
    few, many = StatCounter([1, 2]), StatCounter(range(1, 301))
    assert few.copy().mergeStats(many).mean() == pytest.approx(many.mergeStats(few).mean())
    assert many.count() == 302
    assert few.mergeStats(few).count() == 4
    assert StatCounter().mergeStats(StatCounter()).count() == 0
    assert math.isnan(StatCounter([1, math.nan]).max())
    assert math.isnan(StatCounter([1.0] * 100 + [math.nan]).min())
    with pytest.raises(TypeError, match="Can only merge StatCounter"):
        few.mergeStats([1])  # type: ignore[arg-type]


inf, nan = math.inf, math.nan


@pytest.mark.parametrize(
    ("rows", "buckets", "counts"),
    [
        ([10.01, -0.01], [0, 10], [0]),
        ([1, 2, 3, 4], [0, 4, 10], [3, 1]),
        ([1, 2, 3, 4], [1, 4], [4]),
        ([1, 2, 3, 5, 6, None, nan], [0, 5, 10], [3, 2]),
        ([-0.01, 0.0, 1, 2, 3, 5, 6, 11.0, 11.01], [0, 5, 11], [4, 3]),
        ([10.01, -0.01, nan, inf], [-inf, 0, inf], [1, 2]),
        (["ab", "ac", "b", "bd", "ef"], ["a", "b", "c"], [2, 2]),
    ],
)
def test_histograms(
    sc: SparkContext, rows: list[object], buckets: list[object], counts: list[int]
) -> None:
    assert sc.parallelize(rows, 2).histogram(buckets) == (buckets, counts)


def test_histograms_of_the_whole_range(sc: SparkContext) -> None:
    assert sc.parallelize([1, 2, 3, 4]).histogram(2) == ([1, 2.5, 4], [2, 2])
    assert sc.parallelize([1] * 4).histogram(3) == ([1, 1], [4])
    assert sc.parallelize(["b", "a"]).histogram(1) == (["a", "b"], [2])
    for rows, kind in (([1, inf], ValueError), ([nan], ValueError), (["a", "b"], TypeError)):
        with pytest.raises(kind):
            sc.parallelize(rows).histogram(2)

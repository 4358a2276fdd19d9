"""`spark.python.profile`: the user's functions are seen, in every stage."""

from __future__ import annotations

import os
import pstats
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minispark import BasicProfiler, SparkConf, SparkContext
from minispark.errors import PySparkRuntimeError


@pytest.fixture(params=["inline[2]", "local[2]"])
def profiled(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    conf = SparkConf().set("spark.python.profile", "true")
    with SparkContext(request.param, "profiled", conf=conf) as sc:
        yield sc
        assert sc.profiler_collector is not None
        sc.profiler_collector.profilers.clear()  # nothing is printed when the tests end


def names(stats: Any) -> set[str]:
    return {name for _, _, name in stats.stats}


def heavy(x: int) -> None:
    for _ in range(1000):
        x += 1


def test_a_job_is_profiled(
    profiled: SparkContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    profiled.parallelize(range(100)).foreach(heavy)
    assert profiled.profiler_collector is not None
    ((id, profiler, _),) = profiled.profiler_collector.profilers
    stats = profiler.stats()
    assert stats.stats[next(key for key in stats.stats if key[2] == "heavy")][0] == 100
    for _ in range(2):
        profiled.show_profiles()
    printed = capsys.readouterr().out
    assert printed.count(f"Profile of RDD<id={id}>") == 1
    assert "heavy" in printed
    profiled.dump_profiles(str(tmp_path / "new"))
    assert os.listdir(tmp_path / "new") == [f"rdd_{id}.pstats"]
    assert "heavy" in names(pstats.Stats(str(tmp_path / "new" / f"rdd_{id}.pstats")))
    assert profiled.profiler_collector.profilers == []


def test_every_stage_is_profiled_and_answers_are_the_same(profiled: SparkContext) -> None:
    def pair(x: int) -> tuple[int, int]:
        return x % 3, x

    def second(row: tuple[int, int]) -> int:
        return row[1]

    cached = profiled.range(9, numSlices=3).map(pair).cache()
    sums = cached.reduceByKey(lambda a, b: a + b).map(second)
    assert sorted(sums.collect()) == [9, 12, 15]
    assert sorted(sums.collect()) == [9, 12, 15]
    assert cached.count() == 9
    assert profiled.profiler_collector is not None
    seen = [names(profiler.stats()) for _, profiler, _ in profiled.profiler_collector.profilers]
    assert any("pair" in each for each in seen)
    assert any("second" in each for each in seen)


def test_another_profiler(profiled: SparkContext, capsys: pytest.CaptureFixture[str]) -> None:
    class Mine(BasicProfiler):
        def show(self, id: int) -> None:
            print("mine")

    assert profiled.profiler_collector is not None
    profiled.profiler_collector.profiler_cls = Mine
    assert profiled.range(10).map(lambda x: x).take(3) == [0, 1, 2]
    profiled.show_profiles()
    assert set(capsys.readouterr().out.split()) == {"mine"}


def test_without_the_setting(sc: SparkContext) -> None:
    for use in (sc.show_profiles, lambda: sc.dump_profiles("nowhere")):
        with pytest.raises(PySparkRuntimeError, match="INCORRECT_CONF_FOR_PROFILE"):
            use()

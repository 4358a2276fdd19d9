"""The profile of a stage is a whole pstats.Stats."""

from __future__ import annotations

import pytest

from minispark import SparkConf, SparkContext


def heavy(x: int) -> int:
    return sum(range(x * 100))


@pytest.mark.parametrize("master", ["inline[2]", "local[2]"])
def test_the_functions_of_a_profile_can_be_listed(
    master: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    conf = SparkConf().set("spark.python.profile", "true")
    with SparkContext(master, "profiled", conf=conf) as sc:
        assert sc.parallelize(range(20)).map(heavy).count() == 20
        assert sc.profiler_collector is not None
        ((_, profiler, _),) = sc.profiler_collector.profilers
        sc.profiler_collector.profilers.clear()
        _, places = profiler.stats().get_print_list([])
        assert "heavy" in [name for _, _, name in places]
        profiler.stats().print_stats("heavy")
        assert "heavy" in capsys.readouterr().out

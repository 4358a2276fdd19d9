"""WITHIN GROUP and frames in SQL, against recorded answers of PySpark 4.3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from minispark.sql import SparkSession


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    session = SparkSession.builder.master("inline[1]").getOrCreate()
    yield session
    session.stop()


def test_percentiles_within_a_group(spark: SparkSession) -> None:
    found = spark.sql(
        "select percentile_cont(0.3D) within group (order by x) c, "
        "percentile_disc(0.3D) within group (order by x) d, "
        "percentile_cont(0.3D) within group (order by x desc) e, "
        "percentile_disc(0.3D) within group (order by x desc) "
        "from values (1), (2), (5), (null) v(x)"
    )
    assert found.columns == ["c", "d", "e", "percentile_disc(0.3) WITHIN GROUP (ORDER BY x DESC)"]
    assert found.dtypes[0][1] == "double"
    assert tuple(found.collect()[0]) == pytest.approx((1.6, 1.0, 3.2, 5.0))


def test_text_within_a_group(spark: SparkSession) -> None:
    values = "from values ('a'), ('c'), ('b'), (null) v(x)"
    found = spark.sql(f"select listagg(x, ',') within group (order by x desc) {values}")
    assert found.columns == ["listagg(x, ,) WITHIN GROUP (ORDER BY x DESC NULLS LAST)"]
    assert found.collect()[0][0] == "c,b,a"


def test_the_mode_within_a_group(spark: SparkSession) -> None:
    values = "from values (1), (2), (2), (null) v(x)"
    assert spark.sql(f"select mode() within group (order by x) {values}").collect()[0][0] == 2


def test_frames_of_months_stay_months(spark: SparkSession) -> None:
    found = spark.sql(
        "select d, count(*) over (order by d range between interval '1' month preceding and "
        "current row) n from values (date'2020-01-31'), (date'2020-02-29'), (date'2020-04-01') v(d)"
        " order by d"
    )
    assert [row.n for row in found.collect()] == [1, 2, 1]
    wider = spark.sql(
        "select count(*) over (order by d range between interval '2' month preceding and current "
        "row) n from values (timestamp'2020-01-31'), (timestamp'2020-03-30') v(d) order by n"
    )
    assert [row.n for row in wider.collect()] == [1, 2]

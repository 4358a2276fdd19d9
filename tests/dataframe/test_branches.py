"""What can fail is computed only for the rows that ask for it, in one task and in stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from minispark import SparkContext
from minispark.errors import PySparkException
from minispark.sql import SparkSession
from minispark.sql import functions as F  # noqa: N812


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    made = SparkSession.builder.master("inline[1]").getOrCreate()
    rows = [(0, "a"), (1, "2"), (5, None)]
    made.createDataFrame(rows, "a int, s string").createOrReplaceTempView("t")
    yield made
    made.stop()


@pytest.fixture(params=["auto", "never"])
def anyhow(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """The session, with queries in one task and in stages."""
    spark.conf.set("minispark.sql.singleNode", request.param)
    yield spark
    spark.conf.set("minispark.sql.singleNode", "auto")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("case when true then 1 else raise_error('no') end", [1, 1, 1]),
        ("case when a >= 0 then 1 else raise_error(s) end", [1, 1, 1]),
        ("case when a < 0 then raise_error('no') when a = 0 then 7 end", [7, None, None]),
        ("case when a >= 0 then 1 else 1 / 0 end", [1.0, 1.0, 1.0]),
        ("case when a >= 0 then 1 when raise_error('no') then 2 else 1 / 0 end", [1.0, 1.0, 1.0]),
        ("case when a = 0 then 0 when 10 / a > 1 then 1 else 2 end", [0, 1, 1]),
        ("if(a = 0, null, 10 div a)", [None, 10, 2]),
        ("if(a < 9, rand(1) < 2, raise_error('no'))", [True, True, True]),
        ("if(true, 1, cast(concat('x', 'y') as int))", [1, 1, 1]),
        ("coalesce(a, raise_error('no'))", [0, 1, 5]),
        ("coalesce(s, cast(a as string), raise_error(s))", ["a", "2", "5"]),
        ("nvl(a, 1 / 0)", [0.0, 1.0, 5.0]),
        ("nvl2(a, a, 1 / 0)", [0.0, 1.0, 5.0]),
        ("a >= 0 or raise_error('no')", [True, True, True]),
        ("a < 0 and raise_error('no')", [False, False, False]),
        ("a >= 0 or 1 / 0 > 1", [True, True, True]),
        ("transform(array(a, a + 1), x -> if(x >= 0, x, raise_error('no')))[1]", [1, 2, 6]),
        ("transform(array(a), x -> if(x >= 0, x, raise_error(s)))[0]", [0, 1, 5]),
        ("if(a < 9, if(s = '2', 1, if(a < 9, 2, 1 / 0)), 4)", [2.0, 1.0, 2.0]),
        ("case when a > 9 and s > 'z' then 1 / 0 when s is null then 4.5 else a end", [0, 1, 4.5]),
        ("sum(if(a >= 0, a, raise_error('no'))) over ()", [6, 6, 6]),
        ("(select max(case when b.a >= 0 then 3 else raise_error('no') end) from t b)", [3, 3, 3]),
    ],
)
def test_branches_that_no_row_takes_do_not_raise(
    anyhow: SparkSession, value: str, wanted: list[Any]
) -> None:
    assert [row[0] for row in anyhow.sql(f"select {value} from t").collect()] == wanted


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("case when a = 0 then raise_error(s) else 1 end", "USER_RAISED_EXCEPTION", "] a"),
        ("case when a = 1 then 1 / 0 else 1 end", "DIVIDE_BY_ZERO", "zero"),
        ("coalesce(s, raise_error('no s'))", "USER_RAISED_EXCEPTION", "no s"),
        ("a > 0 or raise_error('none')", "USER_RAISED_EXCEPTION", "none"),
        ("a < 1 and raise_error('small')", "USER_RAISED_EXCEPTION", "small"),
        ("transform(array(a), x -> if(x < 5, x, raise_error('5')))", "USER_RAISED_EXCEPTION", "5"),
    ],
)
def test_branches_that_a_row_takes_raise(
    anyhow: SparkSession, value: str, code: str, message: str
) -> None:
    with pytest.raises(PySparkException) as caught:
        anyhow.sql(f"select {value} from t").collect()
    assert caught.value.getCondition() == code and message in str(caught.value)


def test_branches_of_groups(anyhow: SparkSession) -> None:
    found = anyhow.sql(
        "select a % 5 k, if(sum(a) >= 0, sum(a), raise_error('sum')) s, count(*) n, "
        "max(if(a > 9, raise_error(s), a)) m from t group by a % 5 order by k"
    )
    assert [tuple(row) for row in found.collect()] == [(0, 5, 2, 5), (1, 1, 1, 1)]


def test_a_branch_of_no_rows(anyhow: SparkSession) -> None:
    nothing = anyhow.sql("select if(a > 0, a, 1 / 0) x, coalesce(1, 1 / 0) y from t where a > 7")
    assert nothing.collect() == [] and nothing.dtypes == [("x", "double"), ("y", "double")]
    assert anyhow.sql("select if(false, 1 / 0, 2) x").collect()[0].x == 2


def test_rows_are_checked_by_filters(anyhow: SparkSession) -> None:
    t = anyhow.table("t")
    kept = t.where(F.when(t.a >= 0, F.lit(True)).otherwise(F.raise_error("no")))
    assert kept.count() == 3
    known = t.where(F.col("a") < 5).where(F.when(t.a < 5, True).otherwise(F.raise_error("seen")))
    assert known.count() == 2
    with pytest.raises(PySparkException, match="seen"):
        t.where(F.when(t.a < 5, True).otherwise(F.raise_error("seen"))).count()

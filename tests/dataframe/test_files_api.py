"""`spark.read` and `df.write` as programs use them."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from contexts import make_context

from minispark.errors import AnalysisException, ParseException, SparkRuntimeException
from minispark.sql import SparkSession
from minispark.sql import functions as F  # noqa: N812 - as programs call it


@pytest.fixture(scope="module")
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    context = make_context("inline[2]", request)
    yield SparkSession(context)
    context.stop()


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "orc"])
@pytest.mark.parametrize("staged", ["auto", "never"])
def test_what_is_written_is_read_again(
    spark: SparkSession, tmp_path: Path, form: str, staged: str
) -> None:
    out = str(tmp_path / "out")
    rows = [(n, f"w{n % 3}", n / 4, None if n % 5 else n % 2 == 0) for n in range(50)]
    df = spark.createDataFrame(rows, "n bigint, w string, x double, b boolean")
    spark.conf.set("minispark.sql.singleNode", staged)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "300")
    spark.conf.set("spark.sql.files.openCostInBytes", "0")
    try:
        df.write.partitionBy("w").format(form).save(out)
        found = spark.read.schema("n bigint, x double, b boolean, w string").format(form).load(out)
        assert sorted(map(tuple, found.select("n", "w", "x", "b").collect())) == rows
        some = found.where((F.col("w") == "w1") & (F.col("n") > 40)).select("n")
        assert sorted(row[0] for row in some.collect()) == [43, 46, 49]
        assert found.count() == 50
        assert found.groupBy("w").count().where("w = 'w0'").collect()[0][1] == 17
    finally:
        for key in ("minispark.sql.singleNode", "spark.sql.files.maxPartitionBytes"):
            spark.conf.unset(key)
        spark.conf.unset("spark.sql.files.openCostInBytes")


def test_staged_writes_give_a_file_a_task(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("".join(f"{n}\n" for n in range(1000)))
    spark.conf.set("minispark.sql.singleNode", "never")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "1000")
    spark.conf.set("spark.sql.files.openCostInBytes", "0")
    try:
        df = spark.read.schema("n int").csv(str(tmp_path / "in.csv"))
        df.write.parquet(str(tmp_path / "out"))
        parts = [name for name in os.listdir(tmp_path / "out") if name.startswith("part-")]
        assert len(parts) > 2
        assert len({name[:10] for name in parts}) == len(parts)
        assert spark.read.parquet(str(tmp_path / "out")).agg(F.sum("n")).collect()[0][0] == 499500
    finally:
        for key in ("minispark.sql.singleNode", "spark.sql.files.maxPartitionBytes"):
            spark.conf.unset(key)
        spark.conf.unset("spark.sql.files.openCostInBytes")


def test_datasets_of_lines(spark: SparkSession) -> None:
    sc = spark.sparkContext
    found = spark.read.json(sc.parallelize(['{"b": 1, "a": "x"}', '{"b": 2.5}', "nonsense"], 3))
    assert found.dtypes == [("_corrupt_record", "string"), ("a", "string"), ("b", "double")]
    assert [tuple(row) for row in found.collect()] == [
        (None, "x", 1.0),
        (None, None, 2.5),
        ("nonsense", None, None),
    ]
    lines = sc.parallelize(["n,w", "1,x", "2,y", "3,"], 2)
    table = spark.read.csv(lines, header=True, inferSchema=True)
    assert [tuple(row) for row in table.collect()] == [(1, "x"), (2, "y"), (3, None)]
    given = spark.read.schema("n int").json(sc.parallelize(['{"n": 5}']))
    assert given.collect()[0].n == 5


def test_errors_are_those_that_programs_catch(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(AnalysisException, match="nowhere") as missing:
        spark.read.parquet(str(tmp_path / "nowhere"))
    assert missing.value.getCondition() == "PATH_NOT_FOUND"
    (tmp_path / "bad.csv").write_text("1\nx\n")
    strict = spark.read.schema("n int").csv(str(tmp_path / "bad.csv"), mode="FAILFAST")
    with pytest.raises(SparkRuntimeException, match=r"bad\.csv, line 2") as bad:
        strict.collect()
    assert bad.value.getCondition() == "MALFORMED_RECORD_IN_PARSING"
    with pytest.raises(ParseException):
        spark.read.schema("n intt")
    with pytest.raises(NotImplementedError, match="xml"):
        spark.read.format("xml").load("x")
    with pytest.raises(AnalysisException, match="nonsense"):
        spark.read.format("nonsense").load("x")
    out = str(tmp_path / "out")
    spark.range(3).write.parquet(out)
    own = spark.read.parquet(out)
    with pytest.raises(AnalysisException, match="read from") as overwritten:
        own.write.mode("overwrite").parquet(out)
    assert overwritten.value.getCondition() == "UNSUPPORTED_OVERWRITE.PATH"
    assert own.count() == 3


def test_options_that_nobody_knows_are_told_once(
    spark: SparkSession, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "f.csv").write_text("1\n")
    for _ in range(2):
        spark.read.option("colour", "red").option("Header", "false").csv(str(tmp_path))
    assert len([each for each in recwarn if "colour" in str(each.message)]) == 1
    assert not [each for each in recwarn if "eader" in str(each.message)]


def test_settings_decide_where_options_are_silent(spark: SparkSession, tmp_path: Path) -> None:
    spark.conf.set("spark.sql.parquet.compression.codec", "zstd")
    spark.conf.set("spark.sql.files.maxRecordsPerFile", "4")
    try:
        spark.range(10).write.parquet(str(tmp_path / "out"))
    finally:
        spark.conf.unset("spark.sql.parquet.compression.codec")
        spark.conf.unset("spark.sql.files.maxRecordsPerFile")
    parts = [name for name in os.listdir(tmp_path / "out") if name.startswith("part-")]
    assert len(parts) == 3
    assert all(name.endswith(".zstd.parquet") for name in parts)
    (tmp_path / "out" / "k=01").mkdir()
    (tmp_path / "p/k=01").mkdir(parents=True)
    (tmp_path / "p/k=01/f.txt").write_text("x\n")
    key = "spark.sql.sources.partitionColumnTypeInference.enabled"
    assert spark.read.text(str(tmp_path / "p")).collect()[0].k == 1
    spark.conf.set(key, "false")
    try:
        assert spark.read.text(str(tmp_path / "p")).collect()[0].k == "01"
    finally:
        spark.conf.unset(key)


def test_parquet_keeps_every_type(spark: SparkSession, tmp_path: Path) -> None:
    schema = (
        "i int, s string, d decimal(10,2), day date, t timestamp, nt timestamp_ntz, a array<int>, "
        "m map<string,int>, st struct<x:int,y:string>, b binary, f float, bo boolean, "
        "iv interval day to second, by tinyint, sh smallint"
    )
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)
    length = datetime.timedelta(days=1, hours=2)
    row = (1, "x", Decimal("1.50"), moment.date(), moment, moment, [1, None], {"k": 1}, (1, "q"))
    row = (*row, bytearray(b"ab"), 1.5, True, length, 1, 2)  # type: ignore[assignment]
    df = spark.createDataFrame([row, (None,) * 15], schema)
    df.write.parquet(str(tmp_path / "out"))
    found = spark.read.parquet(str(tmp_path / "out"))
    assert found.dtypes == df.dtypes
    assert found.collect() == df.collect()
    df.select("t").write.option("outputTimestampType", "INT96").parquet(str(tmp_path / "old"))
    assert spark.read.parquet(str(tmp_path / "old")).collect() == df.select("t").collect()

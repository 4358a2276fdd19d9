"""Writes that cannot be, or that are broken off: nothing half written is seen, old rows stay."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bad import Script, said, until

from minispark import SparkContext
from minispark import errors as e
from minispark.sql import SparkSession, functions
from minispark.sql.dataframe import DataFrame

F = functions
OLD = [(7,)]


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    session = SparkSession.builder.master("inline[2]").getOrCreate()
    yield session
    session.stop()


def rows(df: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in df.collect())


def everything(folder: Path) -> dict[str, bytes]:
    """The files below a folder, with what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ---- what is there already -----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_the_modes(spark: SparkSession, tmp_path: Path, form: str) -> None:
    out, df = str(tmp_path / "out"), spark.range(2)

    def found() -> list[tuple[Any, ...]]:
        return rows(spark.read.schema("id long").format(form).load(out))

    df.write.format(form).save(out)
    before = everything(tmp_path)
    for mode in ("error", "errorifexists", "default"):
        with pytest.raises(e.AnalysisException) as caught:
            df.write.format(form).mode(mode).save(out)
        message = str(caught.value)
        assert caught.value.getCondition() == "PATH_ALREADY_EXISTS" and "\n" not in message
        assert f"file:{out} already exists" in message and "overwrite or append" in message
    df.write.format(form).mode("ignore").save(out)
    assert everything(tmp_path) == before
    df.write.format(form).mode("append").save(out)
    assert found() == [(0,), (0,), (1,), (1,)]
    df.write.format(form).mode("overwrite").save(out)
    assert found() == [(0,), (1,)]
    with pytest.raises(e.AnalysisException, match="not 'replace'") as caught:
        df.write.mode("replace")
    assert caught.value.getCondition() == "INVALID_SAVE_MODE"


def test_places_where_no_folder_can_be(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    writer = spark.range(2).write
    for mode in ("error", "append", "overwrite"):
        with pytest.raises(e.AnalysisException, match="file:/.*/file (is a file|already exists)"):
            writer.mode(mode).parquet(str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"
    for place in ("/proc/nope/out", "/dev/null/out", str(tmp_path / "file" / "out")):
        with pytest.raises(OSError, match=f"cannot make the folder file:{place}") as caught:
            writer.mode("error").csv(place)
        assert "\n" not in str(caught.value)
    for path, words in (("", "empty string"), (str(tmp_path / "a\0b"), "NUL")):
        with pytest.raises(e.IllegalArgumentException, match=words):
            writer.csv(path)


def test_what_the_rows_are_read_from(spark: SparkSession, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    spark.range(2).write.parquet(out)
    before = everything(tmp_path)
    df = spark.read.parquet(out)
    for place in (out, str(tmp_path)):
        with pytest.raises(e.AnalysisException, match=f"cannot overwrite {place}, .*elsewhere"):
            df.where("id > 0").write.mode("overwrite").parquet(place)
    assert everything(tmp_path) == before


# ---- what a format cannot hold -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "forms"),
    [
        ("map(1, 2)", "map<int,int>", ["csv", "text"]),
        ("array(1)", "array<int>", ["csv", "text"]),
        ("named_struct('a', 1)", "struct<a:int>", ["csv", "text"]),
        ("null", "void", ["csv", "text", "orc"]),
        ("1", "int", ["text"]),
    ],
)
def test_types(spark: SparkSession, tmp_path: Path, text: str, kind: str, forms: list[str]) -> None:
    df = spark.range(1).selectExpr(f"{text} AS x")
    for form in forms:
        with pytest.raises(e.AnalysisException) as caught:
            df.write.format(form).save(str(tmp_path / "out"))
        assert caught.value.getCondition() == "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"
        assert f"{form} cannot hold the column x, which is {kind}" in str(caught.value)
    df.write.json(str(tmp_path / "json"))
    assert [path.name for path in tmp_path.iterdir()] == ["json"]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda w: w.option("sep", "").csv, e.IllegalArgumentException, "sep cannot be empty"),
        (lambda w: w.option("quote", "ab").csv, e.SparkRuntimeException, "one character"),
        (lambda w: w.option("header", "maybe").csv, e.IllegalArgumentException, "'maybe'"),
        (lambda w: w.option("encoding", "x9").csv, e.IllegalArgumentException, "no encoding 'x9'"),
        (lambda w: w.option("encoding", "x9").json, e.IllegalArgumentException, "utf-16"),
        (lambda w: w.option("maxRecordsPerFile", "x").csv, e.NumberFormatException, "not 'x'"),
        (lambda w: w.option("compression", "zip").parquet, e.IllegalArgumentException, "snappy"),
        (lambda w: w.partitionBy("nope").parquet, e.AnalysisException, "no column nope in id"),
        (lambda w: w.partitionBy("id").parquet, e.AnalysisException, "names all columns"),
        (lambda w: w.format("nope").save, e.AnalysisException, "csv, json, orc, parquet, text"),
        (lambda w: lambda path: w.saveAsTable(""), e.ParseException, "cannot be empty"),
    ],
)
def test_options(
    spark: SparkSession,
    tmp_path: Path,
    change: Callable[[Any], Callable[[str], Any]],
    kind: type[Exception],
    words: str,
) -> None:
    with pytest.raises(kind, match=words) as caught:
        change(spark.range(2).write)(str(tmp_path / "out"))
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_names_that_come_twice(spark: SparkSession, tmp_path: Path) -> None:
    df = spark.range(1)
    for form in ("parquet", "csv", "json", "orc"):
        with pytest.raises(e.AnalysisException, match="column id is there twice: rename") as caught:
            df.select("id", "id").write.format(form).save(str(tmp_path / "out"))
        assert caught.value.getCondition() == "COLUMN_ALREADY_EXISTS"
    assert list(tmp_path.iterdir()) == []


def test_letters_that_are_not_in_the_encoding(spark: SparkSession, tmp_path: Path) -> None:
    df = spark.createDataFrame([("Ωé",)], "s string")
    df.write.csv(str(tmp_path / "out"), encoding="iso-8859-1")
    (part,) = (tmp_path / "out").glob("part-*")
    assert part.read_bytes() == b"?\xe9\n"  # as Spark


# ---- writes that are broken off ------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "orc"])
@pytest.mark.parametrize("mode", ["error", "append", "overwrite"])
def test_a_task_that_fails(spark: SparkSession, tmp_path: Path, form: str, mode: str) -> None:
    out = tmp_path / "out"
    if mode != "error":
        spark.range(7, 8).write.format(form).save(str(out))
    before = everything(tmp_path)

    def fails(n: int) -> int:
        return n // (n - 5)

    df = spark.range(0, 10, 1, 2).repartition(2).select(F.udf(fails, "long")("id").alias("id"))
    with pytest.raises(ZeroDivisionError) as caught:
        df.write.format(form).mode(mode).save(str(out))
    assert "fails(5)" in said(caught.value) and "test_frames_writes.py:" in said(caught.value)
    assert everything(tmp_path) == before
    assert out.exists() == (mode != "error")


def test_a_full_disk(spark: SparkSession, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        spark.range(7, 8).write.parquet(str(tmp_path / "out"))
        before = everything(tmp_path)
        noise = spark.range(40_000).selectExpr("rand(1) AS id", "uuid() AS text")
        for mode in ("overwrite", "append"):
            for form in ("parquet", "json"):
                with pytest.raises(OSError, match="No space left on device") as caught:
                    noise.write.format(form).mode(mode).save(str(tmp_path / "out"))
                assert "\n" not in str(caught.value)
                assert everything(tmp_path) == before
        assert rows(spark.read.parquet(str(tmp_path / "out"))) == OLD
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


WRITES = """
import time
from minispark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[2]").getOrCreate()
spark.range(7, 8).write.parquet("out")

@F.udf("long")
def slow(n):
    if n % 5 == 4:
        open(f"begun-{n}", "w").close()
        time.sleep(30)
    return n

rows = spark.range(0, 10, 1, 2).repartition(2).select(slow("id").alias("id"))
try:
    rows.write.mode("MODE").option("maxRecordsPerFile", 1).parquet("out")
except KeyboardInterrupt:
    print("interrupted", flush=True)
print([row.id for row in spark.read.parquet("out").collect()])
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Script]]:
    scripts: list[Script] = []

    def run(mode: str) -> Script:
        scripts.append(Script(tmp_path, WRITES.replace("MODE", mode), TMPDIR=str(tmp_path)))
        until(lambda: list(tmp_path.glob("begun-*")))
        return scripts[-1]

    yield run
    for script in scripts:
        script.kill()


def test_ctrl_c(start: Callable[[str], Script], tmp_path: Path, spark: SparkSession) -> None:
    script = start("overwrite")
    script.process.send_signal(signal.SIGINT)
    code, out, err = script.end()
    assert (code, out.splitlines()) == (0, ["interrupted", "[7]"]), err
    assert all(name.startswith(("part-", "_SUCCESS")) for name in os.listdir(tmp_path / "out"))
    assert rows(spark.read.parquet(str(tmp_path / "out"))) == OLD


def test_a_driver_that_is_killed(
    start: Callable[[str], Script], tmp_path: Path, spark: SparkSession
) -> None:
    start("append").kill()
    out = str(tmp_path / "out")
    assert rows(spark.read.parquet(out)) == OLD  # what is half written is hidden
    spark.range(8, 9).write.mode("append").parquet(out)
    assert rows(spark.read.parquet(out)) == [(7,), (8,)]
    spark.range(9, 10).write.mode("overwrite").parquet(out)
    assert rows(spark.read.parquet(out)) == [(9,)]

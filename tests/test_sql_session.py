"""SparkSession: how it is built, what it shares with its context, what is not there yet."""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from minispark import InheritableThread, SparkConf, SparkContext, inheritable_thread_target
from minispark.errors import AnalysisException, PySparkRuntimeError, SparkNoSuchElementException
from minispark.sql import SparkSession


@pytest.fixture
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    session = (
        SparkSession.builder.appName("sql").master("inline[2]").config("program.a", 1).getOrCreate()
    )
    yield session
    session.stop()


def test_settings_reach_the_context(spark: SparkSession) -> None:
    sc = spark.sparkContext
    assert (sc.appName, sc.master, sc.getConf().get("program.a")) == ("sql", "inline[2]", "1")
    assert spark.conf.get("program.a") == "1"
    assert spark.conf.getAll["spark.app.name"] == "sql"
    assert sc.parallelize([1, 2, 3]).sum() == 6
    assert spark.version == sc.version


def test_there_is_one_until_it_is_stopped(spark: SparkSession) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = SparkSession.builder.config("program.b", True).appName("sql").getOrCreate()
    assert again is spark
    assert spark.conf.get("program.b") == "true"
    with pytest.warns(UserWarning, match="no effect: spark.app.name"):
        SparkSession.builder.appName("other").getOrCreate()
    assert SparkSession.active() is SparkSession.getActiveSession() is spark
    spark.stop()
    assert SparkSession.getActiveSession() is None
    with pytest.raises(PySparkRuntimeError, match="NO_ACTIVE_SESSION"):
        SparkSession.active()
    with SparkSession.builder.master("inline").getOrCreate() as fresh:
        assert fresh is not spark
        assert fresh.sparkContext.master == "inline"
    assert SparkContext._active_spark_context is None


def test_it_takes_over_a_context() -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    with SparkContext("inline", "mine") as sc:
        spark = SparkSession.builder.config("program.a", "1").getOrCreate()
        assert spark.sparkContext is sc
        assert spark.conf.get("program.a") == "1"
        assert SparkSession(sc).sparkContext is sc


def test_settings_of_a_session(spark: SparkSession) -> None:
    other = spark.newSession()
    assert SparkSession.getActiveSession() is spark
    spark.conf.set("program.c", 5)
    assert (spark.conf.get("program.c"), other.conf.get("program.c", "none")) == ("5", "none")
    assert other.conf.get("program.c", None) is None
    spark.conf.unset("program.c")
    with pytest.raises(SparkNoSuchElementException, match="program.c is not set"):
        spark.conf.get("program.c")
    with pytest.raises(AnalysisException, match="spark.master counts when"):
        spark.conf.set("spark.master", "local")
    assert not spark.conf.isModifiable("spark.master")


def test_builder_takes_a_conf_and_a_mapping() -> None:
    builder = SparkSession.builder.config(conf=SparkConf(False).set("a", 1)).config(map={"b": True})
    assert builder._options == {"a": "1", "b": "true"}
    assert SparkSession.builder._options == {}
    for use in (
        lambda: SparkSession.builder.remote("sc://x"),
        SparkSession.builder.create,
    ):
        with pytest.raises(NotImplementedError, match="SparkSession.builder"):
            use()
    with pytest.warns(UserWarning, match=r"enableHiveSupport .* spark\.sql\.warehouse\.dir"):
        assert SparkSession.builder.config("a", 1).enableHiveSupport()._options == {"a": "1"}


def test_what_is_not_there_yet_is_named(spark: SparkSession) -> None:
    for name in ("streams", "readStream", "tvf", "dataSource"):
        with pytest.raises(NotImplementedError, match=f"SparkSession.{name} is not there yet"):
            getattr(spark, name)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = spark.nonsense
    with pytest.raises(NotImplementedError, match="minispark.sql.SQLContext is not there yet"):
        from minispark.sql import SQLContext  # noqa: F401
    with pytest.raises(ImportError, match="Nonsense"):
        from minispark.sql import Nonsense  # noqa: F401


def test_the_import_paths_of_pyspark() -> None:
    for module, names in {
        "minispark.sql": "SparkSession Row Window functions types Column DataFrame GroupedData",
        "minispark.sql.dataframe": "DataFrame DataFrameNaFunctions DataFrameStatFunctions",
        "minispark.sql.types": "StructType StructField LongType Row",
        "minispark.sql.functions": "col lit udf pandas_udf sum upper countDistinct",
        "minispark.sql.window": "Window WindowSpec",
        "minispark.sql.group": "GroupedData",
        "minispark.sql.udf": "UDFRegistration UserDefinedFunction",
        "minispark.sql.conf": "RuntimeConfig",
        "minispark.sql.readwriter": "DataFrameReader DataFrameWriter",
    }.items():
        found = importlib.import_module(module)
        for name in names.split():
            assert getattr(found, name) is not None


def test_data_of_all_forms_becomes_a_frame(spark: SparkSession) -> None:
    pa, pd = importlib.import_module("pyarrow"), importlib.import_module("pandas")
    pl, np = importlib.import_module("polars"), importlib.import_module("numpy")
    rows = [(1, "a"), (2, None)]
    columns = {"n": [1, 2], "w": ["a", None]}
    for data in (
        rows,
        spark.sparkContext.parallelize(rows),
        pa.table(columns),
        pd.DataFrame(columns),
        pl.DataFrame(columns),
    ):
        df = spark.createDataFrame(data, ["n", "w"])
        assert df.dtypes == [("n", "bigint"), ("w", "string")]
        assert [tuple(row) for row in df.collect()] == rows
    square = spark.createDataFrame(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert square.columns == ["_1", "_2"]
    assert square.toPandas()["_2"].tolist() == [2.0, 4.0]
    assert square.toPolars()["_1"].to_list() == [1.0, 3.0]


def test_many_columns_are_added_quickly(spark: SparkSession) -> None:
    F = importlib.import_module("minispark.sql.functions")
    df, start = spark.range(1), time.perf_counter()
    for at in range(200):
        df = df.withColumn(f"c{at}", F.lit(at) + F.col("id"))
    assert time.perf_counter() - start < 2
    assert df.columns[-1] == "c199"


def test_tags_files_and_threads(spark: SparkSession, tmp_path: Path) -> None:
    spark.addTag("a")
    assert spark.getTags() == spark.sparkContext.getJobTags() == {"a"}
    seen: list[set[str]] = []
    thread = InheritableThread(target=lambda: seen.append(spark.getTags()), session=spark)
    thread.start()
    thread.join()
    wrapped = inheritable_thread_target(spark)(lambda: seen.append(spark.getTags()))
    spark.removeTag("a")
    spark.clearTags()
    wrapped()
    assert seen == [{"a"}, {"a"}]
    spark.clearTags()
    path = tmp_path / "x.txt"
    path.write_text("1")
    spark.addArtifact(str(path), file=True)
    assert spark.sparkContext.listFiles == [f"file:{path}"]
    with pytest.raises(ValueError, match="one of pyfile"):
        spark.addArtifacts(str(path), file=True, pyfile=True)
    assert spark.interruptAll() == []

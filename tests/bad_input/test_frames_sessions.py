"""Sessions: what they are asked that cannot be, settings that cannot be, sessions that ended."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from minispark import JobFailed, SparkContext
from minispark import errors as e
from minispark.sql import SparkSession, functions, types
from minispark.sql.dataframe import DataFrame
from minispark.sql.parser import interpreted

F, T = functions, types


def fresh(**settings: Any) -> SparkSession:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    builder = SparkSession.builder.master("inline[2]")
    return builder.config(
        map={key.replace("__", "."): v for key, v in settings.items()}
    ).getOrCreate()


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    session = fresh(spark__driver__maxResultSize="100k")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def df(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("Ann", 3), ("Bob", 0)], ["name", "age"])


TYPE, VALUE, ANALYSIS = e.PySparkTypeError, e.PySparkValueError, e.AnalysisException
PARSE, ARGUMENT, NONE = e.ParseException, e.IllegalArgumentException, e.SparkNoSuchElementException
FULL = T.StructType([T.StructField("a", T.LongType(), False)])
Asked = Callable[[Any], Any]

OF_SESSIONS: list[tuple[Asked, type[Exception], str | None, str]] = [
    (lambda s: s.sql(None), TYPE, "NOT_EXPECTED_TYPE", "a statement is a str, and not NoneType"),
    (lambda s: s.sql(3), TYPE, "NOT_EXPECTED_TYPE", "not int: 3"),
    (lambda s: s.sql(""), PARSE, "PARSE_EMPTY_STATEMENT", "there is no statement"),
    (lambda s: s.sql(" ; "), PARSE, "PARSE_SYNTAX_ERROR", "there is no statement in ';'"),
    (lambda s: s.sql("-- all of it"), PARSE, "PARSE_SYNTAX_ERROR", "there is no statement"),
    (lambda s: s.sql("SELECT 1; SELECT 2"), PARSE, "PARSE_SYNTAX_ERROR", "only one statement"),
    (lambda s: s.sql("SELECT * FROM"), PARSE, "PARSE_SYNTAX_ERROR", "expected table name"),
    (lambda s: s.sql("SELECT 'a"), PARSE, "PARSE_SYNTAX_ERROR", "is not closed: SELECT 'a"),
    (lambda s: s.sql("SELECT :a"), ANALYSIS, "UNBOUND_SQL_PARAMETER", "for :a; give it in args"),
    (lambda s: s.sql("SELECT ?", []), ANALYSIS, "UNBOUND_SQL_PARAMETER", "the . number 1"),
    (lambda s: s.sql("SELECT :a", "x"), TYPE, "INVALID_TYPE", "args is a dict or a list"),
    (lambda s: s.table(None), TYPE, "NOT_EXPECTED_TYPE", "name of a table is a str"),
    (lambda s: s.table(""), PARSE, "PARSE_EMPTY_STATEMENT", "cannot be empty"),
    (lambda s: s.table("nope"), ANALYSIS, "TABLE_OR_VIEW_NOT_FOUND", "no view or table nope"),
    (lambda s: s.read.parquet(), ANALYSIS, "UNABLE_TO_INFER_SCHEMA", "give a schema"),
    (lambda s: s.read.csv(None), TYPE, "NOT_EXPECTED_TYPE", "csv needs a path"),
    (lambda s: s.read.load([1]), TYPE, "NOT_EXPECTED_TYPE", "a path is a str.*not int: 1"),
    (lambda s: s.read.schema(3), TYPE, "NOT_EXPECTED_TYPE", "a StructType or a str"),
    (lambda s: s.read.format("nope").load("x"), ANALYSIS, "DATA_SOURCE_NOT_FOUND", "csv, json"),
    (lambda s: s.range(0, 5, 0), ARGUMENT, None, "step must not be 0"),
    (lambda s: s.range(0, 5, 1, 0), ARGUMENT, None, "must be positive, not 0"),
    (lambda s: s.conf.get("no.such"), NONE, "SQL_CONF_NOT_FOUND", "no.such"),
    (lambda s: s.conf.get(3), TYPE, "NOT_EXPECTED_TYPE", "the name of a setting is a str"),
    (lambda s: s.conf.set("spark.master", "x"), ANALYSIS, "CANNOT_MODIFY_CONFIG", "builder"),
]  # fmt: skip

OF_FRAMES: list[tuple[Asked, type[Exception], str | None, str]] = [
    (lambda d: d.select(1.5), TYPE, "NOT_EXPECTED_TYPE", r"float: 1.5; lit\(\)"),
    (lambda d: d.limit("a"), TYPE, "NOT_EXPECTED_TYPE", "a whole number, not 'a'"),
    (lambda d: d.limit(-1), ANALYSIS, "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "-1"),
    (lambda d: d.sample(2.0), ARGUMENT, None, "from 0 to 1, and not 2.0"),
    (lambda d: d.sample("a"), TYPE, "NOT_EXPECTED_TYPE", "needs a fraction"),
    (lambda d: d.orderBy(), VALUE, "CANNOT_BE_EMPTY", "at least one column"),
    (lambda d: d.orderBy("age", ascending="x"), TYPE, "NOT_EXPECTED_TYPE", "ascending.*'x'"),
    (lambda d: d.join(d, on=3), TYPE, "NOT_EXPECTED_TYPE", "on takes names, or Columns"),
    (lambda d: d.join(d, on=[]), e.PySparkIndexError, "CANNOT_BE_EMPTY", "use crossJoin"),
    (lambda d: d.join(d, on="x"), ANALYSIS, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "it has name, age"),
    (lambda d: d.join(d, "name", "x"), ANALYSIS, "UNSUPPORTED_JOIN_TYPE", "no join 'x': use one"),
    (lambda d: d.join("x"), TYPE, "NOT_EXPECTED_TYPE", "other must be a DataFrame: 'x'"),
    (lambda d: d.crossJoin(3), TYPE, "NOT_EXPECTED_TYPE", "other must be a DataFrame: 3"),
    (lambda d: d.unionByName(3), TYPE, "NOT_EXPECTED_TYPE", "other must be a DataFrame: 3"),
    (lambda d: d.union(None), TYPE, "NOT_EXPECTED_TYPE", "other must be a DataFrame: None"),
    (lambda d: d.where(3), TYPE, "NOT_EXPECTED_TYPE", "a condition is a Column or a str, not int"),
    (lambda d: d.where(""), PARSE, "PARSE_EMPTY_STATEMENT", "the expression is empty"),
    (lambda d: d.selectExpr(3), TYPE, "NOT_EXPECTED_TYPE", "an expression is a str, and not int"),
    (lambda d: d.colRegex(3), TYPE, "NOT_EXPECTED_TYPE", "colName must be a str: 3"),
    (lambda d: d.dropna(thresh="a"), TYPE, "NOT_EXPECTED_TYPE", "thresh must be an int: 'a'"),
    (lambda d: d.persist("x"), TYPE, "NOT_EXPECTED_TYPE", "a StorageLevel is needed"),
    (lambda d: d.explain("x"), ARGUMENT, None, "no mode 'x': use one of simple"),
    (lambda d: d.randomSplit([]), ARGUMENT, None, "sum of weights must be positive"),
    (lambda d: d.corr(1, "age"), TYPE, "NOT_EXPECTED_TYPE", "not int: 1"),
    (lambda d: d.corr("name", "age"), ARGUMENT, None, "name is string.* columns of numbers"),
    (lambda d: d.approxQuantile("name", [0.5], 0.1), ARGUMENT, None, "name is string"),
    (lambda d: d.approxQuantile("age", [2.0], 0.1), TYPE, "NOT_EXPECTED_TYPE", r"\[2.0\]"),
    (lambda d: d.freqItems(["age"], 1e-5), ARGUMENT, None, "from 0.0001 to 1"),
    (lambda d: d.summary("x"), ARGUMENT, "UNRECOGNIZED_STATISTIC", "x is no statistic: use one"),
]  # fmt: skip


def refuses(ask: Callable[[], Any], kind: type[Exception], code: str | None, words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        ask()
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    assert code is None or caught.value.getCondition() == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(("ask", "kind", "code", "words"), OF_SESSIONS)
def test_what_a_session_cannot_do(
    spark: SparkSession, ask: Asked, kind: type[Exception], code: str | None, words: str
) -> None:
    refuses(lambda: ask(spark), kind, code, words)


@pytest.mark.parametrize(("ask", "kind", "code", "words"), OF_FRAMES)
def test_what_a_frame_cannot_do(
    df: DataFrame, ask: Asked, kind: type[Exception], code: str | None, words: str
) -> None:
    refuses(lambda: ask(df), kind, code, words)


# ---- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "code", "words"),
    [
        ("spark.sql.shuffle.partitions", 0, "REQUIREMENT", "'0' is not a whole number above zero"),
        ("spark.sql.shuffle.partitions", "abc", "TYPE_MISMATCH", "'abc'"),
        ("spark.sql.session.timeZone", "Mars/Base", "TIME_ZONE", "such as Europe/Berlin"),
        ("spark.sql.session.timeZone", "", "TIME_ZONE", "no time zone"),
        ("spark.sql.ansi.enabled", "yes", "TYPE_MISMATCH", "neither true nor false"),
        ("spark.sql.autoBroadcastJoinThreshold", "x", "TYPE_MISMATCH", "is not a size"),
        ("spark.sql.files.maxPartitionBytes", "12xb", "TYPE_MISMATCH", "write 512m"),
        ("spark.sql.sources.partitionOverwriteMode", "x", "OUT_OF_RANGE_OF_OPTIONS", "dynamic"),
        ("spark.sql.files.maxRecordsPerFile", "x", "TYPE_MISMATCH", "not a whole number"),
    ],
)
def test_settings(spark: SparkSession, key: str, value: Any, code: str, words: str) -> None:
    before = spark.conf.get(key, None)
    for ask in (
        lambda: spark.conf.set(key, value),
        lambda: SparkSession.builder.config(key, value).getOrCreate(),
    ):
        refuses(ask, ARGUMENT, f"INVALID_CONF_VALUE.{code}", words)
    refuses(lambda: spark.sql(f"SET {key}={value or 'no'}"), ARGUMENT, None, key)
    assert spark.conf.get(key, None) == before and spark.range(3).count() == 3
    refuses(lambda: spark.conf.set(key, None), ARGUMENT, None, f"{key} cannot be None")


def test_settings_that_can_be(spark: SparkSession) -> None:
    usual = spark.conf.get("spark.sql.session.timeZone")
    for zone in ("+02:00", "UTC+01:30", "PST", "Europe/Berlin", str(usual)):
        spark.conf.set("spark.sql.session.timeZone", zone)
    spark.conf.set("spark.sql.ansi.enabled", "FALSE")
    assert spark.sql("SELECT 1 / 0").first() == (None,)
    spark.conf.unset("spark.sql.ansi.enabled")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(2):
            spark.conf.set("spark.sql.mapKeyDedupPolicy", "LAST_WIN")
    assert ["mapKeyDedupPolicy" in str(each.message) for each in told] == [True]
    assert told[0].filename == __file__


# ---- data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "schema", "kind", "words"),
    [
        ([(1, "x"), (2, "y"), ("q", "z")], "a int, b string", TYPE, "row 3 .*: a is .*, and 'q'"),
        ([(1,), (2,), (3, 4)], "a int", VALUE, "row 3 .* has 2 values, and the schema 1"),
        ([(1,), (None,)], FULL, VALUE, "row 2 .* a is not nullable"),
        ([(1,), (2**40,)], "a int", VALUE, "row 2 of the data: a: .* does not fit int"),
        ([([1],), ([2, "x"],)], "a array<int>", TYPE, "row 2 of the data: element in a .* 'x'"),
        ([(1, 2), (3,)], None, ARGUMENT, "row 2 of the data has 1 values, and others 2"),
        ([(1,)], ["a", "b"], e.PySparkIndexError, "2 names and 1 column: b would have no values"),
        (pa.table({"x": [1]}), ["a", "b"], e.PySparkIndexError, "b would have no values"),
        ([], None, VALUE, "give a schema"),
        ([(None,)], ["a"], VALUE, "nothing but None"),
        ([1], None, TYPE, "tuples, dicts or Rows"),
        (None, None, TYPE, "None"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit(
    spark: SparkSession, data: Any, schema: Any, kind: type[Exception], words: str
) -> None:
    refuses(lambda: spark.createDataFrame(data, schema).collect(), kind, None, words)


@pytest.mark.parametrize("method", ["collect", "toPandas", "toArrow", "toPolars"])
def test_results_that_are_too_large(spark: SparkSession, method: str) -> None:
    large = spark.range(100_000)
    with pytest.raises(JobFailed, match="more than spark.driver.maxResultSize .*102,400") as caught:
        getattr(large, method)()
    assert "\n" not in str(caught.value) and "range at test_frames_sessions.py:" in str(
        caught.value
    )
    assert large.count() == 100_000


def test_to_pandas_without_pandas(df: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    refuses(df.toPandas, e.PySparkImportError, "PACKAGE_NOT_INSTALLED", r"pip install.*toArrow\(\)")


def test_frames_of_another_session(spark: SparkSession, df: DataFrame) -> None:
    other = spark.newSession()
    both = other.range(3).join(df, F.col("id") == df.age)
    assert both.select("name", "id").collect() == [("Bob", 0)]
    df.createOrReplaceTempView("of_the_first")
    refuses(
        lambda: other.table("of_the_first"), ANALYSIS, "TABLE_OR_VIEW_NOT_FOUND", "of_the_first"
    )


# ---- the parser ----------------------------------------------------------------------------------


def test_a_compiled_parser_is_read_from_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sqlglot[c]`: of compiled classes none can be made, so the sources are taken."""

    def is_source(found: ModuleType) -> bool:
        return not interpreted._of_parsers(found.__name__)

    usual = interpreted.module("sqlglot.parsers.spark").SparkParser
    monkeypatch.setattr(interpreted, "_is_source", is_source)
    found = interpreted.module("sqlglot.parsers.spark").SparkParser
    mine = [each for each in found.__mro__ if each in usual.__mro__]
    assert found is not usual and mine == [object]

    class Own(found):  # type: ignore[misc, valid-type]
        STRICT_CAST = False

    from sqlglot.dialects.spark import Spark

    dialect = Spark()
    text = "SELECT a + 1 FROM t"
    (tree,) = Own(dialect=dialect).parse(dialect.tokenize(text), text)
    assert tree.sql("spark") == text


# ---- after the end -------------------------------------------------------------------------------

AFTER: list[Asked] = [
    lambda d: d.collect(),
    lambda d: d.count(),
    lambda d: d.show(),
    lambda d: d.first(),
    lambda d: d.toPandas(),
    lambda d: d.toArrow(),
    lambda d: list(d.toLocalIterator()),
    lambda d: d.select("id"),
    lambda d: d.where("id > 1"),
    lambda d: d.join(d, "id"),
    lambda d: d.groupBy("id").count(),
    lambda d: d.describe(),
    lambda d: d.cache(),
    lambda d: d.rdd,
    lambda d: d.explain(),
    lambda d: d.checkpoint(),
    lambda d: d.foreach(print),
    lambda d: d.write.parquet("/tmp/never written"),
    lambda d: d.sparkSession.range(3),
    lambda d: d.sparkSession.sql("SELECT 1"),
    lambda d: d.sparkSession.sql("SELECT * FROM v"),
    lambda d: d.sparkSession.table("v"),
    lambda d: d.sparkSession.createDataFrame([(1,)]),
    lambda d: d.sparkSession.read.text(__file__),
]


def test_after_stop(df: DataFrame) -> None:  # the last: it ends the session of this module
    session = fresh()
    old = session.range(3)
    old.createOrReplaceTempView("v")
    session.stop()

    def run(ask: Asked) -> None:
        found = ask(old)
        if isinstance(found, DataFrame):  # what is only defined says it when it runs
            found.collect()

    for ask in AFTER:
        refuses(
            lambda ask=ask: run(ask),  # type: ignore[misc]
            e.PySparkRuntimeError,
            "CONTEXT_STOPPED",
            "stopped by stop at test_frames_sessions.py:.*make a new one",
        )
    assert (old.columns, str(old)) == (["id"], "DataFrame[id: bigint]")
    refuses(SparkSession.active, e.PySparkRuntimeError, None, "SparkSession.builder")
    again = fresh()
    assert again.range(3).count() == 3
    again.stop()

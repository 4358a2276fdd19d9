"""Files that are malformed, damaged, gone or at odds: answers as PySpark's, messages that name the
file, the line and what to do."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bad import said
from pyarrow import parquet

from minispark import SparkContext
from minispark import errors as e
from minispark.sql import SparkSession, functions
from minispark.sql.dataframe import DataFrame

F = functions
S = "a int, b string"
WITH = f"{S}, _corrupt_record string"
CSV = 'a,b\n1,x\n2\n3,y,z\nq,w\n5,"open\n6,z\n'
JSON = '{"a":1,"b":"x"}\n{"a":"q","b":"y"}\n{"a":2\n[1,2]\n"s"\nnull\n\n[{"a":7},{"a":8}]\n'


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    session = SparkSession.builder.master("inline[1]").getOrCreate()
    yield session
    session.stop()


def put(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def put_parquet(path: Path, **columns: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)
    return str(path)


def ints(*values: int) -> Any:
    return pa.array(values, pa.int32())


def refuses(ask: Callable[[], Any], kind: type[e.PySparkException], code: str, *words: str) -> None:
    """It raises `kind` with one line that has all `words`."""
    with pytest.raises(kind) as caught:
        ask()
    message = str(caught.value)
    assert type(caught.value) is kind and caught.value.getCondition() == code
    assert "\n" not in message and "#" not in message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"


def rows(df: DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in df.collect()]


# ---- malformed rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [False, True])
def test_malformed_csv(spark: SparkSession, tmp_path: Path, many: bool) -> None:
    path = put(tmp_path / "m.csv", CSV)
    last: list[tuple[Any, ...]] = [(5, "open\n6,z\n")] if many else [(5, "open"), (6, "z")]

    def read(schema: str = S, **options: Any) -> DataFrame:
        return spark.read.csv(path, schema=schema, header=True, multiLine=many, **options)

    kept = [(1, "x"), (2, None), (3, "y"), (None, "w"), *last]
    assert rows(read()) == rows(read(mode="unheard of")) == kept
    texts = [None, "2", "3,y,z", "q,w", None, None]
    marked = [(*row, text) for row, text in zip(kept, texts, strict=False)]
    assert rows(read(WITH)) == marked
    assert rows(read(f"{S}, bad string", columnNameOfCorruptRecord="bad")) == marked
    assert rows(read(mode="DROPMALFORMED")) == [(1, "x"), *last]
    for schema in (S, WITH):
        refuses(
            lambda schema=schema: read(schema, mode="FAILFAST").collect(),  # type: ignore[misc]
            e.SparkRuntimeException,
            "MALFORMED_RECORD_IN_PARSING",
            f"file:{path}, line 3: the record '2'",
            "it has 1 field, and the schema 2",
            "DROPMALFORMED leaves it out",
        )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x,y\n", "'x' in the column a is no int"),
        ("1,y,z\n", "it has 3 fields, and the schema 2"),
        ("99999999999,y\n", "'99999999999' in the column a is no int"),
        (f"{'x' * 5000},y\n", "no int"),
    ],
)
def test_what_is_wrong_in_a_line_of_csv(
    spark: SparkSession, tmp_path: Path, text: str, why: str
) -> None:
    path = put(tmp_path / "m.csv", f"1,y\n{text}")
    df = spark.read.csv(path, schema=S, mode="FAILFAST")
    refuses(
        df.collect, e.SparkRuntimeException, "MALFORMED_RECORD_IN_PARSING", "m.csv, line 2", why
    )
    with pytest.raises(e.SparkRuntimeException) as caught:
        df.collect()
    assert len(str(caught.value)) < 700


def test_malformed_json(spark: SparkSession, tmp_path: Path) -> None:
    path = put(tmp_path / "m.json", JSON)
    nothing = [(None, None)] * 4
    kept = [(1, "x"), (None, "y"), *nothing, (7, None), (8, None)]
    assert rows(spark.read.json(path, schema=S)) == kept
    texts = [None, '{"a":"q","b":"y"}', '{"a":2', "[1,2]", '"s"', "null", None, None]
    marked = [(*row, text) for row, text in zip(kept, texts, strict=True)]
    assert rows(spark.read.json(path, schema=WITH)) == marked
    named = spark.read.json(path, f"{S}, bad string", columnNameOfCorruptRecord="bad")
    assert rows(named) == marked
    dropped = spark.read.json(path, schema=S, mode="DROPMALFORMED")
    assert rows(dropped) == [(1, "x"), (7, None), (8, None)]
    found = spark.read.json(path)
    assert found.columns == ["_corrupt_record", "a", "b"]
    told = [text for text, _, _ in rows(found) if text is not None]
    assert told == ['{"a":2', "[1,2]", '"s"', "null"]


@pytest.mark.parametrize(
    ("text", "answer", "why"),
    [
        ('{"a":"q"}', [(None, None)], "'q' in the column a is no int"),
        ('{"a":2', [(None, None)], "it is not JSON (the text ends within a value)"),
        ("3", [(None, None)], "it is no object, nor an array of objects"),
        ('[{"a":1},2]', [(None, None)], "it is no object, nor an array of objects"),
        ('[{"a":1},null]', [(None, None)], "nor an array"),
        ('[{"a":1,"b":"x"},{"a":"q"}]', [(1, "x"), (None, None)], "'q' in the column a is no int"),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_record_of_json(
    spark: SparkSession, tmp_path: Path, text: str, answer: list[Any], why: str, many: bool
) -> None:
    path = put(tmp_path / "m.json", text if many else f'{{"a":0}}\n{text}\n')
    first = [] if many else [(0, None, None)]

    def read(**options: Any) -> DataFrame:
        return spark.read.json(path, schema=WITH, multiLine=many, **options)

    assert rows(read()) == [*first, *((*row, text) for row in answer)]
    assert rows(read(mode="DROPMALFORMED")) == first
    refuses(
        read(mode="FAILFAST").collect,
        e.SparkRuntimeException,
        "MALFORMED_RECORD_IN_PARSING",
        f"file:{path}, line {1 if many else 2}: the record {text!r}",
        why,
    )


def test_columns_that_cannot_be_found_in_malformed_json(
    spark: SparkSession, tmp_path: Path
) -> None:
    put(tmp_path / "in" / "1.json", '{"a":1}\n')
    path = put(tmp_path / "in" / "2.json", '{"a":2}\n{"a":\n')
    refuses(
        lambda: spark.read.json(str(tmp_path / "in"), mode="FAILFAST"),
        e.SparkRuntimeException,
        "MALFORMED_RECORD_IN_PARSING",
        f"file:{path}, line 2: the record",
        "the text ends within a value",
        "PERMISSIVE",
    )


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_column_of_malformed_records(spark: SparkSession, tmp_path: Path, form: str) -> None:
    path = put(tmp_path / "m", "x")
    for kind in ("int", "string NOT NULL"):
        read = spark.read.format(form).schema(f"a int, _corrupt_record {kind}")
        refuses(
            lambda read=read: read.load(path),  # type: ignore[misc]
            e.AnalysisException,
            "INVALID_CORRUPT_RECORD_TYPE",
            f"_corrupt_record takes the text of malformed records: it must be a string that may "
            f"be NULL, and is {kind}",
        )
    df = spark.read.format(form).schema(WITH).load(path)
    refuses(
        df.select("_corrupt_record").collect,
        e.AnalysisException,
        "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN",
        "cache the DataFrame first",
    )


def test_empty_files(spark: SparkSession, tmp_path: Path) -> None:
    path = put(tmp_path / "nothing", "")
    for read in (spark.read.csv, spark.read.json):
        assert (read(path).columns, read(path).collect()) == ([], [])
        assert rows(read(path, schema=S)) == []
    assert rows(spark.read.text(path)) == []
    assert spark.read.csv(put(tmp_path / "head", "a,b\n"), header=True).columns == ["a", "b"]
    put_parquet(tmp_path / "some" / "1.parquet", a=ints(1))
    for form in ("parquet", "orc"):  # as in PySpark, files of no bytes do not count
        refuses(
            lambda form=form: spark.read.format(form).load(path),  # type: ignore[misc]
            e.AnalysisException,
            "UNABLE_TO_INFER_SCHEMA",
            "nothing",
            "no bytes",
            "give a schema",
        )
        assert rows(spark.read.format(form).schema(S).load(path)) == []
    put(tmp_path / "some" / "0.parquet", "")
    assert rows(spark.read.parquet(str(tmp_path / "some"))) == [(1,)]


def test_bytes_of_another_encoding(spark: SparkSession, tmp_path: Path) -> None:
    latin = put(
        tmp_path / "latin.json", '{"a":1,"b":"caf\xe9"}\n{"a":2,"b":"ok"}\n'.encode("latin1")
    )
    assert "_corrupt_record" in spark.read.json(latin).columns

    def read(path: str, **options: Any) -> DataFrame:
        return spark.read.json(path, **options)

    bad = '{"a":1,"b":"caf\ufffd"}'
    assert rows(read(latin, schema=WITH)) == [(1, None, bad), (2, "ok", None)]
    only = "a int, _corrupt_record string"
    assert rows(read(latin, schema=only)) == [(None, bad), (2, None)]
    assert rows(read(latin, schema=S, mode="DROPMALFORMED")) == [(2, "ok")]
    assert rows(read(latin, schema=S, encoding="iso-8859-1")) == [(1, "café"), (2, "ok")]
    refuses(
        read(latin, schema=S, mode="FAILFAST").collect,
        e.SparkRuntimeException,
        "MALFORMED_RECORD_IN_PARSING",
        f"file:{latin}, line 1",
        "not utf-8",
        "encoding",
    )
    csv = put(tmp_path / "latin.csv", "1,caf\xe9\n".encode("latin1"))
    assert rows(spark.read.csv(csv, schema=S, mode="FAILFAST")) == [(1, "caf\ufffd")]
    wide = put(tmp_path / "wide.csv", "a,b\n1,x\n".encode("utf-16"))
    with pytest.raises(e.AnalysisException, match="utf-16.*encoding"):
        spark.read.csv(wide, header=True)
    assert rows(spark.read.csv(wide, header=True, encoding="utf-16")) == [("1", "x")]


@pytest.mark.parametrize("form", ["csv", "json", "text"])
def test_a_compressed_file_that_ends_too_soon(
    spark: SparkSession, tmp_path: Path, form: str
) -> None:
    whole = gzip.compress(b"".join(b'{"value":%d}\n' % (n * 7919) for n in range(9000)))
    half = put(tmp_path / "half.gz", whole[: len(whole) // 2])
    other = put(tmp_path / "other.gz", "a,b\n")
    for path, word in ((half, "Truncated"), (other, "header")):
        with pytest.raises(OSError, match=f"cannot read {path}.*{word}") as caught:
            spark.read.format(form).schema("value string").load(path).count()
        assert "\n" not in str(caught.value)


# ---- files at odds -------------------------------------------------------------------------------


def test_parquet_files_at_odds(spark: SparkSession, tmp_path: Path) -> None:
    one = put_parquet(tmp_path / "in" / "1.parquet", a=ints(1), b=["x"])
    two = put_parquet(tmp_path / "in" / "2.parquet", a=["y"], b=["z"])
    folder = str(tmp_path / "in")
    mismatch = "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH"
    refuses(
        spark.read.parquet(folder).collect,
        e.SparkRuntimeException,
        mismatch,
        f"the column a is string in file:{two}, and int in file:{one}",
        "give a schema that fits both",
    )
    assert rows(spark.read.parquet(folder).select("b")) == [("x",), ("z",)]
    refuses(
        lambda: spark.read.option("mergeSchema", True).parquet(folder),
        e.SparkRuntimeException,
        "CANNOT_MERGE_SCHEMAS",
        f"the column a is int in file:{one} and string in file:{two}",
    )
    refuses(
        spark.read.schema("a string, b string").parquet(one).collect,
        e.SparkRuntimeException,
        mismatch,
        f"the column a is int in file:{one}, and string in the schema that was given",
    )
    assert rows(spark.read.schema("a long, B string, c int").parquet(one)) == [(1, "x", None)]


def test_headers_at_odds(spark: SparkSession, tmp_path: Path) -> None:
    put(tmp_path / "in" / "1.csv", "a,b\n1,x\n")
    path = put(tmp_path / "in" / "2.csv", "b,a\ny,2\n")
    read = spark.read.schema(S).option("enforceSchema", False)
    refuses(
        read.csv(str(tmp_path / "in"), header=True).collect,
        e.SparkRuntimeException,
        "INVALID_CSV_HEADER",
        f"file:{path}: its header is b,a, and the schema has a, b",
    )


FOLDERS: list[tuple[list[str], str, str]] = [
    (["a=1/b=2", "a=1"], "CONFLICTING_PARTITION_COLUMN_NAMES", "a, b in file:"),
    (["a=1", "b=2"], "CONFLICTING_PARTITION_COLUMN_NAMES", "but b in file:"),
    (["a="], "EMPTY_PARTITION_COLUMN_VALUE", "should be name=value"),
    (["a=1", "a=x"], "INVALID_PARTITION_VALUE", "a=x names no value of int"),
    (["a=1", "a=3000000000"], "INVALID_PARTITION_VALUE", "a=3000000000"),
    (["a=1_0"], "INVALID_PARTITION_VALUE", "a=1_0"),
]


@pytest.mark.parametrize(("folders", "code", "words"), FOLDERS, ids=lambda each: str(each)[:20])
def test_folders_at_odds(
    spark: SparkSession, tmp_path: Path, folders: list[str], code: str, words: str
) -> None:
    for at, folder in enumerate(folders):
        put(tmp_path / folder / "f.csv", f"{at}\n")
    read = spark.read.schema("v int, a int")
    refuses(lambda: read.csv(str(tmp_path)), e.SparkRuntimeException, code, words)
    if folders == ["a=1", "a=x"]:  # without a schema it is text
        assert rows(spark.read.csv(str(tmp_path))) == [("0", "1"), ("1", "x")]


# ---- files that are damaged, gone or replaced ----------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "text", "orc"])
def test_what_is_not_there(spark: SparkSession, tmp_path: Path, form: str) -> None:
    read = spark.read.format(form)
    for name in ("nope", "nope*", "no/[ab]"):
        for given in (read, spark.read.format(form).schema("value string")):
            refuses(
                lambda given=given, name=name: given.load(str(tmp_path / name)),  # type: ignore[misc]
                e.AnalysisException,
                "PATH_NOT_FOUND",
                f"file:{tmp_path}/{name}",
            )
    put(tmp_path / "done" / "_SUCCESS", "")
    assert rows(spark.read.format(form).schema("value string").load(str(tmp_path / "done"))) == []
    if form != "text":
        refuses(
            lambda: read.load(str(tmp_path / "done")),
            e.AnalysisException,
            "UNABLE_TO_INFER_SCHEMA",
            form,
            "give a schema",
        )


def test_parquet_files_that_are_none(spark: SparkSession, tmp_path: Path) -> None:
    whole = Path(put_parquet(tmp_path / "1.parquet", a=ints(*range(999)))).read_bytes()
    for content in (whole[: len(whole) // 2], b"this is a text and no table at all"):
        path = put(tmp_path / "2.parquet", content)
        refuses(
            lambda: spark.read.parquet(str(tmp_path)),
            e.SparkRuntimeException,
            "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER",
            f"file:{path} ({len(content)} bytes)",
            "it is not a Parquet file, or a part of it is missing",
        )
    path = put(tmp_path / "2.parquet", whole[:4] + bytes(40) + whole[44:])
    refuses(
        spark.read.parquet(str(tmp_path)).collect,
        e.SparkRuntimeException,
        "FAILED_READ_FILE.NO_HINT",
        f"file:{path} is damaged",
    )


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_a_file_that_goes_before_the_query(spark: SparkSession, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"f.{form}"
    put_parquet(path, a=ints(1), b=["x"]) if form == "parquet" else put(path, "1,x\n")
    df = spark.read.schema(S).format(form).load(str(tmp_path))
    path.unlink()
    gone = "FAILED_READ_FILE.FILE_NOT_EXIST"
    for ask in (df.collect, df.count, df.groupBy("b").count().toArrow):
        words = f"file:{path} is not there any more: it was when the DataFrame was made; read it"
        refuses(ask, e.SparkRuntimeException, gone, words)
    with pytest.raises(e.SparkRuntimeException) as caught:
        df.count()
    assert "count at test_frames_files.py:" in said(caught.value)
    path.mkdir()
    refuses(df.collect, e.SparkRuntimeException, gone, f"file:{path} is no file any more")


def test_a_file_that_is_replaced_before_the_query(spark: SparkSession, tmp_path: Path) -> None:
    put_parquet(tmp_path / "1.parquet", a=ints(1, 2), b=["x", "y"])
    path = put_parquet(tmp_path / "2.parquet", a=ints(3), b=["z"])
    df = spark.read.parquet(str(tmp_path))
    put_parquet(tmp_path / "2.parquet", b=["p", "q"], a=ints(5, 6))  # the same columns, other rows
    assert rows(df) == [(1, "x"), (2, "y"), (5, "p"), (6, "q")] and df.count() == 4
    for columns in ({"a": ["t"], "b": ["p"]}, {"b": ["p"]}):
        put_parquet(tmp_path / "2.parquet", **columns)
        refuses(
            df.collect,
            e.SparkRuntimeException,
            "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH",
            f"file:{path} has other columns than when the DataFrame was made: read it anew",
        )


def test_files_that_may_not_be_read(spark: SparkSession, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("being somebody else needs root")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        table, text = Path(name, "1.parquet"), Path(name, "1.csv")
        put_parquet(table, a=ints(1))
        put(text, "1\n")
        known = [spark.read.parquet(str(table)), spark.read.csv(str(text))]
        for path in (table, text):
            path.chmod(0)
        os.seteuid(65534)
        try:
            for path, ask in (
                (table, lambda: spark.read.parquet(str(table))),
                (table, known[0].collect),
                (text, lambda: spark.read.csv(str(text))),
                (text, known[1].collect),
            ):
                with pytest.raises((PermissionError, e.SparkRuntimeException)) as caught:
                    ask()
                said = str(caught.value)
                assert str(path) in said and "ermission denied" in said and "\n" not in said
            with pytest.raises(PermissionError, match="cannot make the folder file:.*denied"):
                spark.range(3).write.parquet(f"{name}/out")
        finally:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"quote": "ab"}, e.SparkRuntimeException, "quote is one character, not 'ab'"),
        ({"samplingRatio": "x", "inferSchema": True}, e.IllegalArgumentException, "above 0, not x"),
        ({"inferSchema": "maybe"}, e.IllegalArgumentException, "inferschema is true or false"),
        ({"modifiedAfter": "noon"}, e.AnalysisException, "2020-06-01T13:00:00"),
    ],
)
def test_options(
    spark: SparkSession, tmp_path: Path, options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    path = put(tmp_path / "f.csv", "a,b\n")
    with pytest.raises(kind, match=words):
        spark.read.options(**options).csv(path)
    with pytest.raises(e.IllegalArgumentException, match="empty string"):
        spark.read.csv("")

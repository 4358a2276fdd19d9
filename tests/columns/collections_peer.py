"""Questions about collections, as typed expressions for us and as SQL text for PySpark.

`python tests/columns/collections_peer.py FILE…` with PySpark installed asks it again and writes
`recorded_FILE.json` beside the tests; the tests compare our answers with those.
"""

from __future__ import annotations

import datetime as dt
import decimal
import importlib
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

HERE = Path(__file__).parent

# The rows that questions are about; read by both sides as SQL types.
SCHEMA = (
    "n int, k int, a array<int>, b array<int>, i int, d array<double>, x double, s array<string>, "
    "w string, aa array<array<int>>, m map<string,int>, m2 map<string,int>, mi map<int,string>, "
    "st struct<p:int,q:string>, sa array<struct<p:int,q:string>>, day date, "
    "deep struct<u:struct<p:int,v:double>>"
)
NAN = float("nan")
ROWS: list[tuple[Any, ...]] = [
    (
        0,
        1,
        [1, 2, 3],
        [3, 4],
        1,
        [1.5, NAN, -0.0],
        NAN,
        ["b", "a", ""],
        "a",
        [[1], [2, 3]],
        {"a": 1, "b": 2},
        {"b": 20, "c": 30},
        {1: "x", 2: None},
        (1, "one"),
        [(1, "one"), (2, None)],
        dt.date(2024, 1, 31),
        ((1, 2.5),),
    ),
    (
        1,
        2,
        [None, 2, 2, None],
        [None, 5],
        2,
        [None, 2.0],
        2.0,
        [None, "z"],
        "zz",
        [[], [4], None],
        {"a": None, "é": 5},
        {},
        {},
        (None, "two"),
        [None, (3, "three")],
        dt.date(2024, 2, 29),
        ((None, None),),
    ),
    (2, 3, [], [1], -1, [], 0.0, [], "", [], {}, {"a": 7}, {3: "z"}, None, [], None, None),
    (
        3,
        None,
        None,
        [2, 2],
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        {"x": 1},
        None,
        (4, None),
        None,
        dt.date(1999, 12, 31),
        (None,),
    ),
    (
        4,
        5,
        [5, -7, 5, 1],
        None,
        -3,
        [NAN, NAN, 0.0, 3.0],
        3.0,
        ["ü", "Z", "a,b"],
        ",",
        [[7, 8], [9]],
        {"a": 9, "k": -1},
        None,
        {1: "one"},
        (7, "é"),
        [(9, "nine")],
        dt.date(2023, 3, 31),
        ((5, NAN),),
    ),
]


class Asked:
    """An expression in writing: SQL text for one side, a builder for the other."""

    def __init__(self, text: str, make: Any) -> None:
        self.text, self.make = text, make


def _literal(value: Any) -> Asked:
    from planner.columns import types as t
    from planner.columns.expressions import Literal

    kinds = {bool: t.BOOLEAN, str: t.STRING, float: t.DOUBLE, type(None): t.NULL, dt.date: t.DATE}
    if type(value) is int:
        kind: Any = t.INT if -(2**31) <= value < 2**31 else t.LONG
    else:
        kind = kinds[type(value)]
    if isinstance(value, str):
        text = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    elif isinstance(value, float):
        text = f"{value!r}D"
    elif isinstance(value, dt.date):
        text = f"DATE'{value}'"
    else:
        text = "NULL" if value is None else str(value).lower()
    return Asked(text, lambda: Literal(value, kind))


def asked(value: Any) -> Asked:
    return value if isinstance(value, Asked) else _literal(value)


def col(name: str) -> Asked:
    """A column by its name."""
    from planner.columns.expressions import Name

    return Asked(name, lambda: Name(tuple(name.split("."))))


def _in_words(name: str, texts: list[str]) -> str:
    if name in ("+", "-", "*", "/", "%", "=", ">", "<", ">=", "<=", "and", "or"):
        return f"({texts[0]} {name} {texts[1]})"
    if name == "get_item":
        return f"{texts[0]}[{texts[1]}]"
    if name == "isnull":
        return f"({texts[0]} IS NULL)"
    if name == "case_when":
        ends = f" ELSE {texts[-1]}" if len(texts) % 2 else ""
        pairs = [f"WHEN {texts[at]} THEN {texts[at + 1]}" for at in range(0, len(texts) - 1, 2)]
        return f"CASE {' '.join(pairs)}{ends} END"
    return f"{name}({', '.join(texts)})"


def call(name: str, *args: Any) -> Asked:
    from planner.columns.expressions import Call

    own = [asked(arg) for arg in args]
    return Asked(
        _in_words(name, [each.text for each in own]),
        lambda: Call(name, tuple(each.make() for each in own)),
    )


def part(value: Asked, name: str) -> Asked:
    """value.name, a field of a struct."""
    from planner.columns import types as t
    from planner.columns.expressions import Call, Literal

    return Asked(
        f"{value.text}.{name}",
        lambda: Call("get_item", (value.make(), Literal(name, t.STRING))),
    )


def cast(value: Any, kind: str) -> Asked:
    from planner.columns import types as t
    from planner.columns.expressions import Cast

    own = asked(value)
    return Asked(f"CAST({own.text} AS {kind})", lambda: Cast(own.make(), t.SIMPLE[kind](), "ansi"))


def aliased(value: Any, name: str) -> Asked:
    from planner.columns.expressions import Alias

    own = asked(value)
    return Asked(f"{own.text} AS {name}", lambda: Alias(own.make(), name))


def fn(body: Any) -> Asked:
    """A lambda function."""
    from planner.columns.expressions import Lambda, Name, Variable

    names = body.__code__.co_varnames[: body.__code__.co_argcount]
    inside = asked(body(*(Asked(name, lambda name=name: Name((name,))) for name in names)))
    return Asked(
        f"{names[0] if len(names) == 1 else '(' + ', '.join(names) + ')'} -> {inside.text}",
        lambda: Lambda(tuple(Variable(name) for name in names), inside.make()),
    )


# ---- values as JSON ------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value of Arrow as JSON can hold it."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else ("-0.0" if str(value) == "-0.0" else value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, dt.date | dt.timedelta | decimal.Decimal):
        return str(value)
    return value


# ---- our side ------------------------------------------------------------------------------------


@cache
def table() -> Any:
    """The rows as an Arrow table, and their type."""
    import pyarrow as pa

    from planner.columns import types as t
    from planner.columns.columnar import schema_to_arrow

    def of(kind: t.DataType, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(kind, t.ArrayType):
            return [of(kind.elementType, each) for each in value]
        if isinstance(kind, t.StructType):
            pairs = zip(kind.fields, value, strict=True)
            return {field.name: of(field.dataType, each) for field, each in pairs}
        if isinstance(kind, t.MapType):
            return list(value.items())
        return value

    schema = our_schema()
    columns = [
        pa.array([of(field.dataType, row[at]) for row in ROWS], kind.type)
        for at, (field, kind) in enumerate(zip(schema.fields, schema_to_arrow(schema), strict=True))
    ]
    return pa.table(columns, names=schema.names), schema


def our_schema() -> Any:
    from planner.columns import types as t

    pair = t.StructType().add("p", t.INT).add("q", t.STRING)
    inner = t.StructType().add("p", t.INT).add("v", t.DOUBLE)
    kinds: dict[str, Any] = dict(  # noqa: C408
        n=t.INT,
        k=t.INT,
        a=t.ArrayType(t.INT),
        b=t.ArrayType(t.INT),
        i=t.INT,
        d=t.ArrayType(t.DOUBLE),
        x=t.DOUBLE,
        s=t.ArrayType(t.STRING),
        w=t.STRING,
        aa=t.ArrayType(t.ArrayType(t.INT)),
        m=t.MapType(t.STRING, t.INT),
        m2=t.MapType(t.STRING, t.INT),
        mi=t.MapType(t.INT, t.STRING),
        st=pair,
        sa=t.ArrayType(pair),
        day=t.DATE,
        deep=t.StructType().add("u", inner),
    )
    found = t.StructType()
    for name, kind in kinds.items():
        found.add(name, kind)
    return found


def our_answer(question: Asked, ansi: bool = True) -> dict[str, Any]:
    """Type and values, or the error class."""
    from executors.relational.errors import QueryError, translated
    from executors.relational.nodes import from_arrow
    from executors.relational.steps import MODULES
    from planner.columns.building import build
    from planner.columns.expressions import Attr
    from planner.columns.functions.registry import Settings
    from planner.columns.typing import AnalysisError, Scope, bind

    assert MODULES  # the functions are in the table
    rows, schema = table()
    attrs = [Attr(field.name, field.dataType) for field in schema.fields]
    settings = Settings(ansi=ansi)
    try:
        typed = bind(question.make(), Scope(attrs, settings))
        with translated():
            frame = from_arrow([rows], attrs).with_columns(build(typed, settings).alias("#answer"))
            found = frame.select("#answer").collect(engine="streaming").to_arrow()
    except (AnalysisError, QueryError) as error:
        return {"error": error.code}
    kind = typed.type.jsonValue()
    return {"type": kind, "values": plain(found.column(0).to_pylist()), "null": typed.nullable}


def assert_same(question: Asked, ansi: bool, expected: dict[str, Any]) -> None:
    """Our answer is that of PySpark. Some of its errors have no class: then any error will do."""
    found = our_answer(question, ansi)
    if expected == {"error": None}:
        assert "error" in found
    else:
        assert found == expected


# ---- rows of a select list -----------------------------------------------------------------------


def named_all(value: Asked, *names: str) -> Asked:
    """A generator with names for its columns."""
    from planner.columns.expressions import Aliases

    return Asked(f"{value.text} AS ({', '.join(names)})", lambda: Aliases(value.make(), names))


def rows_asked(*lists: list[Asked]) -> dict[str, list[Asked]]:
    """Select lists by their SQL text."""
    return {", ".join(item.text for item in items): items for items in lists}


def our_rows(items: list[Asked], order: Sequence[Asked] = ()) -> dict[str, Any]:
    """The rows of a select list: names, types and values."""
    from executors.relational.fragments import answer
    from executors.relational.fragments import named as as_seen
    from planner.columns.expressions import Attr, Order
    from planner.columns.functions.registry import Settings
    from planner.columns.typing import Scope, bind
    from planner.query import logical as l
    from planner.query.analysis.requests import Request, query
    from planner.query.fragment import flatten

    rows, schema = table()
    attrs = tuple(Attr(field.name, field.dataType) for field in schema.fields)
    scope = Scope(attrs, Settings())
    typed = [bind(item.make(), scope) for item in items]
    keys = [Order(bind(key.make(), scope)) for key in order]
    plan = query(l.Table(attrs, rows), Request(typed, order=keys), scope)
    found = as_seen(answer(flatten(plan, Settings()), [], 0), plan.output)
    return {
        "columns": [[attr.name, attr.type.jsonValue(), attr.nullable] for attr in plan.output],
        "rows": plain(found.to_pylist()),
    }


def assert_same_rows(items: list[Asked], expected: dict[str, Any]) -> None:
    """Our rows are those of PySpark, or our error is."""
    from planner.columns.typing import AnalysisError

    try:
        found = our_rows(items)
    except AnalysisError as error:
        found = {"error": error.code}
    assert found == expected


# ---- PySpark's side ------------------------------------------------------------------------------


def write(name: str, answers: dict[str, Any]) -> None:
    lines = [
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(answer, ensure_ascii=False)}"
        for key, answer in answers.items()
    ]
    (HERE / f"recorded_{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def peer_rows(frame: Any, items: list[Asked]) -> dict[str, Any]:
    """What PySpark makes of a select list."""
    from pyspark.errors import PySparkException

    try:
        found = frame.selectExpr(*(item.text for item in items))
        fields = [[f.name, f.dataType.jsonValue(), f.nullable] for f in found.schema.fields]
        return {"columns": fields, "rows": plain(found.toArrow().to_pylist())}
    except PySparkException as error:
        return {"error": error.getCondition()}


def record(names: list[str]) -> None:
    """Ask PySpark all questions of test modules, and write its answers."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", tempfile.mkdtemp())
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    frame = spark.createDataFrame(ROWS, SCHEMA).coalesce(1)
    frame.cache().count()
    for name in names:
        module = importlib.import_module(f"test_{name}")
        if hasattr(module, "ROWS"):
            write(name, {key: peer_rows(frame, items) for key, items in module.ROWS.items()})
            continue
        questions = module.QUESTIONS
        answers = {}
        for key, (question, ansi) in questions.items():
            spark.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
            try:
                asked_frame = frame.selectExpr(f"{question.text} AS answer")
                field = asked_frame.schema.fields[0]
                values = asked_frame.toArrow().column(0).to_pylist()
                answers[key] = {
                    "type": field.dataType.jsonValue(),
                    "values": plain(values),
                    "null": field.nullable,
                }
            except PySparkException as error:
                answers[key] = {"error": error.getCondition()}
            except Exception:  # its own or of Java, without a class
                answers[key] = {"error": None}
        write(name, answers)
    spark.stop()


def recorded(name: str) -> Any:
    return json.loads((HERE / f"recorded_{name}.json").read_text())


def questions(*pairs: Any, ansi: bool = True) -> dict[str, tuple[Asked, bool]]:
    """Questions by their SQL text; the names of variables say nothing."""
    found = {}
    for question in pairs:
        text = question.text
        found[text if ansi else f"{text} (not ANSI)"] = (question, ansi)
    return found


if __name__ == "__main__":
    sys.modules.setdefault("pytest", MagicMock())  # where PySpark is, pytest may not be
    sys.path[:0] = [str(HERE), str(HERE.parent.parent)]
    record(sys.argv[1:])

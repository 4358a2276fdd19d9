"""Cases of scalar functions on numbers: tables of hard values, and expressions over them.

`num_record.py` asks PySpark for the answers and writes them to `num_recorded.json`; the tests ask
us. An expression is written once, and is SQL text for the one and a tree for the other.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from planner.columns.expressions import Call, Cast, Expr, Literal, Name
from planner.columns.types import SIMPLE, ArrayType, DataType, DecimalType, MapType, StructType

NAN, INF = math.nan, math.inf
D = Decimal
UTC = dt.UTC


def kind_of(text: str) -> DataType:
    """The type that a short text names."""
    if text.startswith("decimal("):
        return DecimalType(*map(int, text[8:-1].split(",")))
    if text.startswith("array<"):
        return ArrayType(kind_of(text[6:-1]))
    if text.startswith("map<"):
        key, value = text[4:-1].split(",", 1)
        return MapType(kind_of(key), kind_of(value))
    if text.startswith("struct<"):
        found = StructType()
        for part in text[7:-1].split(";"):
            name, kind = part.split(":", 1)
            found.add(name, kind_of(kind))
        return found
    return SIMPLE[text]()


def lit(value: Any, kind: str = "int") -> Literal:
    return Literal(value, kind_of(kind))


def call(name: str, *args: Any) -> Call:
    """A call; text is a column, a number a literal."""
    return Call(name, tuple(_arg(each) for each in args))


def _arg(value: Any) -> Expr:
    if isinstance(value, Expr):
        return value
    if isinstance(value, str):
        return Name((value,))
    if isinstance(value, bool):
        return lit(value, "boolean")
    if value is None:
        return lit(None, "void")
    if isinstance(value, float):
        return lit(value, "double")
    return lit(value)


def cast(value: Any, kind: str, mode: str = "implied") -> Cast:
    return Cast(_arg(value), kind_of(kind), mode)


INFIX = {"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "<=>", "and", "or"}
INFIX |= {"div", "&", "|", "^"}


def sql(expr: Expr) -> str:
    """The expression as PySpark reads it."""
    match expr:
        case Name(parts):
            return parts[0]
        case Literal(value, kind):
            return _literal(value, kind)
        case Cast(child, kind, mode):
            word = "try_cast" if mode == "try" else "cast"
            return f"{word}({sql(child)} as {_sql_type(kind)})"
        case Call(name, args) if name in INFIX and len(args) == 2:
            return f"({sql(args[0])} {name} {sql(args[1])})"
        case Call("in", args):
            return f"({sql(args[0])} in ({', '.join(map(sql, args[1:]))}))"
        case Call("between", args):
            return "({} between {} and {})".format(*map(sql, args))
        case Call("not", args):
            return f"(not {sql(args[0])})"
        case Call("bitwise_not", args):
            return f"(~{sql(args[0])})"
        case Call("case_when", args):
            text = "".join(
                f" when {sql(args[at])} then {sql(args[at + 1])}"
                for at in range(0, len(args) - 1, 2)
            )
            rest = f" else {sql(args[-1])}" if len(args) % 2 else ""
            return f"(case{text}{rest} end)"
        case Call(name, args):
            return f"{name}({', '.join(map(sql, args))})"
    raise TypeError(repr(expr))


def _sql_type(kind: DataType) -> str:
    return kind.simpleString()


def _literal(value: Any, kind: DataType) -> str:
    if value is None:
        return "NULL" if kind.simpleString() == "void" else f"cast(NULL as {_sql_type(kind)})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    suffix = {"tinyint": "Y", "smallint": "S", "bigint": "L", "int": "", "double": "D"}
    word = kind.simpleString()
    if word in suffix:
        return (
            f"({value}{suffix[word]})" if str(value).startswith("-") else f"{value}{suffix[word]}"
        )
    return f"cast('{value}' as {_sql_type(kind)})"


TABLES: dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]] = {}


def table(name: str, kinds: dict[str, str], rows: list[Any]) -> None:
    TABLES[name] = (kinds, [row if isinstance(row, tuple) else (row,) for row in rows])


INTS = [0, 1, -1, 7, -7, 42, 127, -128, None]
table("boolean", {"x": "boolean"}, [True, False, None])
table("tinyint", {"x": "tinyint"}, INTS)
table("smallint", {"x": "smallint"}, [*INTS, 128, 300, -32768, 32767])
table("int", {"x": "int"}, [*INTS, 300, 70000, 2**31 - 1, -(2**31), 1704067200])
table("bigint", {"x": "bigint"}, [*INTS, 300, 2**31, 2**63 - 1, -(2**63), 1704067200, 10**11])
table("smallbigint", {"x": "bigint"}, [0, 1, -1, 100, 1704067200, None])
REALS = [0.0, -0.0, 1.0, -1.5, 2.5, 0.1, 1e10, 1e-5, 1.5e-7, 123456.789, 1e7, 9999999.0, 0.001]
REALS += [12345678.9, 99999.995, -2.675, None]
EDGES = [NAN, INF, -INF, 1e300, -1e20, 5e-324, 9.2e18, 127.9, -128.9, 2147483647.5, 1e21, 1e16]
FLOATS = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.10000000149011612,
    1e10,
    1.5,
    NAN,
    INF,
    -INF,
    3.4028234663852886e38,
]
FLOATS += [16777216.0, 9999999.0, 1.0000000116860974e-07, None]
table("double", {"x": "double"}, [*REALS, *EDGES])
table("tame", {"x": "double"}, REALS)
table("float", {"x": "float"}, FLOATS)
DECS = [D("0.00"), D("1.00"), D("-1.50"), D("2.55"), D("99999999.99"), D("-99999999.99"), D("1.99")]
table("decimal", {"x": "decimal(10,2)"}, [*DECS, D("127.50"), D("300.00"), D("0.05"), None])
BIG = [D("0"), D("1.5"), D("-1234567890123456789012345678.0123456789"), D("0.0000000001"), None]
table("bigdecimal", {"x": "decimal(38,10)"}, [*BIG, D("9999999999999999999999999999.9999999999")])
NUMBERS_AS_TEXT = ["1", " 2 ", "+3", "-4", "1.5", "-2.5", "1e2", "1E+3", ".5", "5.", "abc", "", " "]
NUMBERS_AS_TEXT += ["Infinity", "-inf", "NaN", "nan", "+Infinity", "inf", "1d", "2f", "0x10", "1_0"]
NUMBERS_AS_TEXT += [
    "128",
    "99999",
    "2147483648",
    "9223372036854775808",
    "1e400",
    "\t9\n",
    "+",
    None,
]
NUMBERS_AS_TEXT += [
    "-0",
    "1.005",
    "-1.005",
    "1e-3",
    "12345678901234567890.123",
    "5e",
    "--1",
    "1.2.3",
]
NUMBERS_AS_TEXT += [
    "true",
    "1 2",
    "infinityx",
    "00012",
    "1L",
    "1e2d",
    "-.5e1",
    ".",
    "e5",
    "\u00a07",
]
table("string", {"x": "string"}, NUMBERS_AS_TEXT)
table("goodnumbers", {"x": "string"}, ["1", " 2 ", "+3", "-4", "00012", None])
table(
    "goodreals", {"x": "string"}, ["1", " 2.5 ", "1e2", ".5", "5.", "Infinity", "NaN", "1d", None]
)
BOOLS = ["true", "TRUE", " t ", "yes", "y", "1", "false", "f", "no", "n", "0", "on", "tr", "", None]
table("booleans", {"x": "string"}, BOOLS)
DATES = [
    "2024-01-02",
    "2024-1-2",
    "2024",
    "2024-02",
    " 2024-01-02 ",
    "2024-01-02T03:04:05",
    "24-1-2",
]
DATES += [
    "2024-01-02 junk",
    "2024-13-01",
    "2023-02-29",
    "2024-02-29",
    "",
    "20240102",
    "12024-01-02",
]
DATES += [
    "+2024-01-02",
    "-0001-01-02",
    "2024-01-02Tjunk",
    "2024-001-02",
    "2024-",
    "2024-1-2-",
    None,
]
DATES += ["0001-01-01", "9999-12-31", "2024/01/02", "2024-01-02x", "epoch", "now", "2024-00-10"]
table("dates", {"x": "string"}, DATES)
STAMPS = ["2024-01-02 03:04:05", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05.123456", "2024-01-02"]
STAMPS += [
    "2024-1-2 3:4:5",
    "2024",
    "2024-02",
    "2024-01-02 03:04",
    "2024-01-02 03",
    "2024-01-02T03:",
]
STAMPS += ["2024-01-02 03:04:05.1", "2024-01-02 03:04:05.123456789", "2024-01-02 03:04:05+01:00"]
STAMPS += ["2024-01-02 03:04:05 UTC", "2024-01-02 03:04:05 Europe/Berlin", "2024-01-02 03:04:05-8"]
STAMPS += [
    "2024-01-02 03:04:05GMT+2",
    "2024-01-02 03:04:05 +0130",
    "2024-01-02 25:00:00",
    "junk",
    "",
]
STAMPS += [
    "2024-06-02 03:04:05 America/New_York",
    " 2024-01-02 03:04:05 ",
    "2024-01-02 03:04:60",
    None,
]
STAMPS += ["T03:04:05x", "2024-01-02 03:04:05.", "2024-01-02 03:04:05+01:00:30", "2024-01-02T", "1"]
STAMPS += [
    "2024-01-02 03:04:05z",
    "2024-01-02 03:04:05 PST",
    "2024-02-30 00:00:00",
    "2024-1-2T3:4:5Z",
]
table("stamps", {"x": "string"}, STAMPS)
DAYS = [dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(1969, 12, 31), dt.date(1, 1, 1), None]
table("date", {"x": "date"}, [*DAYS, dt.date(9999, 12, 31)])
MOMENTS = [
    dt.datetime(1970, 1, 1),
    dt.datetime(2024, 2, 29, 23, 59, 59, 999999),
    dt.datetime(1969, 12, 31, 23, 59, 59, 500000),
    dt.datetime(2024, 7, 1, 12, 30, 0, 120000),
    dt.datetime(2001, 9, 9, 1, 46, 40),
    None,
]
table("timestamp", {"x": "timestamp"}, [m and m.replace(tzinfo=UTC) for m in MOMENTS])
table("timestamp_ntz", {"x": "timestamp_ntz"}, list(MOMENTS))
table("binary", {"x": "binary"}, [b"abc", b"", "é".encode(), b"123", b"\x00\xff", None])
table("array", {"x": "array<int>"}, [[1, 2], [], [None, 3], None])
table("arraytext", {"x": "array<string>"}, [["1", "x"], ["a b", None], [], None])
table("arrayreal", {"x": "array<double>"}, [[1.0, NAN], [1e10, None], [], None])
table("nested", {"x": "array<array<int>>"}, [[[1], [2, None]], [None], [[]], None])
table("map", {"x": "map<string,int>"}, [{"a": 1}, {"b": 2, "c": None}, {}, None])
table(
    "struct",
    {"x": "struct<a:int;b:string>"},
    [(1, "x"), (None, None), (2, "a b"), None][:0]
    + [((1, "x"),), ((None, None),), ((2, "a b"),), (None,)],
)

TYPES = ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)"]
TYPES += [
    "decimal(5,1)",
    "decimal(38,10)",
    "string",
    "binary",
    "date",
    "timestamp",
    "timestamp_ntz",
]


@dataclass(frozen=True)
class Case:
    """One question: an expression over a table, ANSI on or off, in a session's time zone."""

    table: str
    expr: Expr
    ansi: bool = True
    zone: str = "UTC"

    @property
    def key(self) -> str:
        zone = "" if self.zone == "UTC" else f" in {self.zone}"
        return f"{self.table}: {sql(self.expr)} {'ansi' if self.ansi else 'legacy'}{zone}"


def casts() -> Iterator[Case]:
    """Every type to every type, in every mode."""
    for name in TABLES:
        if name.startswith(("pairs", "rows", "bits")):
            continue
        for kind in TYPES:
            yield Case(name, cast("x", kind))
            yield Case(name, cast("x", kind, "try"))
            yield Case(name, cast("x", kind), ansi=False)
    nested = ["array<string>", "array<bigint>", "array<boolean>", "array<double>", "string"]
    for name in ("array", "arraytext", "arrayreal", "nested"):
        for kind in (*nested, "array<array<bigint>>"):
            for ansi in (True, False):
                yield Case(name, cast("x", kind), ansi)
    for kind in ("map<string,bigint>", "map<string,string>", "struct<p:bigint;q:string>"):
        for name in ("map", "struct"):
            yield Case(name, cast("x", kind))
    for zone in ("America/New_York", "Asia/Kolkata"):
        for name in ("stamps", "timestamp", "timestamp_ntz", "date", "smallbigint"):
            for kind in ("string", "date", "timestamp", "timestamp_ntz"):
                yield Case(name, cast("x", kind), ansi=False, zone=zone)


PAIRS: dict[str, list[tuple[Any, Any]]] = {
    "tinyint": [(1, 2), (-7, 2), (7, -2), (0, 5), (None, 1), (100, 1)],
    "int": [(1, 2), (-7, 2), (7, -2), (0, 5), (None, 1), (1, None), (46340, 46340), (6, 3)],
    "bigint": [(1, 2), (-7, 2), (7, -2), (0, 5), (None, 1), (3037000499, 3037000499), (10**15, 3)],
    "double": [
        (1.0, 2.0),
        (-7.5, 2.0),
        (7.5, -2.0),
        (NAN, 1.0),
        (1.0, NAN),
        (INF, 2.0),
        (1.0, INF),
    ],
    "float": [(1.0, 2.0), (-7.5, 2.0), (7.5, -2.0), (NAN, 1.0), (None, 2.0), (1.25, 3.0)],
    "decimal(10,2)": [
        (D("1.25"), D("2.50")),
        (D("-7.55"), D("2.00")),
        (D("99999999.99"), D("0.01")),
        (None, D("1.00")),
        (D("1.00"), D("3.00")),
        (D("0.05"), D("-1.28")),
    ],
    "decimal(38,18)": [
        (D("1.25"), D("2.5")),
        (D("-12345678901234567.123456789012345678"), D("2.000000000000000001")),
        (D("3"), D("-7")),
        (None, D("1")),
    ],
    "decimal(38,0)": [(D("9" * 19), D("9" * 18)), (D("7"), D("-2")), (D(10) ** 30, D("3"))],
    "decimal(3,1)": [(D("1.5"), D("99.9")), (D("-99.9"), D("0.1")), (D("10.0"), D("3.0"))],
}
OVERFLOWING: dict[str, list[tuple[Any, Any]]] = {
    "tinyint": [(127, 1), (-128, -1), (100, 100), (0, 0), (-128, 1), (5, 0)],
    "int": [(2**31 - 1, 1), (-(2**31), -1), (2**31 - 1, 2), (5, 0), (0, 0), (None, 0)],
    "bigint": [(2**63 - 1, 1), (-(2**63), -1), (2**62, 2), (5, 0), (0, 0), (-(2**63), 1)],
    "double": [(1.0, 0.0), (0.0, 0.0), (-0.0, 0.0), (1e308, 10.0), (NAN, 0.0), (None, 0.0)],
    "decimal(10,2)": [(D("1.00"), D("0.00")), (D("5.00"), D("2.00")), (None, D("0.00"))],
    "decimal(38,0)": [(D("9" * 38), D("9" * 38)), (D("9" * 38), D("1")), (D("5"), D("0"))],
    "decimal(38,18)": [(D("9" * 20), D("9" * 20)), (D("1"), D("0")), (D("1"), D("2"))],
}
for _kind, _rows in PAIRS.items():
    table(f"pairs of {_kind}", {"x": _kind, "y": _kind}, list(_rows))
for _kind, _rows in OVERFLOWING.items():
    table(f"pairs over {_kind}", {"x": _kind, "y": _kind}, list(_rows))
table(
    "pairs of int, decimal", {"x": "int", "y": "decimal(10,2)"}, [(3, D("1.50")), (None, D("2.00"))]
)
table("pairs of decimals", {"x": "decimal(12,4)", "y": "decimal(5,1)"}, [(D("3.1234"), D("1.5"))])
table("pairs of decimal, double", {"x": "decimal(10,2)", "y": "double"}, [(D("3.12"), 1.5)])
table("pairs of bigint, float", {"x": "bigint", "y": "float"}, [(3, 1.5), (2**60, 0.5)])
table("pairs of int, string", {"x": "int", "y": "string"}, [(3, "1"), (None, "2")])
table("pairs of tinyint, int", {"x": "tinyint", "y": "int"}, [(3, 1), (None, 2)])


def arithmetic() -> Iterator[Case]:
    """Operators over pairs of every type, with overflow and zero."""
    signs = ("+", "-", "*", "/", "%", "div", "pmod", "mod")
    tries = ("try_add", "try_subtract", "try_multiply", "try_divide", "try_mod")
    for name in [each for each in TABLES if each.startswith("pairs")]:
        for sign in (*signs, *tries):
            yield Case(name, call(sign, "x", "y"))
            if sign not in tries:
                yield Case(name, call(sign, "x", "y"), ansi=False)
        for each in ("negative", "abs", "positive", "sign"):
            yield Case(name, call(each, "x"))
            yield Case(name, call(each, "x"), ansi=False)
    for value in (lit(1), lit(D("0.05"), "decimal(2,2)"), lit(2.5, "double"), lit(3, "tinyint")):
        for sign in ("+", "-", "*", "/", "%", "div"):
            for kind in ("int", "decimal(10,2)", "double"):
                yield Case(f"pairs of {kind}", call(sign, "x", value))
                yield Case(f"pairs of {kind}", call(sign, value, "y"))


table(
    "rows real",
    {"x": "double", "y": "double"},
    [
        (0.5, 2.0),
        (-0.5, 3.0),
        (0.0, 0.0),
        (-0.0, 1.0),
        (1.0, -1.0),
        (2.0, 0.5),
        (-2.0, 0.5),
        (10.0, 100.0),
        (NAN, 1.0),
        (INF, -1.0),
        (-INF, 2.0),
        (None, 1.0),
        (1e-10, 1e10),
        (1000.0, 10.0),
    ],
)
table(
    "rows round",
    {"x": "double"},
    [
        2.5,
        3.5,
        -2.5,
        2.675,
        1.005,
        -1.005,
        0.285,
        1.115,
        1234.5678,
        0.5,
        1.5,
        -0.5,
        1e20,
        1e-20,
        15.0,
        25.0,
        NAN,
        INF,
        -INF,
        None,
        0.29,
        8.345,
        1234567.125,
        0.045,
        4.35,
        1e15 + 0.5,
        0.0,
        -0.0,
        -0.4,
    ],
)
table("rows float", {"x": "float"}, [2.5, 3.5, -2.5, 2.675, 1.005, 0.285, 1.115, NAN, None, 0.1])
table(
    "rows decimal",
    {"x": "decimal(10,3)"},
    [
        D("2.500"),
        D("-2.500"),
        D("3.500"),
        D("1.005"),
        D("1.015"),
        D("1234567.895"),
        D("0.000"),
        None,
    ],
)
table("rows small", {"x": "decimal(38,3)"}, [D("2.500"), D("9" * 35 + ".999"), None])
table(
    "rows int",
    {"x": "int", "y": "int"},
    [
        (15, 1),
        (25, 2),
        (-15, 3),
        (-25, 0),
        (0, 31),
        (None, 2),
        (2**31 - 1, 32),
        (1, 33),
        (-1, 28),
        (-(2**31) + 60, 1),
        (7, -1),
        (20, 4),
        (5, 40),
    ],
)
table(
    "rows bigint",
    {"x": "bigint", "y": "int"},
    [
        (15, 1),
        (-15, 3),
        (0, 63),
        (None, 2),
        (2**62, 64),
        (1, 65),
        (-1, 60),
        (-(2**63) + 60, 1),
        (7, -1),
    ],
)
table(
    "rows tinyint",
    {"x": "tinyint", "y": "tinyint"},
    [(15, 1), (-15, 3), (0, 7), (None, 2), (100, 5)],
)
table(
    "rows bool",
    {"x": "boolean", "y": "boolean"},
    [(a, b) for a in (True, False, None) for b in (True, False, None)],
)
table(
    "rows text",
    {"x": "string", "y": "string"},
    [
        ("abc", "abd"),
        ("", "a"),
        ("é", "e"),
        (None, "x"),
        ("Spark", "Spark"),
        ("10", "9"),
        ("1A", "zz"),
        ("a longer text, of more than thirty-two bytes, é", "b"),
    ],
)
table(
    "rows nan",
    {"x": "double", "y": "double"},
    [
        (NAN, NAN),
        (NAN, INF),
        (INF, NAN),
        (0.0, -0.0),
        (1.0, NAN),
        (None, NAN),
        (-INF, NAN),
        (None, None),
    ],
)
table(
    "rows date",
    {"x": "date", "y": "timestamp"},
    [
        (dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=UTC)),
        (dt.date(2024, 1, 2), dt.datetime(2024, 1, 1, 5, tzinfo=UTC)),
        (None, None),
    ],
)
table(
    "rows arrays",
    {"x": "array<int>", "y": "array<int>"},
    [
        ([1, 2], [1, 3]),
        ([1, 2], [1, 2]),
        ([1], [1, 2]),
        ([], []),
        ([None], [1]),
        ([None], [None]),
        (None, [1]),
        ([2], [1, 2, 3]),
        ([1, None], [1, 2]),
    ],
)
table(
    "rows structs",
    {"x": "struct<a:int;b:double>", "y": "struct<a:int;b:double>"},
    [
        ((1, 2.0), (1, 3.0)),
        ((1, NAN), (1, NAN)),
        ((None, 1.0), (1, 1.0)),
        ((None, None), (None, None)),
        (None, (1, 1.0)),
        ((2, None), (1, 5.0)),
        ((1, 0.0), (1, -0.0)),
    ],
)
table(
    "rows binary",
    {"x": "binary", "y": "binary"},
    [(b"a", b"b"), (b"", b"\x00"), (None, b"a"), (b"\xff", b"a")],
)
table("rows hex", {"x": "string"}, ["537061726B", "F", "", "GG", "0aFf", "é", None, "1FF"])
table(
    "rows conv",
    {"x": "string"},
    [
        "100",
        "-10",
        "ff",
        "FF",
        "zz",
        "",
        " 11",
        "1.5",
        "18446744073709551616",
        "-1",
        None,
        "abc!",
        "9",
    ],
)
table("rows bucket", {"x": "double"}, [0.0, 1.0, 5.5, 9.999, 10.0, 11.0, -1.0, NAN, None, 3.3])
table("rows zero", {"x": "int", "y": "int"}, [(1, 0), (6, 3), (0, 0), (None, 0)])


def conditionals() -> Iterator[Case]:
    """Comparisons, three-valued logic, choices."""
    compared = ("=", "!=", "<", "<=", ">", ">=", "<=>")
    names = ["rows nan", "rows text", "rows bool", "rows date", "rows arrays", "rows structs"]
    names += ["rows binary", "rows int", "pairs of decimal(10,2)", "pairs of int, decimal"]
    names += ["pairs of decimals", "pairs of decimal, double", "pairs of bigint, float"]
    names += ["pairs of int, string", "pairs of tinyint, int", "pairs of float"]
    for name in names:
        for sign in compared:
            yield Case(name, call(sign, "x", "y"))
        for each in ("coalesce", "nvl", "ifnull", "nullif"):
            yield Case(name, call(each, "x", "y"))
        yield Case(name, call("nvl2", "x", "y", "x"))
        yield Case(name, call("if", call("isnull", "x"), "y", "x"))
        yield Case(name, call("in", "x", "y"))
        yield Case(name, call("in", "x", "y", "x", None))
        yield Case(name, call("between", "x", "y", "y"))
        if name not in ("rows arrays", "rows structs"):
            yield Case(name, call("greatest", "x", "y"))
            yield Case(name, call("least", "x", "y"))
        yield Case(name, call("isnotnull", "x"))
        yield Case(name, call("case_when", call("=", "x", "y"), "x"))
        yield Case(name, call("case_when", call("=", "x", "y"), "x", call("isnull", "x"), "y", "y"))
    for name in ("pairs of int, string", "pairs of bigint, float", "rows date"):
        for expr in (call("coalesce", "x", "y"), call("in", "x", "y"), call("nvl2", "x", "y", "x")):
            yield Case(name, expr, ansi=False)
        for sign in ("=", "<", "<=>", "nullif", "greatest"):
            yield Case(name, call(sign, "x", "y"), ansi=False)
        yield Case(name, call("case_when", call("isnull", "x"), "y", "x"), ansi=False)
    for sign in ("+", "-"):
        yield Case("rows date", call(sign, "x", 3))
        yield Case("rows date", call(sign, "x", lit(3, "tinyint")))
    for sign in ("and", "or"):
        yield Case("rows bool", call(sign, "x", "y"))
        yield Case("rows bool", call(sign, "x", None))
    yield Case("rows bool", call("not", "x"))
    for value in (0, 1, None):
        yield Case("rows int", call("in", "x", value, 15))
        yield Case("rows int", call("nullif", "x", value))
    yield Case("rows nan", call("in", "x", NAN_LIT, 0.0))
    yield Case("rows bool", call("in", "x", True, None))
    yield Case("rows int", call("in", "x", 15.0))
    yield Case("rows int", call("=", "x", lit("15", "string")))
    yield Case("rows int", call("in", "x", lit("15", "string")))
    yield Case("rows int", call("=", "x", lit(D("15.00"), "decimal(4,2)")))
    for name in ("rows int", "rows real", "rows decimal", "rows tinyint"):
        yield Case(name, call("zeroifnull", "x"))
        yield Case(name, call("nullifzero", "x"))
        yield Case(name, call("coalesce", "x", 0))
    yield Case("rows nan", call("isnan", "x"))
    yield Case("rows nan", call("nanvl", "x", "y"))
    yield Case("rows int", call("nanvl", "x", "y"))
    for n in ("rows int", "rows text", "rows bool", "rows arrays"):
        yield Case(n, call("typeof", "x"))
        yield Case(n, call("isnull", "x"))
    zero = call("=", "y", 0)
    divided = call("/", "x", "y")
    yield Case("rows zero", call("case_when", zero, lit(0.0, "double"), divided))
    yield Case("rows zero", call("if", call("not", zero), divided, lit(None, "void")))
    yield Case("rows zero", call("and", call("!=", "y", 0), call(">", divided, 1)))
    yield Case("rows zero", call("or", zero, call(">", divided, 1)))
    yield Case("rows zero", call("coalesce", "x", divided))
    yield Case("rows zero", call("if", zero, call("raise_error", lit("no", "string")), "x"))
    yield Case("rows zero", call("if", lit(False, "boolean"), call("/", 1, 0), "x"))
    yield Case("rows zero", call("assert_true", call("=", "x", "x")))
    yield Case("rows zero", call("assert_true", call("=", "x", 1)))
    yield Case("rows zero", call("raise_error", lit("no", "string")))
    yield Case("rows zero", call("<", "x", lit(True, "boolean")))
    yield Case("rows zero", call("if", "x", "x", "y"))
    yield Case("rows zero", call("and", "x", "y"))
    yield Case("rows arrays", call("=", "x", 1))
    yield Case("map", call("=", "x", "x"))
    yield Case("map", call("<", "x", "x"))
    yield Case("rows date", call("=", "x", lit("2024-01-02", "string")))
    yield Case("rows date", call("coalesce", "x", 1))


NAN_LIT = lit(NAN, "float")


def mathematics() -> Iterator[Case]:
    """Functions of mathematics, bits and digests."""
    one = [
        "sqrt",
        "exp",
        "ln",
        "log10",
        "log2",
        "log1p",
        "expm1",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
    ]
    one += [
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "cot",
        "sec",
        "csc",
        "degrees",
    ]
    one += ["radians", "cbrt", "rint", "signum", "sign", "abs", "ceil", "floor", "ceiling", "log"]
    for name in one:
        yield Case("rows real", call(name, "x"))
    for name in ("sqrt", "ceil", "floor", "signum", "exp", "rint", "hex"):
        yield Case("rows int", call(name, "y"))
    for name in ("pow", "power", "atan2", "hypot", "log"):
        yield Case("rows real", call(name, "x", "y"))
    yield Case("rows real", call("log", 10, "x"))
    yield Case("rows int", call("pow", "y", 2))
    for name in ("round", "bround", "ceil", "floor"):
        for table_ in (
            "rows round",
            "rows float",
            "rows decimal",
            "rows int",
            "rows bigint",
            "rows tinyint",
        ):
            for ansi in (True, False):
                yield Case(table_, call(name, "x"), ansi)
            for scale in (0, 1, 2, -1, -2, 5):
                yield Case(table_, call(name, "x", scale))
    for name in ("round", "ceil", "floor"):
        yield Case("rows small", call(name, "x"))
        yield Case("rows text", call(name, "x"), ansi=False)
    yield Case("rows int", call("factorial", "y"))
    yield Case("rows real", call("greatest", "x", "y", 0.25))
    yield Case("rows real", call("least", "x", "y", 0.25))
    yield Case("rows int", call("greatest", "x", 0.25))
    for t_ in ("rows int", "rows bigint", "rows text", "rows binary"):
        yield Case(t_, call("hex", "x"))
    yield Case("rows hex", call("unhex", "x"))
    for t_ in ("rows int", "rows bigint", "rows tinyint"):
        yield Case(t_, call("bin", "x"))
        yield Case(t_, call("bit_count", "x"))
        yield Case(t_, call("bitwise_not", "x"))
        for name in ("shiftleft", "shiftright", "shiftrightunsigned"):
            yield Case(t_, call(name, "x", "y"))
            yield Case(t_, call(name, "x", 3))
        for name in ("&", "|", "^"):
            yield Case(t_, call(name, "x", "y"))
        yield Case(t_, call("bit_get", "x", 3))
        yield Case(t_, call("getbit", "x", 0))
    yield Case("rows bool", call("bit_count", "x"))
    for a, b in ((10, 16), (16, 10), (36, 10), (2, 10), (10, -16), (16, -10)):
        yield Case("rows conv", call("conv", "x", a, b), ansi=False)
    yield Case("rows bucket", call("width_bucket", "x", 0.0, 10.0, 5))
    yield Case("rows bucket", call("width_bucket", "x", 10.0, 0.0, 4))
    yield Case("rows bucket", call("width_bucket", "x", 5.0, 5.0, 4))
    yield Case("rows bucket", call("width_bucket", "x", 0.0, 10.0, 0))
    yield Case("rows bucket", call("e"))
    yield Case("rows bucket", call("pi"))
    for name in ("md5", "sha1", "sha", "crc32"):
        yield Case("rows text", call(name, "x"))
        yield Case("rows binary", call(name, "x"))
    for bits in (0, 224, 256, 384, 512, 1):
        yield Case("rows text", call("sha2", "x", bits))
    everything = ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal"]
    everything += ["bigdecimal", "date", "timestamp", "timestamp_ntz", "binary", "array", "struct"]
    everything += ["arraytext", "nested", "string"]
    for table_ in everything:
        yield Case(table_, call("hash", "x"))
        yield Case(table_, call("xxhash64", "x"))
    yield Case("map", call("hash", "x"))
    for table_ in ("rows text", "rows int", "rows bool"):
        yield Case(table_, call("hash", "x", "y"))
        yield Case(table_, call("xxhash64", "x", "y"))


def every() -> Iterator[Case]:
    """All cases."""
    yield from casts()
    yield from arithmetic()
    yield from conditionals()
    yield from mathematics()


def encoded(value: Any) -> Any:
    """A value as JSON, its type seen."""
    match value:
        case None | bool():
            return value
        case int():
            return value
        case float():
            return f"f:{value!r}"
        case Decimal():
            return f"d:{value:f}"
        case str():
            return f"s:{value}"
        case bytes() | bytearray():
            return f"x:{bytes(value).hex()}"
        case dt.datetime():
            return f"T:{value.replace(tzinfo=None).isoformat()}"
        case dt.date():
            return f"D:{value.isoformat()}"
        case dict():
            return ["m", *([encoded(k), encoded(v)] for k, v in value.items())]
        case tuple():
            return ["r", *map(encoded, value)]
        case list():
            return ["a", *map(encoded, value)]
    raise TypeError(repr(value))

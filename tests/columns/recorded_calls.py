"""Recorded answers: how they are written, and how ours are had without a session."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from executors.relational import nodes, windows
from executors.relational.errors import translated
from executors.relational.extents import Extents
from executors.relational.nodes import Making, lazily
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Attr, Call, Expr, Frame, Literal, Name, Order, Over, Star
from planner.columns.functions import loaded
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import children_of, flatten

ANSI = Settings()
assert loaded.MODULES and nodes and windows  # importing them fills the tables
_POINT = t.StructType([t.StructField("a", t.INT), t.StructField("b", t.STRING)])
KINDS: dict[str, t.DataType] = {
    "r": t.INT,
    "g": t.INT,
    "k": t.DOUBLE,
    "y": t.BYTE,
    "i": t.INT,
    "l": t.LONG,
    "d": t.DOUBLE,
    "e": t.DOUBLE,
    "f": t.FLOAT,
    "m": t.DecimalType(10, 2),
    "w": t.DecimalType(38, 2),
    "s": t.STRING,
    "b": t.BOOLEAN,
    "t": t.DATE,
    "u": t.TIMESTAMP,
    "p": _POINT,
    "a": t.ArrayType(t.INT),
    "n": t.INT,
}
ORDER = list(KINDS)
KINDS |= {"s2": t.STRING, "b2": t.STRING}


def recorded(name: str) -> Any:
    """The answers of PySpark 4.3 in a file beside this one."""
    return json.loads((Path(__file__).parent / "answers" / f"{name}.json").read_text())


_WRITTEN = re.compile(
    r"F(-?[0-9.]+(?:e[+-]?[0-9]+)?|-?nan|-?inf)|D(-?[0-9.]+(?:E[+-]?[0-9]+)?)"
    r"|T([0-9]{4}-[0-9T:.-]+)|I(-?[0-9]+)|B((?:[0-9a-f]{2})+)"
)


def decoded(value: Any) -> Any:
    """A value as it was before it was written: F1.5 a float, D1.50 a decimal, T… a time, I… a
    length of time in microseconds, B… bytes."""
    if isinstance(value, str):
        found = _WRITTEN.fullmatch(value)
        if found is None:
            return value
        real, decimal, time, span, data = found.groups()
        if time is not None:
            return (dt.datetime if "T" in time else dt.date).fromisoformat(time)
        if span is not None:
            return dt.timedelta(microseconds=int(span))
        if data is not None:
            return bytes.fromhex(data)
        return float(real) if real is not None else Decimal(decimal)
    if isinstance(value, list):
        return [decoded(each) for each in value]
    if isinstance(value, dict):
        return {key: decoded(each) for key, each in value.items()}
    return value


def plain(value: Any) -> Any:
    """A value of Arrow without its zone."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def same(ours: Any, theirs: Any) -> bool:
    """Equal, NaN to NaN and fractions to 1e-9; the sign of zero counts not."""
    if isinstance(ours, float) and isinstance(theirs, float):
        if ours != ours or theirs != theirs:
            return ours != ours and theirs != theirs
        return ours == theirs or abs(ours - theirs) <= 1e-9 * max(abs(ours), abs(theirs), 1e-3)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, Decimal) and isinstance(theirs, Decimal):
        return ours == theirs and ours.as_tuple().exponent == theirs.as_tuple().exponent
    return type(ours) is type(theirs) and bool(ours == theirs)


def table_of(rows: Sequence[Sequence[Any]], kinds: dict[str, t.DataType]) -> l.Table:
    """Rows as a plan."""
    attrs = tuple(Attr(name, kind, name != "n") for name, kind in kinds.items())
    columns = [
        pa.array([row[at] for row in rows], to_arrow(attr.kind)) for at, attr in enumerate(attrs)
    ]
    return l.Table(attrs, pa.table(columns, names=list(kinds)))


def peer_table(rows: Sequence[Sequence[Any]]) -> l.Table:
    """The table that PySpark was asked about, with i and b as text too."""
    found = []
    for row in rows:
        point = row[ORDER.index("p")]
        both = dict(zip(("a", "b"), point, strict=True)) if isinstance(point, list) else point
        values = [decoded(value) for value in row]
        values[ORDER.index("p")] = both
        i, b = values[ORDER.index("i")], values[ORDER.index("b")]
        text = [None if i is None else str(i), None if b is None else str(b).lower()]
        found.append([*values, *text])
    return table_of(found, {name: KINDS[name] for name in (*ORDER, "s2", "b2")})


def run(plan: l.Plan, settings: Settings = ANSI) -> list[list[Any]]:
    """The rows of a plan, by position."""
    fragment = flatten(plan, settings)
    making = Making(settings, [], 0, Extents(fragment.nodes, []))
    made: list[pl.LazyFrame] = []
    with translated():
        for node in fragment.nodes:
            made.append(lazily(node, [made[at] for at in children_of(node)], making))
        columns = [attr.column for attr in fragment.output]
        found = made[-1].select(columns).collect(engine="streaming").to_arrow()
    kinds = [to_arrow(attr.kind) for attr in plan.output]
    found = found.cast(pa.schema(zip(found.column_names, kinds, strict=True)))
    rows = zip(*(column.to_pylist() for column in found.columns), strict=True)
    return [[plain(value) for value in row] for row in rows]


# ---- calls as text -------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*('[^']*'|[0-9]+(?:\.[0-9]+)?(?:BD|[DLY])?|[A-Za-z_]\w*|[(),*+%-])")


class Reader:
    """Reads calls of the recorded cases: `name([distinct] args) [filter …] [over …]`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(text)

    def _next(self) -> str:
        return self._tokens.pop(0)

    def _take(self, *words: str) -> bool:
        if [token.lower() for token in self._tokens[: len(words)]] == list(words):
            del self._tokens[: len(words)]
            return True
        return False

    def value(self) -> Expr:
        """An expression."""
        left = self._simple()
        while self._tokens and self._tokens[0] in "+%":
            left = Call(self._next(), (left, self._simple()))
        return left

    def _simple(self) -> Expr:
        token = self._next()
        if token == "*":
            return Star()
        if token == "-":
            inner = self._simple()
            assert isinstance(inner, Literal)
            return Literal(-inner.value, inner.kind)
        if token == "(":
            inner = self.value()
            self._take(")")
            return inner
        if token[0] == "'":
            return Literal(token[1:-1], t.STRING)
        if token[0].isdigit():
            return _number(token)
        if token in ("true", "false"):
            return Literal(token == "true", t.BOOLEAN)
        if token == "interval":
            return self._interval()
        if not self._take("("):
            return Name((token,))
        return self._call(token)

    def _interval(self) -> Literal:
        size, unit = int(self._next()[1:-1]), self._next()
        if unit in ("month", "year"):
            months = size * (12 if unit == "year" else 1)
            return Literal(months, t.YearMonthIntervalType())
        return Literal(dt.timedelta(**{unit + "s": size}), t.DayTimeIntervalType())

    def _call(self, name: str) -> Expr:
        distinct = self._take("distinct")
        args: list[Expr] = []
        while not self._take(")"):
            args.append(self.value())
            self._take(",")
        where = None
        if self._take("filter", "(", "where"):
            where = self.value()
            self._take(")")
        nulls = self._take("ignore", "nulls")
        call = Call(name, tuple(args), distinct, where, ignore_nulls=nulls)
        return self._over(call) if self._take("over", "(") else call

    def _over(self, call: Call) -> Expr:
        partition, order, frame = [], [], None
        if self._take("partition", "by"):
            partition.append(self.value())
            while self._take(","):
                partition.append(self.value())
        if self._take("order", "by"):
            order.append(self._key())
            while self._take(","):
                order.append(self._key())
        if self._tokens[0] in ("rows", "range"):
            unit = self._next()
            if self._take("between"):
                start = self._bound()
                self._take("and")
                frame = Frame(unit, start, self._bound())
            else:
                frame = Frame(unit, self._bound(), 0)
        self._take(")")
        return Over(call, tuple(partition), tuple(order), frame)

    def _key(self) -> Order:
        child = self.value()
        ascending = not self._take("desc")
        self._take("asc")
        first = True if self._take("nulls", "first") else None
        return Order(child, ascending, False if self._take("nulls", "last") else first)

    def _bound(self) -> Any:
        if self._take("current", "row"):
            return 0
        if self._take("unbounded"):
            self._next()
            return None
        found = self.value()
        assert isinstance(found, Literal)
        value = -found.value if self._next() == "preceding" else found.value
        return value if isinstance(found.kind, t.IntegralType) else Literal(value, found.kind)


def _number(token: str) -> Literal:
    if token.endswith("BD") or ("." in token and token[-1] != "D"):
        value = Decimal(token.removesuffix("BD"))
        places = -int(value.as_tuple().exponent)
        return Literal(value, t.DecimalType(len(value.as_tuple().digits), places))
    if token[-1] == "D":
        return Literal(float(token[:-1]), t.DOUBLE)
    if token[-1] in "LY":
        return Literal(int(token[:-1]), t.LONG if token[-1] == "L" else t.BYTE)
    whole = int(token)
    return Literal(whole, t.INT if whole < 2**31 else t.LONG)


def read(text: str) -> Expr:
    """The expression of a recorded call."""
    return Reader(text).value()

"""Asks minispark the questions of `num_cases.py`, as `num_recorded.json` has PySpark's answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from num_cases import TABLES, Case, encoded, kind_of

from executors.relational.errors import QueryError, translated
from executors.relational.steps import MODULES
from planner.columns.building import build
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.columns.types import ArrayType, DataType, MapType, StructType
from planner.columns.typing import AnalysisError, Scope, bind

assert MODULES
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("num_recorded.json").read_text())


@cache
def loaded(name: str) -> tuple[tuple[Attr, ...], pl.DataFrame]:
    kinds, rows = TABLES[name]
    attrs = tuple(Attr(column, kind_of(kind)) for column, kind in kinds.items())
    data = {}
    for at, attr in enumerate(attrs):
        values = [_plain(row[at], attr.kind) for row in rows]
        data[attr.column] = pa.array(values, to_arrow(attr.kind))
    frame = pl.from_arrow(pa.table(data))
    assert isinstance(frame, pl.DataFrame)
    return attrs, frame


def _plain(value: Any, kind: DataType) -> Any:
    """A value as Arrow takes it."""
    if isinstance(kind, StructType) and value is not None:
        return dict(zip(kind.names, value, strict=True))
    if isinstance(kind, MapType) and value is not None:
        return list(value.items())
    return value


def answered(case: Case) -> Any:
    """[type, values], or the error class as text, as the record has it."""
    attrs, frame = loaded(case.table)
    settings = Settings(ansi=case.ansi, zone=case.zone)
    try:
        typed = bind(case.expr, Scope(attrs, settings))
        with translated():
            made = frame.lazy().with_columns(build(typed, settings).alias("v"))
            found = made.select("v").collect(engine="streaming")
    except AnalysisError as error:
        return error.code
    except QueryError as error:
        return error.code
    column = found.to_arrow(compat_level=pl.CompatLevel.newest()).column("v")
    column = column.cast(to_arrow(typed.type)) if column.type != to_arrow(typed.type) else column
    return [typed.type.simpleString(), [encoded(_back(v, typed.type)) for v in column.to_pylist()]]


def _back(value: Any, kind: DataType) -> Any:
    match kind:
        case StructType() if value is not None:
            return tuple(_back(value[f.name], f.dataType) for f in kind.fields)
        case MapType() if value is not None:
            return {k: _back(v, kind.valueType) for k, v in value}
        case ArrayType() if value is not None:
            return [_back(v, kind.elementType) for v in value]
    return value


def alike(ours: Any, theirs: Any, exact: bool = True) -> bool:
    """Whether two answers are the same; binary fractions within a few units of the last place."""
    if isinstance(ours, list) and isinstance(theirs, list):
        same = zip(ours, theirs, strict=False)
        return len(ours) == len(theirs) and all(alike(a, b, exact) for a, b in same)
    if isinstance(ours, str) and isinstance(theirs, str) and ours[:2] == theirs[:2] == "d:":
        return Decimal(ours[2:]) == Decimal(theirs[2:])
    if ours == theirs or exact:
        return bool(ours == theirs)
    if isinstance(ours, str) and isinstance(theirs, str) and ours[:2] == theirs[:2] == "f:":
        a, b = float(ours[2:]), float(theirs[2:])
        return math.isclose(a, b, rel_tol=1e-14, abs_tol=1e-300)
    return False


def wrong(cases: Iterable[Case], exact: bool = True) -> list[str]:
    """What differs from the record, to be shown."""
    found = []
    for case in cases:
        if case.key not in RECORDED:
            continue
        theirs = RECORDED[case.key]
        try:
            ours = answered(case)
        except Exception as error:
            ours = f"{type(error).__name__}: {str(error)[:200]}"
        if not alike(ours, theirs, exact):
            found.append(
                f"{case.key}\n   ours {short(ours, theirs)}\n theirs {short(theirs, ours)}"
            )
    return found


def short(one: Any, other: Any) -> str:
    """An answer, only the values that differ."""
    if isinstance(one, str) or isinstance(other, str) or len(one[1]) != len(other[1]):
        return json.dumps(one)[:600]
    pairs = enumerate(zip(one[1], other[1], strict=True))
    return f"{one[0]} {json.dumps({at: a for at, (a, b) in pairs if a != b})[:600]}"

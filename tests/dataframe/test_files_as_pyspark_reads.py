"""csv, json, text and partitioned folders against what PySpark 4.3 made of the same bytes.

`files_read.json` holds the files, options and schema of each question, and PySpark's columns and
rows (a row as the repr of a tuple); `code` where it refused.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import pytest

from executors.formats.errors import FilesError
from executors.formats.scanning import Reading, scan
from executors.relational.errors import QueryError
from executors.relational.fragments import answer, named
from planner.columns import types as t
from planner.columns.functions.registry import Settings
from planner.query.fragment import flatten

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("files_read.json").read_text(encoding="utf-8")
)


def laid(folder: Path, case: Mapping[str, Any]) -> str:
    for name, text in case["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin1" if case.get("bytes") else "utf-8"))
    return str(folder)


def plain(value: Any) -> Any:
    """A value without what differs by design: rows as dicts, instants without their zone."""
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float) and isnan(value):
        return "not a number"
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def told(text: str) -> Any:
    """A row of PySpark's."""
    names = {"Row": dict, "Decimal": Decimal, "datetime": datetime, "nan": nan, "inf": inf}
    return plain(eval(text, names))


def maps(row: list[Any], kinds: list[t.DataType]) -> list[Any]:
    """Maps as dicts, which Arrow gives as pairs."""
    return [
        dict(value) if isinstance(kind, t.MapType) and value is not None else value
        for value, kind in zip(row, kinds, strict=True)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_file_is_read_as_pyspark_reads_it(case: dict[str, Any], tmp_path: Path) -> None:
    options = {
        name.lower(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in case["options"].items()
    }
    schema = t.StructType.fromDDL(case["schema"]) if case["schema"] else None
    assert schema is None or isinstance(schema, t.StructType)
    path = laid(tmp_path, case)
    if "code" in case:
        with pytest.raises((FilesError, QueryError)) as caught:
            found = scan(case["format"], [path], schema, Reading(options))
            answer(flatten(chosen(found, case), Settings()), [], 0)
        if case["code"] != "run":
            assert caught.value.code == case["code"]
        return
    found = scan(case["format"], [path], schema, Reading(options))
    assert [[a.name, a.kind.simpleString()] for a in found.attrs] == case["dtypes"]
    found = chosen(found, case)
    table = named(answer(flatten(found, Settings()), [], 0), found.attrs)
    kinds = [attr.kind for attr in found.attrs]
    columns = [column.to_pylist() for column in table.columns]
    rows = [maps(plain(list(row)), kinds) for row in zip(*columns, strict=True)]
    assert sorted(map(repr, rows)) == sorted(repr(told(row)) for row in case["rows"])


def chosen(found: Any, case: Mapping[str, Any]) -> Any:
    if "select" not in case:
        return found
    return replace(found, attrs=tuple(a for a in found.attrs if a.name == case["select"]))

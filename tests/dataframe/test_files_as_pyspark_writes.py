"""csv, json, text and partitioned folders against what PySpark 4.3 wrote of the same rows.

`files_written.json` holds rows (as reprs of tuples), schema and options, and the names and contents
of PySpark's files (U for the job's name).
"""

from __future__ import annotations

import datetime
import json
import re
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from executors.formats import commit, textual
from executors.formats.writing import Writing
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.functions.registry import Settings

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("files_written.json").read_text(encoding="utf-8")
)
REFUSED_LATER = {  # by DataFrameWriter, see test_files_writer_api
    "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
    "ALL_PARTITION_COLUMNS_NOT_ALLOWED",
    "COLUMN_ALREADY_EXISTS",
    "_LEGACY_ERROR_TEMP_1155",
    "_LEGACY_ERROR_TEMP_1290",
}


def arrow(value: Any, kind: t.DataType) -> Any:
    if isinstance(kind, t.StructType) and value is not None:
        return dict(zip(kind.names, value, strict=True))
    if isinstance(kind, t.MapType) and value is not None:
        return sorted(value.items(), reverse=True)  # the order in which PySpark had them
    return value


def table(rows: list[Any], schema: t.StructType) -> pa.Table:
    columns = [
        pa.array([arrow(row[at], f.dataType) for row in rows], to_arrow(f.dataType))
        for at, f in enumerate(schema.fields)
    ]
    return pa.Table.from_arrays(columns, names=[f"c#{at}" for at in range(len(columns))])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rows_are_written_as_pyspark_writes_them(case: dict[str, Any], tmp_path: Path) -> None:
    names = {"Decimal": Decimal, "datetime": datetime, "nan": nan, "inf": inf}
    rows = [eval(row, dict(names)) for row in case["rows"]]
    schema = t.StructType.fromDDL(case["schema"])
    assert isinstance(schema, t.StructType)
    options = {
        name.lower(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in case["options"].items()
    }
    if "code" in case:
        if case["code"] not in REFUSED_LATER:
            assert textual.refused(case["format"], schema)
        return
    folders = tuple(schema.names.index(part) for part in case["parts"])
    job = commit.begin(str(tmp_path / "out"), "error")
    assert job is not None
    writing = Writing(job, case["format"], schema, folders, options, Settings())
    commit.publish(job, list(writing(0, iter([table(rows, schema)]))))
    out = tmp_path / "out"
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert sorted(as_named(str(path.relative_to(out))) for path in files) == case["files"]
    if "content" in case:
        parts = [p for p in files if p.name.startswith("part-") and p.suffix != ".gz"]
        found = [p.read_bytes().decode() for p in parts]
        if folders:  # a file for each folder, in what order does not matter
            assert sorted("".join(found)) == sorted(case["content"])
        else:
            assert "".join(found) == case["content"]


def as_named(path: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "U", path)

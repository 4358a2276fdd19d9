"""What PySpark 4.3 answered, as data in `answers/`: statements with columns, types and rows, or
with the class of their error."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from decimal import Decimal
from typing import Any

from tpch_tables import Tables, rows_of

from executors.relational.errors import QueryError
from minispark.errors import PySparkException
from planner.columns.typing import AnalysisError

FOLDER = os.path.join(os.path.dirname(__file__), "answers")

# Names of columns that PySpark makes of what it rewrites itself; ours say what was written.
OTHER_NAMES = ("+x", "z * 2")


def recorded(name: str) -> Any:
    """The answers of a file."""
    with open(os.path.join(FOLDER, f"{name}.json")) as file:
        return json.load(file)


def check(tables: Tables, entry: dict[str, Any]) -> None:
    """Fails unless a statement gives what PySpark gave."""
    text = entry["sql"]
    plan = tables.plan(text)
    assert [attr.kind.simpleString() for attr in plan.output] == entry["dtypes"]
    if not any(part in text for part in OTHER_NAMES):
        assert [attr.name for attr in plan.output] == entry["columns"]
    for optimised in (False, True):
        found = [plain(row) for row in rows_of(tables.arrow(text, optimised=optimised))]
        wanted = [plain(row) for row in entry["rows"]]
        if not re.search("order by|sort by", text, re.IGNORECASE):  # then rows have no order
            found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
        assert found == wanted


def error_of(tables: Tables, text: str) -> tuple[str | None, str]:
    """The class and message of the error that a statement ends with."""
    try:
        tables.arrow(text)
    except (AnalysisError, QueryError) as error:
        return error.code, str(error)
    except PySparkException as error:
        return error.getCondition(), str(error)
    raise AssertionError(f"{text} ended well")


def plain(value: Any) -> Any:
    """A value as the files hold it."""
    if isinstance(value, dt.datetime):
        return {"t": "datetime", "v": str(value.replace(tzinfo=None))}
    if isinstance(value, dt.date | dt.timedelta):
        return {"t": type(value).__name__, "v": str(value)}
    if isinstance(value, Decimal):
        return {"t": "Decimal", "v": str(value)}
    if isinstance(value, bytes):
        return {"t": "bytes", "v": value.hex()}
    if isinstance(value, dict) and set(value) == {"t", "v"}:
        return value["v"] if value["t"] == "map" else value
    if isinstance(value, dict):
        return [plain(each) for each in value.values()]
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return "NaN" if isinstance(value, float) and value != value else value

"""Questions to DataFrames, answered as PySpark answered them (recorded in df_answers.json)."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import df_questions
import pytest

from minispark import SparkContext
from minispark.sql import Row, SparkSession, Window, functions, types

WANTED = json.loads(Path(__file__).with_name("df_answers.json").read_text())
OURS = {  # where we answer otherwise on purpose, and what
    "make int too wide": ("error", "PySparkValueError"),  # there it silently becomes NULL
    "row missing": ("error", "AttributeError"),
    "row missing key": ("error", "ValueError"),
    "row both": ("error", "ValueError"),
    "udf raises": ("error", "ZeroDivisionError"),  # the user's own exception, not a wrapper
    "udf text for int": ("error", "TypeError"),
    "view twice": ("error", "TempTableAlreadyExistsException"),  # which is an AnalysisException
}
LEFT_OUT = {
    "ddl",  # char(n) and varchar(n) are read as string
    "column reprs",  # count(*) is shown as count(1), expr("…") as the expression
    "udf nested",  # fails there: its workers could not import the question
    "cogroup",  # the same
}


@pytest.fixture(scope="module")
def asked() -> Iterator[SimpleNamespace]:
    """The frames, on a session whose zone and process's zone are UTC as when it was recorded."""
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    spark = (
        SparkSession.builder.master("inline[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    yield df_questions.frames(spark, functions, types, Row, Window)
    spark.stop()
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def near(value: Any) -> str:
    """The answer as text, fractions to ten digits."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"\d+\.\d{10,}", lambda found: f"{float(found[0]):.10g}", text)


@pytest.mark.parametrize("name", [name for name in df_questions.ASK if name not in LEFT_OUT])
def test_the_answer_is_that_of_pyspark(asked: SimpleNamespace, name: str) -> None:
    got, wanted = df_questions.ask(asked, df_questions.ASK[name]), WANTED[name]
    if name in OURS:
        kind, value = OURS[name]
        assert got.get(kind) == value, got
    elif "error" in wanted:
        assert (got.get("error"), got.get("condition")) == (wanted["error"], wanted["condition"])
    else:
        assert near(got) == near(wanted)

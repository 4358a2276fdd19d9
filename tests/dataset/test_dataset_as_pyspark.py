"""What expressions over datasets come to, as PySpark 4.3 answered on `local[2]` (recorded).

An answer that begins with ! is the type of an error. Where PySpark hides the error of a user's
function in one of its own we raise the user's, so such expressions are not among these.
Ids of accumulators count what the process made before, and are written as #.
"""

from __future__ import annotations

import json
import operator
import os
import re

import pytest

from minispark import SparkContext, StorageLevel, TaskContext
from minispark.sql import Row, SparkSession

with open(os.path.join(os.path.dirname(__file__), "rdd_answers.json")) as _file:
    ANSWERS: dict[str, str] = json.load(_file)

NAMES = {"operator": operator, "Row": Row, "StorageLevel": StorageLevel, "TaskContext": TaskContext}


@pytest.fixture(scope="module", autouse=True)
def _session(local_sc: SparkContext) -> None:
    """It gives datasets their toDF."""
    SparkSession.builder.getOrCreate()


@pytest.mark.parametrize("asked", ANSWERS)
def test_as_pyspark(local_sc: SparkContext, asked: str) -> None:
    try:
        found = repr(eval(asked, {**NAMES, "sc": local_sc}))
    except Exception as error:
        found = f"!{type(error).__name__}"
    assert re.sub(r"Accumulator<id=\d+", "Accumulator<id=#", found) == ANSWERS[asked]

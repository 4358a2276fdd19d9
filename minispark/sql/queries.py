"""SQL statements as DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minispark.sql.statements import run

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame
    from minispark.sql.session import SparkSession


def run_sql(spark: SparkSession, text: str, args: Any, frames: Mapping[str, Any]) -> DataFrame:
    """The DataFrame of a statement; `{name}` in the text is one of `frames`."""
    return spark._dataframe(run(spark, text, args, frames))

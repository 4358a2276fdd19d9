"""DataFrames and SQL, under PySpark's names."""

from __future__ import annotations

from typing import Any

from minispark.sql import functions, types
from minispark.sql.catalog import Catalog
from minispark.sql.column import Column
from minispark.sql.dataframe.dataframe import DataFrame
from minispark.sql.dataframe.missing import DataFrameNaFunctions
from minispark.sql.dataframe.statistics import DataFrameStatFunctions
from minispark.sql.group import GroupedData
from minispark.sql.observation import Observation
from minispark.sql.pandas_groups import PandasCogroupedOps
from minispark.sql.reader import DataFrameReader
from minispark.sql.session import SparkSession
from minispark.sql.udf import UDFRegistration
from minispark.sql.udtf import UDTFRegistration
from minispark.sql.window import Window, WindowSpec
from minispark.sql.writer import DataFrameWriter
from minispark.sql.writerv2 import DataFrameWriterV2
from planner.columns.row import Row

__all__ = [
    "Catalog",
    "Column",
    "DataFrame",
    "DataFrameNaFunctions",
    "DataFrameReader",
    "DataFrameStatFunctions",
    "DataFrameWriter",
    "DataFrameWriterV2",
    "GroupedData",
    "Observation",
    "PandasCogroupedOps",
    "Row",
    "SparkSession",
    "UDFRegistration",
    "UDTFRegistration",
    "Window",
    "WindowSpec",
    "functions",
    "types",
]

_NOT_YET = frozenset(
    {
        "HiveContext",
        "SQLContext",
        "streaming",
    }
)


def __getattr__(name: str) -> Any:
    if name in _NOT_YET:
        raise NotImplementedError(f"minispark.sql.{name} is not there yet")
    raise AttributeError(f"module 'minispark.sql' has no attribute {name!r}")

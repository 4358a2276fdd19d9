"""The entry for DataFrames and SQL. DataFrames themselves are not there yet."""

from __future__ import annotations

from typing import NoReturn

from minispark.sql.session import SparkSession

__all__ = ["SparkSession"]

_NOT_YET = frozenset(
    {
        "Catalog",
        "Column",
        "DataFrame",
        "DataFrameNaFunctions",
        "DataFrameReader",
        "DataFrameStatFunctions",
        "DataFrameWriter",
        "DataFrameWriterV2",
        "GroupedData",
        "HiveContext",
        "Observation",
        "PandasCogroupedOps",
        "Row",
        "SQLContext",
        "UDFRegistration",
        "UDTFRegistration",
        "Window",
        "WindowSpec",
        "functions",
        "streaming",
        "types",
    }
)


def __getattr__(name: str) -> NoReturn:
    if name in _NOT_YET:
        raise NotImplementedError(f"minispark.sql.{name} is not there yet; use Datasets")
    raise AttributeError(f"module 'minispark.sql' has no attribute {name!r}")

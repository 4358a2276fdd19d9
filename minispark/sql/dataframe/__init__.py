"""DataFrames: handles on typed logical plans, put together from their subjects."""

from minispark.sql.dataframe.dataframe import DataFrame
from minispark.sql.dataframe.missing import DataFrameNaFunctions
from minispark.sql.dataframe.statistics import DataFrameStatFunctions

__all__ = ["DataFrame", "DataFrameNaFunctions", "DataFrameStatFunctions"]

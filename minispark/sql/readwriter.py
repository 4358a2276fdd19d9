"""`pyspark.sql.readwriter`'s names: reading and writing files."""

from __future__ import annotations

from minispark.sql.reader import DataFrameReader
from minispark.sql.writer import DataFrameWriter
from minispark.sql.writerv2 import DataFrameWriterV2

__all__ = ["DataFrameReader", "DataFrameWriter", "DataFrameWriterV2"]

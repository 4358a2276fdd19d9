"""`SparkFiles`, where PySpark has it."""

from minispark.files import SparkFiles

__all__ = ["SparkFiles"]

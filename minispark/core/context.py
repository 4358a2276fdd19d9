"""`SparkContext`, where PySpark has it."""

from minispark.context import SparkContext

__all__ = ["SparkContext"]

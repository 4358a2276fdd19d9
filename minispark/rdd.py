"""The names that PySpark has in `pyspark.rdd`."""

from __future__ import annotations

from executors.hashing import portable_hash
from minispark.dataset.approximate import BoundedFloat
from minispark.dataset.dataset import RDD, Dataset
from minispark.dataset.layout import RDDBarrier
from minispark.dataset.partitioner import DatasetPartitioner as Partitioner

PipelinedRDD = Dataset  # PySpark's name for what a narrow transformation gives

__all__ = [
    "RDD",
    "BoundedFloat",
    "Dataset",
    "Partitioner",
    "PipelinedRDD",
    "RDDBarrier",
    "portable_hash",
]

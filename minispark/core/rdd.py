"""Datasets, where PySpark has them."""

from minispark.rdd import (
    RDD,
    BoundedFloat,
    Dataset,
    Partitioner,
    PipelinedRDD,
    RDDBarrier,
    portable_hash,
)

__all__ = [
    "RDD",
    "BoundedFloat",
    "Dataset",
    "Partitioner",
    "PipelinedRDD",
    "RDDBarrier",
    "portable_hash",
]

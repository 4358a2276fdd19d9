"""Spark's programming model in Python, without a JVM.

Names are those of PySpark; each is imported when it is first asked for, so that a start is quick.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from minispark.version import __version__

if TYPE_CHECKING:
    from executors.task_context import BarrierTaskContext, BarrierTaskInfo, TaskContext
    from minispark.accumulators import Accumulator, AccumulatorParam
    from minispark.broadcast import Broadcast
    from minispark.conf import SparkConf
    from minispark.context import SparkContext
    from minispark.dataset.dataset import RDD, Dataset
    from minispark.dataset.layout import RDDBarrier
    from minispark.files import SparkFiles
    from minispark.profiler import BasicProfiler, Profiler
    from minispark.running import JobCancelled, JobFailed
    from minispark.serializers import CPickleSerializer, MarshalSerializer
    from minispark.statcounter import StatCounter
    from minispark.status import SparkExecutorInfo, SparkJobInfo, SparkStageInfo, StatusTracker
    from minispark.util import InheritableThread, inheritable_thread_target
    from planner.levels import StorageLevel

_HOME = {
    "Accumulator": "minispark.accumulators",
    "AccumulatorParam": "minispark.accumulators",
    "BarrierTaskContext": "executors.task_context",
    "BarrierTaskInfo": "executors.task_context",
    "BasicProfiler": "minispark.profiler",
    "Broadcast": "minispark.broadcast",
    "CPickleSerializer": "minispark.serializers",
    "Dataset": "minispark.dataset.dataset",
    "InheritableThread": "minispark.util",
    "JobCancelled": "minispark.running",
    "JobFailed": "minispark.running",
    "MarshalSerializer": "minispark.serializers",
    "Profiler": "minispark.profiler",
    "RDD": "minispark.dataset.dataset",
    "RDDBarrier": "minispark.dataset.layout",
    "SparkConf": "minispark.conf",
    "SparkContext": "minispark.context",
    "SparkExecutorInfo": "minispark.status",
    "SparkFiles": "minispark.files",
    "SparkJobInfo": "minispark.status",
    "SparkStageInfo": "minispark.status",
    "StatCounter": "minispark.statcounter",
    "StatusTracker": "minispark.status",
    "StorageLevel": "planner.levels",
    "TaskContext": "executors.task_context",
    "inheritable_thread_target": "minispark.util",
}
_MODULES = frozenset(
    {
        "accumulators",
        "broadcast",
        "chaos",
        "conf",
        "context",
        "core",
        "errors",
        "files",
        "profiler",
        "rdd",
        "resource",
        "resultiterable",
        "serializers",
        "sql",
        "statcounter",
        "status",
        "storagelevel",
        "taskcontext",
        "util",
        "version",
    }
)

__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "BarrierTaskContext",
    "BarrierTaskInfo",
    "BasicProfiler",
    "Broadcast",
    "CPickleSerializer",
    "Dataset",
    "InheritableThread",
    "JobCancelled",
    "JobFailed",
    "MarshalSerializer",
    "Profiler",
    "RDDBarrier",
    "SparkConf",
    "SparkContext",
    "SparkExecutorInfo",
    "SparkFiles",
    "SparkJobInfo",
    "SparkStageInfo",
    "StatCounter",
    "StatusTracker",
    "StorageLevel",
    "TaskContext",
    "__version__",
    "inheritable_thread_target",
]


def _check_neighbours() -> None:
    """Our two other packages have everyday names: say so if something else answers to them."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name in ("planner", "executors"):
        try:
            found = importlib.import_module(name)
        except ModuleNotFoundError:
            raise ImportError(f"minispark is not whole: its package {name!r} is missing") from None
        file = getattr(found, "__file__", None) or str(getattr(found, "__path__", "a namespace"))
        if os.path.dirname(os.path.abspath(file)) != os.path.join(root, name):
            raise ImportError(
                f"minispark needs its own package {name!r}, but {file} is imported under that "
                f"name: rename that module, or put {root} before it on sys.path"
            )


_check_neighbours()


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"minispark.{name}")
    else:
        raise AttributeError(f"module 'minispark' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})

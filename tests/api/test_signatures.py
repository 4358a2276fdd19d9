"""Every public method of PySpark's classes is here, with the same parameters and defaults.

Compared with the PySpark that is installed, if one is; importing it starts no Java.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import pytest

import minispark
from minispark import accumulators, profiler, rdd, resource, resultiterable, serializers, status

pyspark = pytest.importorskip("pyspark")

PLAIN = (int, float, str, bool, bytes, type(None), tuple)


def public(module: str, *names: str) -> list[tuple[type, type]]:
    """PySpark's classes of a module with ours of the same module."""
    theirs = __import__(f"pyspark.{module}", fromlist=["_"])
    ours = __import__(f"minispark.{module}", fromlist=["_"])
    return [(getattr(theirs, name), getattr(ours, name)) for name in names]


PAIRS = [
    *public("rdd", "RDD", "RDDBarrier"),
    *public("context", "SparkContext"),
    *public("conf", "SparkConf"),
    *public("broadcast", "Broadcast"),
    *public("accumulators", "Accumulator", "AccumulatorParam", "AddingAccumulatorParam"),
    *public("storagelevel", "StorageLevel"),
    *public("statcounter", "StatCounter"),
    *public("taskcontext", "TaskContext", "BarrierTaskContext", "BarrierTaskInfo"),
    *public("files", "SparkFiles"),
    *public("status", "StatusTracker", "SparkJobInfo", "SparkStageInfo", "SparkExecutorInfo"),
    *public("profiler", "Profiler", "BasicProfiler", "PStatsParam"),
    *public("resultiterable", "ResultIterable"),
    *public("resource", *pyspark.resource.__all__),
    *public("util", "InheritableThread"),
    *public(
        "serializers",
        "Serializer",
        "FramedSerializer",
        "BatchedSerializer",
        "AutoBatchedSerializer",
        "CompressedSerializer",
        "MarshalSerializer",
        "AutoSerializer",
        "NoOpSerializer",
    ),
    *public("errors", *pyspark.errors.__all__),
]


def shape(member: Any) -> Any:
    """What a caller must know of a member: its parameters, or that it is a property or a value."""
    if isinstance(member, staticmethod | classmethod):
        return type(member).__name__, shape(member.__func__)
    if isinstance(member, property):
        return "property", member.fset is not None
    if isinstance(member, types.FunctionType):
        found = inspect.signature(member).parameters.values()
        return [(each.name, each.kind, default(each.default)) for each in found]
    return "value"


def default(value: Any) -> Any:
    """A default value as it can be compared between the two."""
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(value, PLAIN):
        return value
    return "a function" if inspect.isfunction(value) else repr(value)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda kind: kind.__name__)
def test_methods_are_pysparks(theirs: type, ours: type) -> None:
    names = [name for name in dir(theirs) if not name.startswith("_")]
    # the keys an unpickler may name: not offered, for it protects PySpark's own sockets
    names = [name for name in names if name != "allowed_names"]
    missing = [name for name in names if not hasattr(ours, name)]
    assert not missing
    for name in names:
        member = inspect.getattr_static(theirs, name)
        if isinstance(member, staticmethod | classmethod | property | types.FunctionType):
            assert shape(inspect.getattr_static(ours, name)) == shape(member), name


@pytest.mark.parametrize("module", ["", ".resource", ".errors"])
def test_public_names_are_pysparks(module: str) -> None:
    theirs = __import__(f"pyspark{module}", fromlist=["_"])
    ours = __import__(f"minispark{module}", fromlist=["_"])
    of_sql = {"SQLContext", "HiveContext", "Row"}
    assert not [name for name in theirs.__all__ if name not in of_sql and not hasattr(ours, name)]


def test_the_modules_that_programs_import_from_have_their_names() -> None:
    assert issubclass(rdd.PipelinedRDD, rdd.RDD)
    assert minispark.RDD is rdd.RDD
    assert accumulators.INT_ACCUMULATOR_PARAM.zero(3) == 0
    assert accumulators.FLOAT_ACCUMULATOR_PARAM.addInPlace(1.0, 2.0) == 3.0
    assert accumulators.COMPLEX_ACCUMULATOR_PARAM.zero(1j) == 0j
    assert serializers.CPickleSerializer is serializers.CloudPickleSerializer
    assert issubclass(profiler.BasicProfiler, profiler.Profiler)
    assert status.SparkJobInfo(1, [2], "RUNNING").stageIds == [2]
    assert list(resultiterable.ResultIterable([1])) == [1]
    assert resource.ResourceInformation("gpu", ["0"]).addresses == ["0"]

"""A function, or data, that cannot be sent: the message names the culprit and the user's line."""

from __future__ import annotations

import functools
import pickle
import threading
from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path
from typing import Any

import pytest
from bad import here, refused, run_script, works

from executors.unpicklable import ClosureError, RowError
from minispark import SparkContext, StorageLevel

LOCK = threading.Lock()
NUMBERS = (number for number in range(3))
TODO = "make it inside the function that runs there, or pass the plain values it needs"


@pytest.fixture
def rows(local_sc: SparkContext) -> Any:
    return local_sc.parallelize(range(10), 2)


def test_a_variable_of_the_function(local_sc: SparkContext, rows: Any) -> None:
    guard = threading.Lock()
    words = ["variable 'guard' of <lambda>()", "_thread.lock", TODO]
    with refused(local_sc, ClosureError, *words) as caught:
        data, site = rows.map(lambda n: (guard, n)), here()
        data.count()
    assert f"[map at {site}]" in str(caught.value) and f"<lambda>() at {site}" in str(caught.value)
    assert isinstance(caught.value, pickle.PicklingError | TypeError), "as in PySpark"


def test_a_global(local_sc: SparkContext, rows: Any) -> None:
    with refused(local_sc, ClosureError, "global 'LOCK' of <lambda>()", TODO):
        rows.filter(lambda n: LOCK and n).count()
    with refused(local_sc, ClosureError, "global 'NUMBERS' of <lambda>()", "generator"):
        rows.map(lambda n: next(NUMBERS)).count()


def test_a_global_inside_a_comprehension(local_sc: SparkContext, rows: Any) -> None:
    with refused(local_sc, ClosureError, "global 'LOCK' of <lambda>()"):
        rows.map(lambda n: [LOCK for _ in range(n)]).count()


def test_an_attribute_named_like_a_bad_global_is_not_blamed(
    local_sc: SparkContext, rows: Any
) -> None:
    guard = threading.Lock()
    with refused(local_sc, ClosureError, "variable 'guard' of <lambda>()"):
        rows.map(lambda n: n.LOCK and guard).count()


def test_a_default_of_a_parameter(local_sc: SparkContext, rows: Any) -> None:
    with refused(local_sc, ClosureError, "default of parameter 'guard' of <lambda>()"):
        rows.map(lambda n, guard=LOCK: n).count()
    with refused(local_sc, ClosureError, "default of parameter 'guard' of <lambda>()"):
        rows.map(lambda n, *, guard=LOCK: n).count()


def test_a_function_that_the_function_uses(local_sc: SparkContext, rows: Any) -> None:
    connection = threading.Lock()

    def helper(n: int) -> Any:
        return connection and n

    def uses(n: int) -> Any:
        return helper(n)

    words = ["variable 'connection' of helper()", "(used by variable 'helper' of uses() at"]
    with refused(local_sc, ClosureError, *words):
        rows.map(uses).count()


class Model:
    """Something with a method worth mapping, and a thing inside that cannot travel."""

    def __init__(self) -> None:
        self.factor = 3
        self.settings = {"guard": threading.Lock()}

    def score(self, n: int) -> int:
        return n * self.factor


def test_an_object_of_the_users(local_sc: SparkContext, rows: Any) -> None:
    model = Model()
    inside = ["entry 'guard'", "attribute 'settings' of Model"]
    with refused(local_sc, ClosureError, *inside, "the object of method score()"):
        rows.map(model.score).count()
    with refused(local_sc, ClosureError, *inside, "variable 'model' of <lambda>()"):
        rows.map(lambda n: model.factor * n).count()
    with refused(local_sc, ClosureError, "argument 1 of partial"):
        rows.map(functools.partial(pow, 2, LOCK)).count()
    with refused(local_sc, ClosureError, "argument 'mod' of partial"):
        rows.map(functools.partial(pow, 2, mod=LOCK)).count()


class Refuses:
    """Raises an error of its own when it is pickled."""

    def __reduce__(self) -> Any:
        raise PermissionError("this object stays at home")


def test_an_object_that_refuses_itself(local_sc: SparkContext, rows: Any) -> None:
    treasure = Refuses()
    words = ["variable 'treasure' of <lambda>()", "this object stays at home"]
    with refused(local_sc, ClosureError, *words) as caught:
        rows.map(lambda n: treasure).count()
    assert isinstance(caught.value.__cause__, PermissionError)


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.foreach(lambda n: LOCK),
        lambda rows: rows.reduce(lambda a, b: LOCK),
        lambda rows: rows.fold(0, lambda a, b: LOCK),
        lambda rows: rows.aggregate(0, lambda a, b: LOCK, add),
        lambda rows: rows.treeReduce(lambda a, b: LOCK),
        lambda rows: rows.mapPartitions(lambda part: [LOCK]).collect(),
        lambda rows: rows.flatMap(lambda n: [LOCK]).collect(),
        lambda rows: rows.sortBy(lambda n: LOCK).collect(),
        lambda rows: rows.groupBy(lambda n: LOCK).collect(),
        lambda rows: rows.keyBy(lambda n: LOCK).reduceByKey(add).collect(),
        lambda rows: rows.map(lambda n: (n, n)).reduceByKey(lambda a, b: LOCK).collect(),
        lambda rows: rows.map(lambda n: (n, n)).partitionBy(2, lambda k: LOCK and 1).collect(),
        lambda rows: rows.takeOrdered(2, key=lambda n: LOCK),
        lambda rows: rows.max(key=lambda n: LOCK),
    ],
)
def test_every_method_names_it(
    local_sc: SparkContext, rows: Any, ask: Callable[[Any], Any]
) -> None:
    with refused(local_sc, ClosureError, "global 'LOCK' of <lambda>() at test_closures.py:"):
        ask(rows)


def test_elements_of_a_collection(local_sc: SparkContext) -> None:
    with refused(local_sc, ClosureError, "element 1 of the collection", "lock", "[parallelize at"):
        local_sc.parallelize([1, LOCK], 1).count()


def test_broadcasts(local_sc: SparkContext, rows: Any) -> None:
    words = ["cannot broadcast: entry 'guard'", "[broadcast at test_closures.py:"]
    with refused(local_sc, pickle.PicklingError, *words):
        local_sc.broadcast({"guard": LOCK})
    words = ["cannot broadcast", "collect() it first", "[broadcast at test_closures.py:"]
    with refused(local_sc, pickle.PicklingError, *words):
        local_sc.broadcast({"rows": rows})


# ---- rows that tasks make ------------------------------------------------------------------------


def test_rows_of_a_result(local_sc: SparkContext) -> None:
    words = ["a row of type lock", "_thread.lock", "let functions give plain values", "map at"]
    with refused(local_sc, RowError, *words) as caught:
        local_sc.parallelize(range(4), 2).map(lambda n: threading.Lock()).collect()
    assert "cloudpickle" not in str(caught.value.__cause__)
    with refused(local_sc, RowError, "a row of type generator", "map at"):
        local_sc.parallelize(range(4), 2).map(lambda n: (i for i in range(n))).collect()


def test_rows_on_their_way_and_rows_to_keep(local_sc: SparkContext, rows: Any) -> None:
    pairs = rows.map(lambda n: (n, threading.Lock()))
    with refused(local_sc, RowError, "a row of type tuple", "element 1 of tuple", "partitionBy at"):
        pairs.partitionBy(2).groupByKey().count()
    with refused(local_sc, RowError, "a row of type tuple", "and count at"):
        pairs.persist(StorageLevel.DISK_ONLY).count()
    assert pairs.unpersist().count() == 10, "they need not travel at all to be counted"


def test_rows_nested_too_deep(local_sc: SparkContext) -> None:
    def nested(depth: int) -> list[Any]:
        found: list[Any] = []
        for _ in range(depth):
            found = [found]
        return found

    with refused(local_sc, RowError, "a row of type list", "nested too deep", "map at"):
        local_sc.parallelize([100_000], 1).map(nested).collect()


def test_what_is_added_to_an_accumulator(local_sc: SparkContext, rows: Any) -> None:
    from minispark import AccumulatorParam

    class Last(AccumulatorParam):
        def zero(self, value: Any) -> Any:
            return None

        def addInPlace(self, one: Any, other: Any) -> Any:
            return other

    last = local_sc.accumulator(None, Last())
    with refused(local_sc, RowError, "what a task has added to an accumulator", "foreach at"):
        rows.foreach(lambda n: last.add(threading.Lock()))


# ---- what executors cannot import ----------------------------------------------------------------


@pytest.fixture
def late_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module that the driver can import, but executors, started before, cannot."""
    import importlib

    (tmp_path / "late_helpers.py").write_text("def double(n):\n    return 2 * n\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("late_helpers")
    import sys

    del sys.modules["late_helpers"]


def test_a_module_that_executors_do_not_have(
    local_sc: SparkContext, rows: Any, late_module: Any, tmp_path: Path
) -> None:
    words = ["No module named 'late_helpers'", "sc.addPyFile()", "in partition"]
    with refused(local_sc, ModuleNotFoundError, *words):
        rows.map(late_module.double).collect()
    local_sc.addPyFile(str(tmp_path / "late_helpers.py"))
    assert rows.map(late_module.double).sum() == 90
    assert works(local_sc)


def test_functions_and_classes_of_a_script_travel(tmp_path: Path) -> None:
    code, out, err = run_script(
        tmp_path,
        """
import threading
from minispark import SparkContext

class Point:
    def __init__(self, x):
        self.x = x

def move(point):
    return Point(point.x + 1)

lock = threading.Lock()
sc = SparkContext("local[2]", "script")
points = sc.parallelize([Point(1), Point(2)], 2)
print([point.x for point in points.map(move).collect()])
try:
    points.map(lambda point: lock).count()
except Exception as error:
    print(error)
print(points.map(move).map(lambda point: point.x).sum())
""",
    )
    lines = out.splitlines()
    assert (code, lines[0], lines[2]) == (0, "[2, 3]", "5"), err
    assert lines[1].startswith("global 'lock' of <lambda>() at script.py:17 cannot be sent")
    assert lines[1].endswith("[map at script.py:17]")

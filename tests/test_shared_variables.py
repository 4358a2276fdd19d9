"""Broadcasts and accumulators: what tasks see, what the driver sees, and when."""

from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minispark import AccumulatorParam, Broadcast, SparkContext
from minispark.errors import PySparkRuntimeError


class ListParam(AccumulatorParam[Any]):
    """Adds in place, to see whether values are shared by mistake."""

    def zero(self, value: Any) -> Any:
        return [0.0] * len(value)

    def addInPlace(self, value1: Any, value2: Any) -> Any:
        for at in range(len(value1)):
            value1[at] += value2[at]
        return value1


class Joining(AccumulatorParam[Any]):
    """The zero is one object that is added to in place."""

    def __init__(self) -> None:
        self.nothing: list[Any] = []

    def zero(self, value: Any) -> Any:
        return self.nothing

    def addInPlace(self, value1: Any, value2: Any) -> Any:
        value1 += value2
        return value1


# ---- accumulators --------------------------------------------------------------------------------


def test_numbers_add_up(sc: SparkContext) -> None:
    whole, real, imaginary = sc.accumulator(1), sc.accumulator(0.5), sc.accumulator(1j)

    def add(x: int) -> None:
        nonlocal whole
        whole += x
        real.add(x)
        imaginary.add(x)

    sc.parallelize(range(10), 3).foreach(add)
    assert (whole.value, real.value, imaginary.value) == (46, 45.5, 45 + 1j)
    whole.value = 7
    whole += 1
    assert whole.value == 8
    assert repr(whole) == f"Accumulator<id={whole.aid}, value=8>"
    assert str(whole) == "8"


def test_in_place_params(sc: SparkContext) -> None:
    vector = sc.accumulator([1.0, 2.0], ListParam())
    joined = sc.accumulator([], Joining())

    def add(x: int) -> None:
        vector.add([x, x])
        joined.add([x])

    for _ in range(2):
        sc.parallelize(range(4), 4).foreach(add)
    assert vector.value == [13.0, 14.0]
    assert sorted(joined.value) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_only_the_driver_reads_and_sets(sc: SparkContext) -> None:
    count = sc.accumulator(3)

    def assign(x: int) -> None:
        count.value = x

    for use in (lambda _: count.value, assign):
        with pytest.raises(PySparkRuntimeError, match=r"VALUE_NOT_ACCESSIBLE.*Accumulator\.value"):
            sc.range(1).map(use).collect()
    assert sc.range(1).map(lambda _: repr(count)).first() == f"Accumulator<id={count.aid}, value=0>"
    assert count.value == 3


def test_a_failed_attempt_does_not_count(sc: SparkContext) -> None:
    count = sc.accumulator(0)

    def fail(x: int) -> None:
        count.add(1)
        raise KeyError(x)

    with pytest.raises(KeyError):
        sc.range(1, numSlices=1).foreach(fail)
    assert count.value == 0


def test_a_shuffle_stage_that_is_used_again_does_not_count_again(sc: SparkContext) -> None:
    count = sc.accumulator(0)

    def pair(x: int) -> tuple[int, int]:
        count.add(1)
        return x % 2, x

    sums = sc.range(10, numSlices=2).map(pair).reduceByKey(lambda a, b: a + b)
    assert sorted(sums.collect()) == [(0, 20), (1, 25)]
    assert sorted(sums.keys().collect()) == [0, 1]
    assert count.value == 10


def test_accumulators_nobody_can_read_are_forgotten(sc: SparkContext) -> None:
    from minispark.accumulators import _registry

    gc.collect()
    before = len(_registry)
    sc.range(3).foreach(sc.accumulator(0).add)
    gc.collect()
    assert len(_registry) <= before + 1


def test_a_param_that_fails_on_the_driver_is_told(sc: SparkContext) -> None:
    class Picky(AccumulatorParam[Any]):
        def zero(self, value: Any) -> Any:
            return 0

        def addInPlace(self, value1: Any, value2: Any) -> Any:
            if value1 + value2 > 3:
                raise OverflowError("too much")
            return value1 + value2

    count = sc.accumulator(0, Picky())
    sc.parallelize([2, 2], 2).foreach(count.add)
    with pytest.raises(RuntimeError, match=r"Picky\.addInPlace failed.*too much"):
        _ = count.value
    assert sc.range(3).count() == 3


def test_what_has_no_default_param(sc: SparkContext) -> None:
    with pytest.raises(TypeError, match="type list needs an AccumulatorParam"):
        sc.accumulator([1.0])


# ---- broadcasts ----------------------------------------------------------------------------------


def test_a_value_reaches_every_task(sc: SparkContext) -> None:
    big = sc.broadcast({i: str(i) * 10 for i in range(10_000)})
    found = sc.parallelize(range(8), 8).map(lambda x: big.value[x]).collect()
    assert found == [str(i) * 10 for i in range(8)]
    assert big.value[3] == "3" * 10
    big.unpersist()
    assert sc.range(1).map(lambda _: len(big.value)).first() == 10_000


def test_tasks_of_a_worker_share_the_object(sc: SparkContext) -> None:
    value = sc.broadcast([1])
    ids = set(sc.parallelize(range(8), 8).map(lambda _: id(value.value)).collect())
    assert len(ids) <= 2


def test_functions_and_classes_of_the_script(sc: SparkContext) -> None:
    class Adder:
        def __init__(self, n: int) -> None:
            self.n = n

        def add(self, x: int) -> int:
            return x + self.n

    value = sc.broadcast((Adder(2), lambda x: x * 10))
    found = sc.range(3).map(lambda x: value.value[1](value.value[0].add(x)))
    assert found.collect() == [20, 30, 40]


def test_later_changes_do_not_show(sc: SparkContext) -> None:
    original = [1, 2]
    value = sc.broadcast(original)
    original.append(3)
    assert value.value == [1, 2]
    assert sc.range(1).map(lambda _: value.value).first() == [1, 2]


def test_a_destroyed_broadcast_says_where(sc: SparkContext) -> None:
    value = sc.broadcast([1])
    use = sc.range(1).map(lambda _: value.value)
    assert use.collect() == [[1]]
    value.destroy()
    uses = (value.destroy, value.unpersist, lambda: value.value, lambda: pickle.dumps(value))
    for refused in uses:
        with pytest.raises(
            PySparkRuntimeError, match=r"destroyed by destroy at test_shared_variables\.py:\d+"
        ):
            refused()
    with pytest.raises(pickle.PicklingError, match=r"'value'.*destroyed"):
        sc.range(1).map(lambda _: value.value).collect()


def test_a_value_that_was_read_stays_with_the_driver(sc: SparkContext) -> None:
    value = sc.broadcast([1])
    assert value.value == [1]
    value.destroy()
    assert value.value == [1]


def test_tasks_cannot_destroy(sc: SparkContext) -> None:
    value = sc.broadcast([1])
    for use in (lambda _: value.destroy(), lambda _: value.unpersist()):
        with pytest.raises(RuntimeError, match="INVALID_BROADCAST_OPERATION"):
            sc.range(1).map(use).collect()


def test_what_cannot_be_pickled_is_named(sc: SparkContext) -> None:
    with pytest.raises(pickle.PicklingError, match="entry 'lock'"):
        sc.broadcast({"lock": threading.Lock()})
    for engine in (sc, sc.range(3)):
        with pytest.raises(pickle.PicklingError, match="driver"):
            sc.broadcast([engine])
    with pytest.raises(TypeError, match=r"SparkContext\.broadcast"):
        Broadcast()


def test_broadcasts_in_files(sc: SparkContext, tmp_path: Path) -> None:
    value = sc.broadcast([1])
    path = tmp_path / "value"
    with open(path, "wb") as file:
        value.dump(["kept"], file)
    assert file.closed
    assert value.load_from_path(str(path)) == ["kept"]
    assert Broadcast(path=str(path)).value == ["kept"]
    with open(path, "rb") as file:
        assert Broadcast(sock_file=file).value == ["kept"]


def test_workers_forget_old_values(local_sc: SparkContext) -> None:
    def count(_: int) -> tuple[int, int]:
        from minispark import broadcast

        return len(broadcast._recent), len(broadcast._known)

    for number in range(6):
        value = local_sc.broadcast(bytes([number]) * (40 << 20))
        assert local_sc.range(1).map(lambda _, value=value: value.value[0]).first() == number
        value.destroy()
    (kept, known) = max(local_sc.range(4, numSlices=4).map(count).collect())
    assert kept <= 2
    assert known <= 3


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Finalizers of one test must not run in another."""
    yield
    gc.collect()

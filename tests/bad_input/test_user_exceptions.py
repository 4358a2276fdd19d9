"""An exception of the user in a task: the driver raises the very same, and says where it was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from operator import add
from pathlib import Path
from typing import Any

import pytest
from bad import here, refused, run_script, said, works
from contexts import MASTERS, make_context

from executors.user_errors import LineageTooLong, RemoteTraceback, TaskExit
from minispark import SparkContext


@pytest.fixture(scope="module", params=MASTERS)
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context(request.param, request)
    yield context
    context.stop()


def raising(make: Any) -> Any:
    """A function that raises what `make()` gives when it meets a 7."""

    def fails(n: int) -> int:
        if n == 7:
            raise make()
        return n

    return fails


def raised(sc: SparkContext, make: Any) -> BaseException:
    """What the driver raises where partition 1 of 2 raised what `make()` gives."""
    with pytest.raises(Exception) as caught:
        sc.parallelize(range(10), 2).map(raising(make)).collect()
    assert works(sc)
    return caught.value


def in_the_task(error: BaseException) -> str:
    """The traceback of the task, which the driver shows as the cause."""
    assert isinstance(error.__cause__, RemoteTraceback)
    return str(error.__cause__)


def test_it_is_the_users_own(sc: SparkContext) -> None:
    def inner(n: int) -> float:
        return 1 / (n - 7)

    with refused(sc, ZeroDivisionError, "division by zero", "in partition 1 of stage") as caught:
        rows, site = sc.parallelize(range(10), 2).map(lambda n: inner(n)), here()
        rows.collect()
    assert f", map at {site}" in said(caught.value)
    text = in_the_task(caught.value)
    assert text.count("File ") == 2, "the lambda and what it called, no frame of the engine"
    assert f'{__file__}", line' in text and "in inner" in text and "1 / (n - 7)" in text


class Odd(Exception):
    """Its constructor does not take what is in `args`."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


class Doubled(Exception):
    """Its constructor takes `args`, and makes something else of them."""

    def __init__(self, text: str) -> None:
        super().__init__(f"bad: {text}")


class Guarded(Exception):
    """An attribute of it cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.guard = threading.Lock()


class NoReduce(ValueError):
    def __reduce__(self) -> Any:
        raise PermissionError("not this one")


class EndsWhoeverReadsIt(ValueError):
    def __reduce__(self) -> Any:
        return sys.exit, (3,)


class BadText(ValueError):
    def __str__(self) -> str:
        raise KeyError("no text")


class MyFileError(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(2, "it is not there", path)
        self.kind = "mine"


def test_odd_constructors(sc: SparkContext) -> None:
    found = raised(sc, lambda: Odd(3, reason="too hot"))
    assert (type(found), str(found)) == (Odd, "too hot (3)")
    assert (found.code, found.reason) == (3, "too hot")
    assert str(raised(sc, lambda: Doubled("x"))) == "bad: x"
    found = raised(sc, lambda: MyFileError("words.txt"))
    assert (type(found), found.filename, found.kind) == (MyFileError, "words.txt", "mine")


def test_what_cannot_be_pickled(sc: SparkContext) -> None:
    found = raised(sc, lambda: Guarded("careful"))
    assert (type(found), found.text, hasattr(found, "guard")) == (Guarded, "careful", False)
    assert "(left out, cannot be sent: guard)" in said(found)
    for kind in (NoReduce, EndsWhoeverReadsIt):
        found = raised(sc, lambda kind=kind: kind("really"))
        assert (type(found), str(found)) == (kind, "really")


def test_a_class_that_cannot_be_sent_is_named(sc: SparkContext) -> None:
    def make() -> Exception:
        guard = threading.Lock()

        class Local(Exception):
            def __str__(self) -> str:
                return f"made here {guard is not None}"

        return Local()

    found = raised(sc, make)
    assert (type(found), str(found)) == (RuntimeError, "Local: made here True")


def test_a_text_that_raises(sc: SparkContext) -> None:
    found = raised(sc, BadText)
    assert type(found) is BadText
    assert "BadText: <exception str() failed>" in in_the_task(found)


def test_builtin_ones(sc: SparkContext) -> None:
    found = raised(sc, lambda: KeyError("k"))
    assert (type(found), found.args) == (KeyError, ("k",))
    found = raised(sc, lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"))
    assert (type(found), found.object) == (UnicodeDecodeError, b"\xff")
    found = raised(sc, lambda: FileNotFoundError(2, "gone", "words.txt"))
    assert (type(found), found.filename) == (FileNotFoundError, "words.txt")
    found = raised(sc, lambda: ExceptionGroup("two", [ValueError(1), Odd(2, reason="b")]))
    assert [type(each) for each in found.exceptions] == [ValueError, Odd]
    assert "ValueError: 1" in in_the_task(found) and "Odd: b (2)" in in_the_task(found)


def test_what_led_to_it(sc: SparkContext) -> None:
    def chained(n: int) -> Any:
        try:
            return {}["missing"]
        except KeyError as error:
            raise ValueError("outer") from error

    def meanwhile(n: int) -> Any:
        try:
            return {}["missing"]
        except KeyError:
            raise ValueError("outer")  # noqa: B904  (its context is what is tested)

    for function, link in ((chained, "direct cause"), (meanwhile, "During handling")):
        with refused(sc, ValueError, "outer") as caught:
            sc.parallelize(range(4), 2).map(function).collect()
        text = in_the_task(caught.value)
        assert text.index("KeyError: 'missing'") < text.index(link) < text.index("ValueError:")


def test_the_users_notes_and_attributes_stay(sc: SparkContext) -> None:
    def make() -> Exception:
        error = ValueError("x")
        error.add_note("seen at night")
        error.where = {"row": 7}  # type: ignore[attr-defined]
        return error

    found = raised(sc, make)
    assert found.where == {"row": 7}  # type: ignore[attr-defined]
    assert found.__notes__[0] == "seen at night"


# ---- where it was --------------------------------------------------------------------------------


def test_the_transformation_is_named(sc: SparkContext) -> None:
    pairs = sc.parallelize(range(10), 2).map(lambda n: (n % 2, n))
    asked = {
        "reduceByKey": lambda: pairs.reduceByKey(lambda a, b: a // 0).collect(),
        "mapValues": lambda: pairs.groupByKey().mapValues(lambda v: 1 // 0).collect(),
        "foreach": lambda: pairs.foreach(lambda pair: 1 // 0),
        "sortBy": lambda: pairs.sortBy(lambda pair: 1 // pair[0]).collect(),
        "partitionBy": lambda: pairs.partitionBy(2, lambda key: 1 // 0).collect(),
        "reduce": lambda: pairs.reduce(lambda a, b: 1 // 0),
        "treeAggregate": lambda: pairs.treeAggregate(0, lambda a, b: 1 // 0, add),
        "mapPartitions": lambda: pairs.mapPartitions(lambda rows: (1 // 0 for _ in rows)).count(),
    }
    for method, ask in asked.items():
        with refused(sc, ZeroDivisionError, f", {method} at test_user_exceptions.py:"):
            ask()


def test_rows_that_do_not_fit_the_operation(sc: SparkContext) -> None:
    numbers = sc.parallelize(range(10), 2)
    with refused(sc, TypeError, "between parallelize at test_", "and reduceByKey at test_"):
        numbers.reduceByKey(add).collect()
    with refused(sc, TypeError, "between parallelize at test_", "and join at test_"):
        numbers.join(numbers).collect()
    with refused(sc, TypeError, "not supported between", "sortBy at test_"):
        sc.parallelize([1, "a", None], 1).sortBy(lambda row: row).collect()
    with refused(sc, TypeError, "missing 1 required positional argument: 'b'", "map at test_"):
        numbers.map(lambda a, b: 1).collect()
    with refused(sc, TypeError, "'int' object is not iterable", "flatMap at test_"):
        numbers.flatMap(lambda n: n).collect()


# ---- tasks that want to end ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SystemExit(3), "a task called sys.exit(3); a task ends by returning"),
        (lambda: SystemExit("now"), "a task called sys.exit('now')"),
        (lambda: GeneratorExit(), "a task raised GeneratorExit, which is no Exception"),
        (lambda: BaseException("base"), "a task raised BaseException: base"),
    ],
)
def test_it_is_told_what_a_task_asked_for(sc: SparkContext, make: Any, words: str) -> None:
    with refused(sc, TaskExit, words, "in partition 1 of stage", "map at test_") as caught:
        sc.parallelize(range(10), 2).map(raising(make)).collect()
    assert "raise make()" in in_the_task(caught.value)


def test_a_keyboard_interrupt_of_a_task_is_not_the_users(sc: SparkContext) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("in the driver's own thread it is a Ctrl-C")
    with refused(sc, TaskExit, "a task raised KeyboardInterrupt", "map at test_"):
        sc.parallelize(range(10), 2).map(raising(KeyboardInterrupt)).collect()


def test_a_stop_iteration_does_not_end_the_rows(sc: SparkContext) -> None:
    with refused(sc, RuntimeError, "StopIteration", "map at test_"):
        sc.parallelize(range(10), 2).map(raising(lambda: StopIteration(3))).collect()


# ---- recursion -----------------------------------------------------------------------------------


def test_endless_recursion_is_the_users(sc: SparkContext) -> None:
    def again(n: int) -> int:
        return again(n)

    with refused(sc, RecursionError, "maximum recursion depth", "map at test_") as caught:
        sc.parallelize(range(4), 2).map(again).collect()
    assert "more times]" in in_the_task(caught.value)


def test_generators_stacked_too_deep(sc: SparkContext) -> None:
    data = sc.parallelize(range(4), 2)
    for _ in range(1500):
        data = data.mapPartitions(lambda rows: (row for row in rows))
    words = ["transformations follow each other in one task", "checkpoint()", "map()"]
    with refused(sc, LineageTooLong, *words, "mapPartitions at test_"):
        data.count()
    assert issubclass(LineageTooLong, RecursionError)


# ---- a script ------------------------------------------------------------------------------------


def test_exceptions_of_a_script_can_be_caught(tmp_path: Path) -> None:
    code, out, err = run_script(
        tmp_path,
        """
from minispark import SparkContext

class TooHot(Exception):
    def __init__(self, *, degrees):
        super().__init__(f"{degrees} degrees")
        self.degrees = degrees

def check(n):
    if n > 3:
        raise TooHot(degrees=n)
    return n

sc = SparkContext("local[2]", "script")
try:
    sc.parallelize(range(5), 2).map(check).sum()
except TooHot as error:
    print("caught", error.degrees, error)
sc.parallelize([9], 1).map(check).sum()
""",
    )
    assert (code, out) == (1, "caught 4 4 degrees\n")
    assert "TooHot: 9 degrees\nin partition 0 of stage" in err and "script.py:19" in err
    assert "raise TooHot(degrees=n)" in err
    assert "minispark" not in err, "no frame of the engine"

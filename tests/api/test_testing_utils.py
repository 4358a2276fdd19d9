"""The bases that users build their own tests on."""

from __future__ import annotations

import logging
import sys
import time
import unittest
from collections.abc import Iterator

import pytest

from minispark import SparkConf, SparkContext
from minispark.errors import PySparkValueError, QueryContextType
from minispark.testing.utils import (
    PySparkErrorTestUtils,
    PySparkTestCase,
    QuietTest,
    ReusedPySparkTestCase,
    eventually,
    have_numpy,
    have_package,
    numpy_requirement_message,
    timeout,
)


@pytest.fixture
def no_context() -> Iterator[None]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    yield
    assert SparkContext._active_spark_context is None


def outcome(case: type[unittest.TestCase]) -> unittest.TestResult:
    return unittest.defaultTestLoader.loadTestsFromTestCase(case).run(unittest.TestResult())


def test_every_test_has_a_context_of_its_own(no_context: None) -> None:
    seen = []

    class Mine(PySparkTestCase):
        def test_one(self) -> None:
            seen.append(self.sc.applicationId)
            sys.path.append("/somewhere/else")
            self.assertEqual(self.sc.parallelize([1, 2]).sum(), 3)

        def test_two(self) -> None:
            seen.append(self.sc.applicationId)
            self.assertEqual(self.sc.master, "local[4]")
            self.assertNotIn("/somewhere/else", sys.path)
            self.fail("on purpose")

    result = outcome(Mine)
    assert (result.testsRun, len(result.failures), result.errors) == (2, 1, [])
    assert len(set(seen)) == 2
    assert "/somewhere/else" not in sys.path


def test_all_tests_of_a_class_share_one(no_context: None) -> None:
    class Mine(ReusedPySparkTestCase):
        @classmethod
        def master(cls) -> str:
            return "inline[2]"

        @classmethod
        def conf(cls) -> SparkConf:
            return SparkConf().set("spark.default.parallelism", 3)

        def test_one(self) -> None:
            self.assertIs(self.sc, SparkContext._active_spark_context)
            with self.quiet():
                self.assertEqual(self.sc.range(9).getNumPartitions(), 3)

        def test_two(self) -> None:
            self.assertEqual(self.sc.appName, "Mine")

    assert outcome(Mine).wasSuccessful()


def test_quiet_ends_with_its_block(sc: SparkContext) -> None:
    logger = logging.getLogger("minispark")
    before = logger.level
    with pytest.raises(KeyError), QuietTest(sc):
        assert not logger.isEnabledFor(logging.ERROR)
        raise KeyError
    assert logger.level == before


def test_eventually_calls_until_it_is_so() -> None:
    answers = [False, "almost", ValueError("not yet"), AssertionError("soon"), None]

    @eventually(timeout=5, interval=0.001, catch_assertions=True, expected_exceptions=(ValueError,))
    def check() -> object:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    check()
    assert answers == []


def test_eventually_gives_up_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match="'almost'"):
        eventually(timeout=0.01, interval=0.001)(lambda: "almost")()

    def fails() -> None:
        raise AssertionError("seen")

    with pytest.raises(AssertionError, match="seen"):
        eventually(timeout=0.01, interval=0.001, catch_assertions=True)(fails)()
    calls = []
    with pytest.raises(ZeroDivisionError):
        eventually()(lambda: calls.append(1) or 1 / 0)()
    assert calls == [1]


def test_timeout_ends_what_takes_too_long() -> None:
    @timeout(1)
    def slow() -> None:
        time.sleep(30)

    with pytest.raises(TimeoutError, match="slow timed out after 1"):
        slow()
    assert timeout(1)(lambda x: x + 1)(1) == 2


def test_check_error_looks_at_all_of_it() -> None:
    class Case(unittest.TestCase, PySparkErrorTestUtils):
        def runTest(self) -> None: ...

    case = Case()
    error = PySparkValueError(errorClass="TOO_MANY", messageParameters={"limit": "30"})
    case.check_error(error, "TOO_MANY", {"limit": "30"})
    case.check_error(
        error, errorClass="TOO_MANY", messageParameters={"limit": r"\d+"}, matchPVals=True
    )
    with pytest.raises(AssertionError):
        case.check_error(error, "TOO_FEW", {"limit": "30"})
    with pytest.raises(AssertionError):
        case.check_error(error, "TOO_MANY", {})
    with pytest.raises(AssertionError):
        case.check_error(error, "TOO_MANY", {"limit": "[a-z]+"}, matchPVals=True)
    with pytest.raises(AssertionError):
        case.check_error(error, "TOO_MANY", {"limit": "30"}, QueryContextType.SQL)
    with pytest.raises(AssertionError):
        case.check_error(ValueError("no"), "TOO_MANY", {})  # type: ignore[arg-type]


def test_packages_are_found_without_importing_them() -> None:
    assert have_package("json")
    assert not have_package("no_such_package")
    assert have_numpy
    assert numpy_requirement_message == ""

"""Bases for unittest cases that need a context, and waiting for what takes a while."""

from __future__ import annotations

import functools
import importlib.util
import logging
import re
import signal
import sys
import time
import unittest
from collections.abc import Callable, Iterable, Mapping
from types import FrameType, TracebackType
from typing import Any, ClassVar

from minispark.conf import SparkConf
from minispark.context import SparkContext
from minispark.errors import PySparkException, QueryContextType

_MASTER = "local[4]"


def have_package(name: str) -> bool:
    """Whether a package is installed; it is not imported.

    >>> have_package("json"), have_package("no_such_package")
    (True, False)
    """
    return importlib.util.find_spec(name) is not None


def _missing(name: str) -> str:
    return "" if have_package(name) else f"No module named '{name}'"


# For `@unittest.skipIf(not have_numpy, numpy_requirement_message)` and its kin.
have_numpy = have_package("numpy")
numpy_requirement_message = _missing("numpy")
have_pandas = have_package("pandas")
pandas_requirement_message = _missing("pandas")
have_pyarrow = have_package("pyarrow")
pyarrow_requirement_message = _missing("pyarrow")


def timeout(timeout: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: a function that takes longer than so many seconds ends with a TimeoutError.

    It works in the main thread only, and where there is SIGALRM.

    >>> @timeout(1)
    ... def slow():
    ...     time.sleep(60)
    >>> slow()
    Traceback (most recent call last):
    TimeoutError: Function slow timed out after 1 seconds
    """

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        def ring(number: int, frame: FrameType | None) -> None:
            raise TimeoutError(f"Function {f.__name__} timed out after {timeout} seconds")

        @functools.wraps(f)
        def run(*args: Any, **kwargs: Any) -> Any:
            before = signal.signal(signal.SIGALRM, ring)
            signal.alarm(timeout)
            try:
                return f(*args, **kwargs)
            finally:
                signal.alarm(0)
                signal.signal(signal.SIGALRM, before)

        return run

    return decorate


def eventually(
    timeout: float = 30.0,
    catch_assertions: bool = False,
    catch_timeout: bool = False,
    quiet: bool = True,
    interval: float = 0.1,
    expected_exceptions: Iterable[type[BaseException]] = (),
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """A decorator: call a function again and again until what it checks is so.

    Parameters
    ----------
    timeout : float
        Seconds after which it fails. The function is called at least once.
    catch_assertions, catch_timeout : bool
        Whether an AssertionError or TimeoutError means "not yet" rather than an end.
    quiet : bool
        If False, every vain call is printed.
    interval : float
        Seconds between calls.
    expected_exceptions : types of exceptions
        Others that mean "not yet".

    Returns
    -------
    callable
        The function it decorates gives True or None when all is well, and anything else, which
        is told in the end, if not.

    Raises
    ------
    AssertionError
        Time was up; or the last one of the exceptions that mean "not yet".

    Examples
    --------
    >>> calls = []
    >>> @eventually(timeout=5, interval=0.01)
    ... def check():
    ...     calls.append(1)
    ...     return len(calls) == 3
    >>> check()
    >>> len(calls)
    3
    """
    caught = (
        *expected_exceptions,
        *((AssertionError,) if catch_assertions else ()),
        *((TimeoutError,) if catch_timeout else ()),
    )

    def decorate(condition: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(condition)
        def run(*args: Any, **kwargs: Any) -> None:
            end = time.monotonic() + timeout
            while True:
                try:
                    last = condition(*args, **kwargs)
                except caught as error:
                    last = error
                if last is True or last is None:
                    return
                if not quiet:
                    print(f"not yet: {last}")
                if time.monotonic() >= end:
                    break
                time.sleep(interval)
            if isinstance(last, BaseException):
                raise last
            raise AssertionError(f"not so after {timeout:g} s; the last answer was {last!r}")

        return run

    return decorate


class QuietTest:
    """A `with` block in which the engine logs nothing but what ends it.

    >>> with QuietTest(sc):
    ...     sc.range(3).count()
    3
    """

    def __init__(self, sc: SparkContext) -> None:
        self._logger = logging.getLogger("minispark")

    def __enter__(self) -> None:
        self._before = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._logger.setLevel(self._before)


class PySparkBaseTestCase(unittest.TestCase):
    """What the cases with a context have in common: nothing but their type."""


class PySparkTestCase(PySparkBaseTestCase):
    """A new context, `self.sc`, for every test.

    Examples
    --------
    >>> class Sums(PySparkTestCase):
    ...     def test_a_sum(self):
    ...         self.assertEqual(self.sc.parallelize([1, 2]).sum(), 3)
    """

    sc: SparkContext

    def setUp(self) -> None:
        self._path = list(sys.path)
        self.sc = SparkContext(_MASTER, type(self).__name__)

    def tearDown(self) -> None:
        self.sc.stop()
        sys.path[:] = self._path


class ReusedPySparkTestCase(PySparkBaseTestCase):
    """One context, `self.sc`, for all tests of the class.

    Override `conf` for settings, and `master` for other executors.
    """

    sc: ClassVar[SparkContext]

    @classmethod
    def conf(cls) -> SparkConf:
        """Settings of the context."""
        return SparkConf()

    @classmethod
    def master(cls) -> str:
        """Where tasks run."""
        return _MASTER

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sc = SparkContext(cls.master(), cls.__name__, conf=cls.conf())

    @classmethod
    def tearDownClass(cls) -> None:
        cls.sc.stop()
        super().tearDownClass()

    def quiet(self) -> QuietTest:
        """A `with` block in which the engine does not log."""
        return QuietTest(self.sc)


class PySparkErrorTestUtils:
    """A mixin for test cases that look into a PySparkException.

    Examples
    --------
    >>> class Errors(unittest.TestCase, PySparkErrorTestUtils):
    ...     def runTest(self):
    ...         self.check_error(PySparkException(errorClass="X"), "X", {})
    >>> Errors().run().wasSuccessful()
    True
    """

    def check_error(
        self: Any,
        exception: PySparkException,
        errorClass: str,
        messageParameters: Mapping[str, str] | None = None,
        query_context_type: QueryContextType | None = None,
        fragment: str | None = None,
        matchPVals: bool = False,
    ) -> None:
        """Fail unless an exception is as it should be.

        Parameters
        ----------
        exception : PySparkException
        errorClass : str
            Its condition.
        messageParameters : mapping of str to str, optional
            All of its parameters; none if not given.
        query_context_type : QueryContextType, optional
            How the queries were written that it tells of; None if it tells of none.
        fragment : str, optional
            The piece of those queries.
        matchPVals : bool
            The values of `messageParameters` are regular expressions.
        """
        self.assertIsInstance(exception, PySparkException)
        self.assertEqual(exception.getCondition(), errorClass)
        wanted, found = dict(messageParameters or {}), dict(exception.getMessageParameters() or {})
        if matchPVals:
            self.assertEqual(found.keys(), wanted.keys())
            for key, pattern in wanted.items():
                self.assertTrue(re.search(pattern, found[key]), f"{key}: {found[key]!r}")
        else:
            self.assertEqual(found, wanted)
        contexts = exception.getQueryContext()
        self.assertEqual(bool(contexts), query_context_type is not None, contexts)
        for context in contexts:
            self.assertEqual(context.contextType(), query_context_type)
            if query_context_type is QueryContextType.DataFrame:
                self.assertEqual(context.fragment(), fragment)

"""Exceptions that programs catch: PySpark's names, each also the builtin exception it stands for.

A user's own exception raised in a task is none of these: it reaches the driver as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import Enum
from pickle import PicklingError
from typing import Any

# Condition -> what it says; `{names}` are filled from the parameters.
_CONDITIONS = {
    "CONTEXT_ONLY_VALID_ON_DRIVER": (
        "The SparkContext lives in the driver. A function that runs in a task, and what it uses, "
        "cannot refer to it (nor make another one): pass the values it needs instead."
    ),
    "CONTEXT_STOPPED": "This SparkContext was stopped {where}; make a new one to go on.",
    "INCORRECT_CONF_FOR_PROFILE": (
        "There are no profiles: set spark.python.profile to true before the SparkContext is made."
    ),
    "INVALID_BROADCAST_OPERATION": "A broadcast can only be {operation} in the driver.",
    "BROADCAST_DESTROYED": "Broadcast {id} was destroyed {where} and cannot be used any more.",
    "KEY_VALUE_PAIR_REQUIRED": "Give either a key with its value, or pairs of them.",
    "VALUE_NOT_ACCESSIBLE": (
        "{value} cannot be read or set in a task: tasks add to it, the driver reads it."
    ),
    "SESSION_STOPPED": "This SparkSession was stopped; make a new one to go on.",
    "NO_ACTIVE_SESSION": "There is no active SparkSession: make one with SparkSession.builder.",
}


class QueryContextType(Enum):
    """How the query was written in which an error happened."""

    SQL = 0
    DataFrame = 1


class QueryContext(ABC):
    """Where in a query an error happened: `PySparkException.getQueryContext`."""

    @abstractmethod
    def contextType(self) -> QueryContextType:
        """How the query was written."""

    @abstractmethod
    def objectType(self) -> str:
        """What the query belongs to, such as "VIEW"; empty for a query of its own."""

    @abstractmethod
    def objectName(self) -> str:
        """The name of that; empty for a query of its own."""

    @abstractmethod
    def startIndex(self) -> int:
        """Where in the query's text it begins, from 0."""

    @abstractmethod
    def stopIndex(self) -> int:
        """Where in the query's text it ends, from 0."""

    @abstractmethod
    def fragment(self) -> str:
        """The piece of the query."""

    @abstractmethod
    def callSite(self) -> str:
        """The user's line that asked for it."""

    @abstractmethod
    def summary(self) -> str:
        """All of it in words."""


class PySparkException(Exception):
    """Base of the exceptions of this module.

    Parameters
    ----------
    message : str, optional
        What happened. Without it, the text that belongs to `errorClass`.
    errorClass : str, optional
        The name of the condition, in capitals.
    messageParameters : mapping of str to str, optional
        What to fill into the text.

    Examples
    --------
    >>> error = PySparkValueError("that is too large", "TOO_LARGE")
    >>> str(error), error.getCondition(), isinstance(error, ValueError)
    ('[TOO_LARGE] that is too large', 'TOO_LARGE', True)
    """

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: Mapping[str, str] | None = None,
        contexts: list[QueryContext] | None = None,
    ) -> None:
        self._errorClass = errorClass
        self._messageParameters = dict(messageParameters or {})
        self._contexts = contexts or []
        self._message = message if message is not None else self._text()
        super().__init__(str(self))

    def _text(self) -> str:
        text = _CONDITIONS.get(self._errorClass or "")
        if text is not None:
            return text.format_map(self._messageParameters)
        return ", ".join(f"{key}: {value}" for key, value in self._messageParameters.items())

    def getCondition(self) -> str | None:
        """The name of the condition, or None.

        >>> PySparkTypeError("no", "NOT_STR").getCondition()
        'NOT_STR'
        """
        return self._errorClass

    def getErrorClass(self) -> str | None:
        """The older name of `getCondition`.

        >>> PySparkTypeError("no", "NOT_STR").getErrorClass()
        'NOT_STR'
        """
        return self._errorClass

    def getMessageParameters(self) -> dict[str, str]:
        """What was filled into the text.

        >>> PySparkRuntimeError(errorClass="X", messageParameters={"a": "1"}).getMessageParameters()
        {'a': '1'}
        """
        return self._messageParameters

    def getSqlState(self) -> str | None:
        """The SQLSTATE of the condition; the conditions of this version have none.

        >>> PySparkTypeError("no", "NOT_STR").getSqlState() is None
        True
        """
        return None

    def getMessage(self) -> str:
        """The text with the condition in front.

        >>> PySparkTypeError("no", "NOT_STR").getMessage()
        '[NOT_STR] no'
        """
        return f"[{self._errorClass}] {self._message}"

    def getBreakingChangeInfo(self) -> dict[str, Any] | None:
        """How to get the behaviour of an older version back; None, for no condition is about that.

        >>> PySparkTypeError("no", "NOT_STR").getBreakingChangeInfo() is None
        True
        """
        return None

    def getQueryContext(self) -> list[QueryContext]:
        """Where in a query it happened; empty for errors that belong to none.

        >>> PySparkTypeError("no").getQueryContext()
        []
        """
        return self._contexts

    def __str__(self) -> str:
        return self._message if self._errorClass is None else self.getMessage()

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self._message, self._errorClass, self._messageParameters, self._contexts)
        return (type(self), parts, self.__dict__)


class AnalysisException(PySparkException):
    """A query that cannot be understood."""


class ParseException(AnalysisException):
    """SQL text that cannot be parsed."""


class TempTableAlreadyExistsException(AnalysisException):
    """A temporary view of that name is there already."""


class SessionNotSameException(PySparkException):
    """Two sides of an operation belong to different sessions."""


class IllegalArgumentException(PySparkException):
    """An argument that makes no sense."""


class NumberFormatException(IllegalArgumentException):
    """Text that is not a number."""


class ArithmeticException(PySparkException):
    """Arithmetic without a result, such as a division by zero."""


class UnsupportedOperationException(PySparkException):
    """Something that is not supported."""


class ArrayIndexOutOfBoundsException(PySparkException):
    """An index outside of an array."""


class DateTimeException(PySparkException):
    """A date or time that does not exist."""


class StreamingQueryException(PySparkException):
    """What ended a streaming query."""


class StreamingPythonRunnerInitializationException(PySparkException):
    """A Python process of a streaming query that did not start."""


class QueryExecutionException(PySparkException):
    """A query that failed while it ran."""


class PythonException(PySparkException):
    """An exception of a Python worker."""


class SparkRuntimeException(PySparkException):
    """Something that went wrong while running."""


class SparkUpgradeException(PySparkException):
    """An answer that would differ between versions."""


class SparkNoSuchElementException(PySparkException):
    """Something that was asked for by name and is not there."""


class UnknownException(PySparkException):
    """None of the others."""


class PickleException(PySparkException):
    """Something that could not be pickled or unpickled on the other side."""


class PySparkValueError(PySparkException, ValueError):
    """A ValueError with a condition."""


class PySparkTypeError(PySparkException, TypeError):
    """A TypeError with a condition."""


class PySparkIndexError(PySparkException, IndexError):
    """An IndexError with a condition."""


class PySparkAttributeError(PySparkException, AttributeError):
    """An AttributeError with a condition."""


class PySparkRuntimeError(PySparkException, RuntimeError):
    """A RuntimeError with a condition."""


class PySparkAssertionError(PySparkException, AssertionError):
    """An AssertionError with a condition.

    Parameters
    ----------
    message, errorClass, messageParameters
        As for PySparkException.
    data : iterable, optional
        The rows that were not as they should be.

    Examples
    --------
    >>> PySparkAssertionError("two rows differ", data=[1, 2]).data
    [1, 2]
    """

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: Mapping[str, str] | None = None,
        data: Iterable[Any] | None = None,
    ) -> None:
        super().__init__(message, errorClass, messageParameters)
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self._message, self._errorClass, self._messageParameters, self.data)
        return (type(self), parts, self.__dict__)


class PySparkNotImplementedError(PySparkException, NotImplementedError):
    """A NotImplementedError with a condition."""


class PySparkPicklingError(PySparkException, PicklingError):
    """A PicklingError with a condition."""


class PySparkKeyError(PySparkException, KeyError):
    """A KeyError with a condition."""


class PySparkImportError(PySparkException, ImportError):
    """An ImportError with a condition."""

"""From what planning and running say went wrong to the exceptions that programs catch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from executors.nesting import room
from executors.relational.errors import QueryError
from executors.relational.pyvalues import BadValue
from minispark import errors
from planner.columns.ddl import BadType
from planner.columns.inference import CannotInfer
from planner.columns.typing import AnalysisError

_OF_VALUES: dict[str, type[errors.PySparkException]] = {
    "DIVIDE_BY_ZERO": errors.ArithmeticException,
    "REMAINDER_BY_ZERO": errors.ArithmeticException,
    "ARITHMETIC_OVERFLOW": errors.ArithmeticException,
    "BINARY_ARITHMETIC_OVERFLOW": errors.ArithmeticException,
    "INTERVAL_ARITHMETIC_OVERFLOW": errors.ArithmeticException,
    "INTERVAL_DIVIDED_BY_ZERO": errors.ArithmeticException,
    "CAST_OVERFLOW": errors.ArithmeticException,
    "NUMERIC_VALUE_OUT_OF_RANGE": errors.ArithmeticException,
    "CAST_INVALID_INPUT": errors.NumberFormatException,
    "CANNOT_PARSE_TIMESTAMP": errors.DateTimeException,
    "DATETIME_FIELD_OUT_OF_BOUNDS": errors.DateTimeException,
    "INVALID_ARRAY_INDEX": errors.ArrayIndexOutOfBoundsException,
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT": errors.ArrayIndexOutOfBoundsException,
    "INVALID_INDEX_OF_ZERO": errors.SparkRuntimeException,
    "MAP_KEY_DOES_NOT_EXIST": errors.SparkNoSuchElementException,
    "INVALID_PARAMETER_VALUE": errors.IllegalArgumentException,
    "ILLEGAL_ARGUMENT": errors.IllegalArgumentException,
    "PARSE_SYNTAX_ERROR": errors.ParseException,
    "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN": errors.AnalysisException,
}


def analysed(name: str, message: str, code: str | None) -> errors.PySparkException:
    """An exception of `minispark.errors` by its name."""
    found: errors.PySparkException = getattr(errors, name)(message, code)
    return found


def of_query(error: QueryError) -> errors.PySparkException:
    """The exception of a value that made a query fail."""
    code = error.code
    if code == "CAST_INVALID_INPUT" and any(
        word in str(error.args[0]) for word in ("DATE", "TIMESTAMP", " date", " timestamp")
    ):
        return errors.DateTimeException(str(error.args[0]), code)
    kind = _OF_VALUES.get(code) or _OF_VALUES.get(code.split(".")[0])
    return (kind or errors.SparkRuntimeException)(str(error.args[0]), code)


def of_value(error: BadValue) -> errors.PySparkException:
    """The exception of a Python value that a column cannot hold."""
    kind = errors.PySparkTypeError if error.of_type else errors.PySparkValueError
    return kind(str(error), error.code)


def of_analysis(error: AnalysisError) -> errors.PySparkException:
    """The exception of a query that means nothing."""
    if error.code.startswith(("PARSE_", "INVALID_STATEMENT", "UNCLOSED_")):
        return errors.ParseException(str(error), error.code)
    return errors.AnalysisException(str(error), error.code)


def _placed(found: errors.PySparkException, error: Exception) -> errors.PySparkException:
    """The exception with what was noted of the place: the row, the task, the user's line."""
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    return found


@contextmanager
def translated() -> Iterator[None]:
    """In this block, errors of planning and running are those that PySpark's users know."""
    try:
        with room():
            yield
    except RecursionError:
        raise errors.AnalysisException(
            "the query nests deeper than there is room for: compute it in steps, with "
            "localCheckpoint() or createDataFrame(df.rdd, df.schema) between them",
            "FAILED_TO_PARSE_TOO_COMPLEX",
        ) from None
    except AnalysisError as error:
        raise of_analysis(error) from None
    except QueryError as error:
        raise _placed(of_query(error), error) from None
    except BadValue as error:
        raise _placed(of_value(error), error) from None
    except CannotInfer as error:
        raise errors.PySparkTypeError(str(error), error.code) from None


@contextmanager
def parse_errors() -> Iterator[None]:
    """In this block, a text that names no type is a ParseException."""
    try:
        yield
    except BadType as error:
        code = "UNSUPPORTED_DATATYPE" if error.of_name else "PARSE_SYNTAX_ERROR"
        raise errors.ParseException(str(error), code) from None

"""PySpark's exceptions: what is in them, and that it stays in them from process to process."""

from __future__ import annotations

import pickle
import threading

import pytest

from minispark import Broadcast, SparkContext, errors
from minispark.errors import (
    PySparkAssertionError,
    PySparkException,
    PySparkRuntimeError,
    QueryContext,
    QueryContextType,
)

NAMES = [name for name in vars(errors) if name.startswith("PySpark") and name.endswith("Error")]


@pytest.mark.parametrize("name", NAMES)
def test_an_error_survives_pickling(name: str) -> None:
    error = getattr(errors, name)("too many", "TOO_MANY", {"limit": "3"})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error) == "[TOO_MANY] too many"
    assert copy.getMessageParameters() == {"limit": "3"}


def test_rows_stay_with_an_assertion_error() -> None:
    error = PySparkAssertionError("they differ", data=[1, 2])
    assert pickle.loads(pickle.dumps(error)).data == [1, 2]
    assert PySparkAssertionError("they differ").data is None


def test_what_an_error_tells_of_a_query() -> None:
    class Here(QueryContext):
        def contextType(self) -> QueryContextType:
            return QueryContextType.SQL

        def objectType(self) -> str:
            return ""

        def objectName(self) -> str:
            return ""

        def startIndex(self) -> int:
            return 0

        def stopIndex(self) -> int:
            return 6

        def fragment(self) -> str:
            return "select"

        def callSite(self) -> str:
            return ""

        def summary(self) -> str:
            return "at the beginning"

    error = PySparkException("no", "X", contexts=[Here()])
    assert [context.fragment() for context in error.getQueryContext()] == ["select"]
    assert PySparkException("no", "X").getQueryContext() == []


def test_a_second_context_is_refused_in_pysparks_words(sc: SparkContext) -> None:
    with pytest.raises(ValueError, match="Cannot run multiple SparkContexts at once"):
        SparkContext("inline", "second")
    assert sc.range(2).count() == 2


def test_a_broadcast_without_a_context_cannot_be_sent(tmp_path: object) -> None:
    path = f"{tmp_path}/value"
    with open(path, "wb") as file:
        pickle.dump("a", file)
    with pytest.raises(PySparkRuntimeError) as caught:
        pickle.dumps(Broadcast(path=path))
    assert caught.value.getCondition() == "INVALID_BROADCAST_OPERATION"
    assert caught.value.getMessageParameters() == {"operation": "serialized"}


def test_a_row_that_cannot_be_pickled_is_named(sc: SparkContext) -> None:
    with pytest.raises(pickle.PicklingError, match="lock"):
        sc.parallelize([threading.Lock()]).count()

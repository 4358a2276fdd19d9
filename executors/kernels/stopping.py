"""A StopIteration that a user's function lets out must not end the rows quietly.

`map` and its kin take it for the end of their input. Watching the input's end costs nothing per
row: the output may only end after the input did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NoReturn


class _End:
    """Comes after the last input row and remembers that it was reached."""

    reached = False

    def __iter__(self) -> _End:
        return self

    def __next__(self) -> NoReturn:
        self.reached = True
        raise StopIteration


class _Check:
    """Comes after the last output row and asks whether the input had ended too."""

    def __init__(self, end: _End) -> None:
        self._end = end

    def __iter__(self) -> _Check:
        return self

    def __next__(self) -> NoReturn:
        if not self._end.reached:
            raise stopped_by_user()
        raise StopIteration


def stopped_by_user() -> RuntimeError:
    """The error for a StopIteration that came out of a user's function."""
    return RuntimeError("StopIteration came out of a function given to a dataset; the job fails")


def watched(make: Callable[[Iterator[Any]], Iterable[Any]], rows: Iterable[Any]) -> Iterator[Any]:
    """`make(rows)`, which must read its input to the end unless a user's function stopped it."""
    end = _End()
    return chain(make(chain(rows, end)), _Check(end))


def call(f: Callable[..., Any], *args: Any) -> Any:
    """`f(*args)`, a StopIteration turned into the error that it is."""
    try:
        return f(*args)
    except StopIteration as stop:
        raise stopped_by_user() from stop

"""Errors of Polars as what they mean: the markers of `planner/columns/functions/raising.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from planner.columns.functions.aggregates import TOO_LARGE
from planner.columns.functions.raising import END, MARK


class QueryError(Exception):
    """A value made a query fail. `code` is Spark's error class; the driver raises its exception."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return f"[{self.code}] {self.args[0]}"


_MARKED = re.compile(re.escape(MARK) + rf"([A-Z_.0-9]+):(?:([^{END}]*){END}|([^\"\]]*))", re.DOTALL)
_OWN = {  # errors that Polars finds by itself in operators that are checked no other way
    "overflow in decimal": (
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        "a decimal does not fit 38 digits; use a try_ function for NULL",
    ),
    "conversion from `i128` to `i64` failed": ("ARITHMETIC_OVERFLOW", TOO_LARGE),
}


_LONG = 1_000  # letters of a message: a value in it may be any text


def _short(message: str) -> str:
    if len(message) <= _LONG:
        return message
    return f"{message[: _LONG // 2]} … {message[-_LONG // 2 :]}"


@contextmanager
def translated() -> Iterator[None]:
    """In this block an error of a value is a QueryError with Spark's error class."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        said = str(error).partition("\n\n")[0]  # what follows shows the expression, markers too
        found = _MARKED.search(said)
        if found is not None:
            raise QueryError(_short(found[2] or found[3] or ""), found[1]) from None
        for words, (code, message) in _OWN.items():
            if words in str(error):
                raise QueryError(message, code) from None
        raise

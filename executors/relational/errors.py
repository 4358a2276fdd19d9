"""Errors of Polars as what they mean: the markers of `planner/functions/raising.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from planner.functions.raising import MARK


class QueryError(Exception):
    """A value made a query fail. `code` is Spark's error class; the driver raises its exception."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return f"[{self.code}] {self.args[0]}"


_MARKED = re.compile(re.escape(MARK) + r"([A-Z_.]+):([^\"\]]*)")


@contextmanager
def translated() -> Iterator[None]:
    """In this block an error of a value is a QueryError with Spark's error class."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        found = _MARKED.search(str(error))
        if found is None:
            raise
        raise QueryError(found[2], found[1]) from None

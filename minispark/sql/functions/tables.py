"""Table functions of users."""

from __future__ import annotations

from typing import Any

from minispark.sql.udtf import UserDefinedTableFunction
from planner.columns import types as t


def udtf(
    cls: Any = None,
    *,
    returnType: t.StructType | str | None = None,
    useArrow: bool | None = None,
) -> Any:
    """A class whose `eval` makes rows, as a table function; also a decorator.

    Parameters
    ----------
    cls : type
        Its method `eval` takes the arguments and yields tuples, one a row; `terminate`, if there
        is one, yields more when there are no more rows. One instance sees the rows of a partition.
    returnType : StructType or str
        The columns.
    useArrow : bool, optional
        Not needed: values always travel in Arrow batches.

    Examples
    --------
    >>> @udtf(returnType="letter string")
    ... class Letters:
    ...     def eval(self, word: str):
    ...         for letter in word:
    ...             yield letter,
    >>> Letters(F.lit("ab")).collect()
    [Row(letter='a'), Row(letter='b')]
    """
    if cls is None:
        return lambda given: UserDefinedTableFunction(given, returnType)
    return UserDefinedTableFunction(cls, returnType)

"""Users' Python functions as functions of columns: udf, pandas_udf."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

from minispark.errors import PySparkTypeError, PySparkValueError
from minispark.sql.column import Column, named, type_named
from planner.columns import types as t
from planner.columns.expressions import PythonCall


class UserDefinedFunction:
    """A Python function that is called with columns: made by `udf` and `pandas_udf`.

    Examples
    --------
    >>> from minispark.sql.functions import udf
    >>> twice = udf(lambda n: n * 2, "long")
    >>> spark.range(2).select(twice("id").alias("n")).collect()
    [Row(n=0), Row(n=2)]
    """

    def __init__(
        self,
        func: Callable[..., Any],
        returnType: t.DataType | str = t.STRING,
        name: str | None = None,
        evalType: Any = "row",
        deterministic: bool = True,
    ) -> None:
        if not callable(func):
            raise PySparkTypeError(f"a function is needed, not {func!r}", "NOT_EXPECTED_TYPE")
        self.func = func
        self.returnType = type_named(returnType)
        self.evalType = evalType
        self.deterministic = deterministic
        self._name = name or getattr(func, "__name__", None) or type(func).__name__
        functools.update_wrapper(self, func, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Column:
        func = self.func
        given = list(args)
        if kwargs:
            names, count = tuple(kwargs), len(args)
            given += kwargs.values()
            func = _Named(func, count, names)
        exprs = tuple(named(arg) for arg in given)
        call = PythonCall(
            func, exprs, self.returnType, self.evalType, self._name, self.deterministic
        )
        return Column(call)

    def asNondeterministic(self) -> UserDefinedFunction:
        """Say that the function may give different answers for the same arguments."""
        self.deterministic = False
        return self


class _Named:
    """A function some of whose last arguments come by name."""

    def __init__(self, func: Callable[..., Any], count: int, names: tuple[str, ...]) -> None:
        self.func = func
        self.count = count
        self.names = names

    def __call__(self, *args: Any) -> Any:
        by_name = dict(zip(self.names, args[self.count :], strict=True))
        return self.func(*args[: self.count], **by_name)


def udf(
    f: Any = None,
    returnType: t.DataType | str = t.STRING,
    *,
    useArrow: bool | None = None,
) -> Any:
    """A Python function of values as a function of columns, called for every row.

    Parameters
    ----------
    f : callable, or a type
        The function; without it `udf` is a decorator, which may take the type.
    returnType : DataType or str, default text
        What it gives.
    useArrow : bool, optional
        Not needed: values always travel in Arrow batches.

    Examples
    --------
    >>> @udf("long")
    ... def square(n):
    ...     return n * n
    >>> spark.range(3).select(square("id").alias("n")).collect()
    [Row(n=0), Row(n=1), Row(n=4)]
    """
    if f is None or isinstance(f, str | t.DataType):
        kind = f if f is not None else returnType
        return lambda func: UserDefinedFunction(func, kind)
    return UserDefinedFunction(f, returnType)


class PandasUDFType:
    """The older way to say what a pandas_udf does; type hints say it better."""

    SCALAR = 200
    GROUPED_MAP = 201
    GROUPED_AGG = 202
    SCALAR_ITER = 204


_STYLES = {200: "pandas", 202: "fold", 204: "iterator"}


def pandas_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """A Python function of pandas series as a function of columns.

    Parameters
    ----------
    f : callable, or a type
        Takes series and gives a series; or takes an iterator of them and gives one; or takes
        series and gives one value, for use in `groupBy(…).agg`. Type hints say which.
    returnType : DataType or str
        What a value of the answer is.

    Examples
    --------
    >>> import pandas as pd
    >>> @pandas_udf("long")
    ... def plus_one(numbers: pd.Series) -> pd.Series:
    ...     return numbers + 1
    >>> spark.range(2).select(plus_one("id").alias("n")).collect()
    [Row(n=1), Row(n=2)]
    """
    if f is None or isinstance(f, str | t.DataType):
        kind = f if f is not None else returnType
        style = functionType if f is None else (returnType or functionType)
        if kind is None:
            raise PySparkTypeError("pandas_udf needs a return type", "CANNOT_BE_NONE")
        return lambda func: pandas_udf(func, kind, style)
    if returnType is None:
        raise PySparkTypeError("pandas_udf needs a return type", "CANNOT_BE_NONE")
    if functionType == PandasUDFType.GROUPED_MAP:
        raise NotImplementedError("pandas_udf of groups: use groupBy(…).applyInPandas")
    style = _STYLES[functionType] if functionType is not None else _style(f)
    return UserDefinedFunction(f, returnType, evalType=style)


def _style(f: Callable[..., Any]) -> str:
    """What a function does, by its type hints."""
    parameters = inspect.signature(f).parameters
    if not parameters:
        raise PySparkValueError(
            "a pandas_udf needs an argument, whose length says how many rows there are",
            "INVALID_PANDAS_UDF",
        )
    try:
        hints = typing.get_type_hints(f)
    except (NameError, TypeError):
        hints = dict(getattr(f, "__annotations__", {}))
    if "return" not in hints:
        return "pandas"
    gives, first = str(hints["return"]), str(hints.get(next(iter(parameters)), ""))
    if "Iterator" in gives:
        return "iterator"
    if "Iterator" in first:
        raise NotImplementedError("a pandas_udf that folds an iterator is not there")
    return "pandas" if "Series" in gives or "DataFrame" in gives else "fold"


class ArrowUDFType:
    """What an arrow_udf does; type hints say it too."""

    SCALAR = 250
    SCALAR_ITER = 251
    GROUPED_AGG = 252


def arrow_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """A Python function of Arrow arrays as a function of columns.

    Parameters
    ----------
    f : callable, or a type
        Takes arrays and gives an array of as many values.
    returnType : DataType or str
        What a value of the answer is.

    Examples
    --------
    >>> import pyarrow.compute as pc
    >>> plus_one = arrow_udf(lambda numbers: pc.add(numbers, 1), "long")
    >>> spark.range(2).select(plus_one("id").alias("n")).collect()
    [Row(n=1), Row(n=2)]
    """
    if f is None or isinstance(f, str | t.DataType):
        kind = f if f is not None else returnType
        style = functionType if f is None else (returnType or functionType)
        if kind is None:
            raise PySparkTypeError("arrow_udf needs a return type", "CANNOT_BE_NONE")
        return lambda func: arrow_udf(func, kind, style)
    if returnType is None:
        raise PySparkTypeError("arrow_udf needs a return type", "CANNOT_BE_NONE")
    hints = {name: str(hint) for name, hint in getattr(f, "__annotations__", {}).items()}
    gives = hints.get("return", "Array")
    if (
        functionType not in (None, ArrowUDFType.SCALAR)
        or "Array" not in gives
        or any("Iterator" in hint for hint in hints.values())
    ):
        raise NotImplementedError(
            "an arrow_udf of an iterator, or that gives one value of many: use pandas_udf"
        )
    return UserDefinedFunction(f, returnType, evalType="arrow")

"""Functions that take a function: it is called once, with columns that stand for elements."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from minispark.errors import PySparkTypeError, PySparkValueError
from minispark.sql.column import Column, named
from minispark.sql.functions.making import of
from planner.columns.expressions import Lambda, Name, Variable, new_id

Function = Callable[..., Column]


def function(f: Function, *counts: int) -> Lambda:
    """The expression that a Python function of columns makes.

    Raises
    ------
    ValueError
        `f` takes another number of columns, or has a * parameter.
    TypeError
        It does not give a column.
    """
    parameters = inspect.signature(f).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(each.kind not in kinds for each in parameters) or len(parameters) not in counts:
        wanted = " or ".join(map(str, counts))
        raise PySparkValueError(
            f"the function must take {wanted} columns, by place: {f}",
            "WRONG_NUM_ARGS_FOR_HIGHER_ORDER_FUNCTION",
        )
    made = [Variable(f"{word}_{new_id()}") for word in ("x", "y", "z")[: len(parameters)]]
    found = f(*(Column(Name((variable.name,))) for variable in made))
    if not isinstance(found, Column):
        raise PySparkTypeError(
            f"the function must give a column, and gave {found!r}",
            "HIGHER_ORDER_FUNCTION_SHOULD_RETURN_COLUMN",
        )
    return Lambda(tuple(made), found._expr)


def transform(col: Any, f: Function) -> Column:
    """`f` of each element; a second argument of `f` is its place, from 0.

    >>> df = spark.createDataFrame([([1, 2],)], ["xs"])
    >>> df.select(transform("xs", lambda x: x * 2).alias("ys")).first()
    Row(ys=[2, 4])
    """
    return of("transform", named(col), function(f, 1, 2))


def filter(col: Any, f: Function) -> Column:
    """The elements for which `f` is true.

    >>> df = spark.createDataFrame([([1, 2],)], ["xs"])
    >>> df.select(filter("xs", lambda x: x > 1).alias("ys")).first()
    Row(ys=[2])
    """
    return of("filter", named(col), function(f, 1, 2))


def exists(col: Any, f: Function) -> Column:
    """Whether `f` is true for an element."""
    return of("exists", named(col), function(f, 1))


def forall(col: Any, f: Function) -> Column:
    """Whether `f` is true for every element."""
    return of("forall", named(col), function(f, 1))


def aggregate(
    col: Any, initialValue: Any, merge: Function, finish: Function | None = None
) -> Column:
    """The elements folded: `merge` of what there is and the next, at last `finish`.

    >>> df = spark.createDataFrame([([1, 2],)], "xs array<int>")
    >>> df.select(aggregate("xs", F.lit(0), lambda a, x: a + x).alias("s")).first()
    Row(s=3)
    """
    last = () if finish is None else (function(finish, 1),)
    return of("aggregate", named(col), named(initialValue), function(merge, 2), *last)


def reduce(col: Any, initialValue: Any, merge: Function, finish: Function | None = None) -> Column:
    """As `aggregate`."""
    last = () if finish is None else (function(finish, 1),)
    return of("reduce", named(col), named(initialValue), function(merge, 2), *last)


def zip_with(left: Any, right: Any, f: Function) -> Column:
    """`f` of the elements at the same place of two arrays."""
    return of("zip_with", named(left), named(right), function(f, 2))


def array_sort(col: Any, comparator: Function | None = None) -> Column:
    """The elements in order; `comparator` of two is below zero where the first comes first."""
    return of("array_sort", named(col), *(() if comparator is None else (function(comparator, 2),)))


def map_filter(col: Any, f: Function) -> Column:
    """The entries for whose key and value `f` is true."""
    return of("map_filter", named(col), function(f, 2))


def transform_keys(col: Any, f: Function) -> Column:
    """The map with `f` of key and value for each key."""
    return of("transform_keys", named(col), function(f, 2))


def transform_values(col: Any, f: Function) -> Column:
    """The map with `f` of key and value for each value."""
    return of("transform_values", named(col), function(f, 2))


def map_zip_with(col1: Any, col2: Any, f: Function) -> Column:
    """Two maps as one: `f` of a key and its values in both."""
    return of("map_zip_with", named(col1), named(col2), function(f, 3))

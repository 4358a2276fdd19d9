"""The functions of columns, under PySpark's names: `from minispark.sql import functions as F`."""

from __future__ import annotations

from typing import Any

from minispark.sql.functions import (
    aggregates,
    basic,
    formats,
    lambdas,
    numbers,
    python,
    simple,
    tables,
)

_GIVEN: dict[str, Any] = simple.functions()
for _module in (basic, numbers, aggregates, lambdas, formats, python, tables):
    _GIVEN.update(
        (name, value)
        for name, value in vars(_module).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", None) == _module.__name__
        and name not in ("function", "Function")
    )
_GIVEN.update(  # the older names
    countDistinct=_GIVEN["count_distinct"],
    sumDistinct=_GIVEN["sum_distinct"],
    approxCountDistinct=_GIVEN["approx_count_distinct"],
    bitwiseNOT=_GIVEN["bitwise_not"],
    toDegrees=_GIVEN["degrees"],
    toRadians=_GIVEN["radians"],
    shiftLeft=_GIVEN["shiftleft"],
    shiftRight=_GIVEN["shiftright"],
    shiftRightUnsigned=_GIVEN["shiftrightunsigned"],
    UserDefinedFunction=python.UserDefinedFunction,
    PandasUDFType=python.PandasUDFType,
    ArrowUDFType=python.ArrowUDFType,
    UserDefinedTableFunction=tables.UserDefinedTableFunction,
)
globals().update(_GIVEN)
__all__ = sorted(_GIVEN)  # noqa: PLE0605


_NOT_YET = frozenset(
    [
        "arrow_udtf",
        "years",
        "months",
        "days",
        "hours",
        "bucket",
        "unwrap_udt",
        "AnalyzeArgument",
        "AnalyzeResult",
        "OrderingColumn",
        "PartitioningColumn",
        "SelectedColumn",
        "SkipRestOfInputTableException",
    ]
)


def __getattr__(name: str) -> Any:
    if name in _NOT_YET:
        raise NotImplementedError(f"minispark.sql.functions.{name} is not there")
    raise AttributeError(f"module 'minispark.sql.functions' has no attribute {name!r}")

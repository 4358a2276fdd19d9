"""NULLs dropped, filled and made: `df.na`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from minispark.errors import PySparkTypeError, PySparkValueError
from minispark.sql.dataframe.core import Core
from minispark.sql.errors import translated
from minispark.sql.literals import literal
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame

_UNSAID: Any = type("_NoValue", (), {"__repr__": lambda self: "<no value>"})()
_REAL = (t.FloatType, t.DoubleType)


class Missing(Core):
    """NULLs dropped, filled and made."""

    @property
    def na(self) -> DataFrameNaFunctions:
        """Methods about NULLs: `fill`, `drop`, `replace`.

        >>> spark.createDataFrame([(None,), (1,)], "n int").na.fill(0).count()
        2
        """
        return DataFrameNaFunctions(self)  # type: ignore[arg-type]

    def fillna(self, value: Any, subset: Any = None) -> Self:
        """The rows with NULLs (and NaN) of columns that fit the value's type filled.

        Parameters
        ----------
        value : int, float, str, bool or dict
            What to put in, for all columns or by name.
        subset : str or list of str, optional
            Which columns (not with a dict).

        Examples
        --------
        >>> spark.createDataFrame([(None,)], "n int").fillna(5).first()
        Row(n=5)
        """
        if not isinstance(value, float | int | str | bool | dict):
            raise PySparkTypeError(
                f"value must be a number, a str, a bool or a dict: {value!r}",
                "NOT_EXPECTED_TYPE",
            )
        by_name: dict[int, Any] = {}
        if isinstance(value, dict):
            for name, each in value.items():
                by_name[self._find(name).id] = each
        else:
            chosen = self._chosen(subset)
            by_name = {attr.id: value for attr in chosen if _fits(value, attr.kind)}
        return self._changed(lambda attr: _filled(attr, by_name[attr.id]), by_name)

    def dropna(self, how: str = "any", thresh: int | None = None, subset: Any = None) -> Self:
        """The rows without NULLs (and NaN).

        Parameters
        ----------
        how : str
            'any' drops a row with one NULL, 'all' one that has nothing else.
        thresh : int, optional
            How many values a row must have at least, instead of `how`.
        subset : str or list of str, optional
            The columns looked at.

        Examples
        --------
        >>> spark.createDataFrame([(None,), (1,)], "n int").dropna().count()
        1
        """
        if how not in ("any", "all"):
            raise PySparkValueError(f"how must be 'any' or 'all', not {how!r}", "VALUE_NOT_ALLOWED")
        chosen = self._chosen(subset)
        if thresh is not None and not isinstance(thresh, int):
            raise PySparkTypeError(f"thresh must be an int: {thresh!r}", "NOT_EXPECTED_TYPE")
        least = (len(chosen) if how == "any" else 1) if thresh is None else thresh
        if not chosen or least <= 0:
            return self
        there = [_there(attr) for attr in chosen]
        word = {len(there): "and", 1: "or"}.get(least)
        if word is not None:
            condition = there[0]
            for each in there[1:]:
                condition = Call(word, (condition, each))
        else:
            ones = [
                Call("case_when", (each, Literal(1, t.INT), Literal(0, t.INT))) for each in there
            ]
            total: Expr = ones[0]
            for one in ones[1:]:
                total = Call("+", (total, one))
            condition = Call(">=", (total, Literal(least, t.INT)))
        return self._with(l.Filter(self._plan, self._bound(condition)))

    def replace(self, to_replace: Any, value: Any = _UNSAID, subset: Any = None) -> Self:
        """The rows with values replaced by others.

        Parameters
        ----------
        to_replace : value, list of values, or dict of old to new
            Numbers are looked for in columns of numbers, text in text, booleans in booleans.
        value : value, list or None
            What to put instead (not with a dict).
        subset : str or list of str, optional
            Which columns.

        Examples
        --------
        >>> spark.createDataFrame([("a",), ("b",)], ["w"]).replace("a", "c").first()
        Row(w='c')
        """
        pairs = _pairs(to_replace, value)
        if not pairs:
            return self
        olds = [old for old, _ in pairs]
        chosen = [
            a for a in self._chosen(subset) if any(o is not None and _fits(o, a.kind) for o in olds)
        ]
        return self._changed(lambda attr: _replaced(attr, pairs), {attr.id: 0 for attr in chosen})

    def _chosen(self, subset: Any) -> list[Attr]:
        if subset is None:
            return list(self._output)
        if isinstance(subset, str):
            subset = [subset]
        if not isinstance(subset, list | tuple):
            raise PySparkTypeError("subset must be a list of names", "NOT_EXPECTED_TYPE")
        return [self._find(name) for name in subset]

    def _changed(self, change: Any, ids: Any) -> Self:
        if not ids:
            return self
        columns: list[Attr | Alias] = []
        for attr in self._output:
            if attr.id in ids:
                found = self._bound(change(attr))
                columns.append(Alias(found, attr.name, metadata=attr.metadata))
            else:
                columns.append(attr)
        with translated():
            return self._with(l.Project(self._plan, tuple(columns)))


def _fits(value: Any, kind: t.DataType) -> bool:
    if isinstance(value, bool):
        return isinstance(kind, t.BooleanType)
    if isinstance(value, str):
        return isinstance(kind, t.StringType)
    return isinstance(kind, t.NumericType)


def _filled(attr: Attr, value: Any) -> Expr:
    there: Expr = attr
    if isinstance(attr.kind, _REAL):
        nan = Call("isnan", (attr,))
        there = Call("case_when", (Call("not", (nan,)), attr))
    constant = literal(value)
    if constant.type != attr.kind:
        constant = Cast(constant, attr.kind, "asked")
    return Call("coalesce", (there, constant))


def _there(attr: Attr) -> Expr:
    found: Expr = Call("isnotnull", (attr,))
    if isinstance(attr.kind, _REAL):
        found = Call("and", (found, Call("not", (Call("isnan", (attr,)),))))
    return found


def _replaced(attr: Attr, pairs: Sequence[tuple[Any, Any]]) -> Expr:
    args: list[Expr] = []
    for old, new in pairs:
        if old is None or not _fits(old, attr.kind):
            continue
        constant = literal(new)
        if constant.type != attr.kind:
            constant = Cast(constant, attr.kind, "asked")
        args += [Call("=", (attr, literal(old))), constant]
    return Call("case_when", (*args, attr))


def _pairs(old: Any, new: Any) -> list[tuple[Any, Any]]:
    """(old, new) of the arguments of replace."""
    if isinstance(old, dict):
        pairs = list(old.items())
    else:
        if new is _UNSAID:
            raise PySparkTypeError("replace needs a value, or a dict", "ARGUMENT_REQUIRED")
        olds = list(old) if isinstance(old, list | tuple) else [old]
        news = list(new) if isinstance(new, list | tuple) else [new] * len(olds)
        if len(olds) != len(news):
            raise PySparkValueError(
                f"{len(olds)} values cannot be replaced by {len(news)}",
                "LENGTH_SHOULD_BE_THE_SAME",
            )
        pairs = list(zip(olds, news, strict=True))
    given = [each for pair in pairs for each in pair if each is not None]
    groups = ({bool}, {str}, {int, float})
    if given and not any(all(type(each) in group for each in given) for group in groups):
        raise PySparkValueError(
            "replace takes values of one kind: all numbers, all text or all booleans",
            "MIXED_TYPE_REPLACEMENT",
        )
    return pairs


class DataFrameNaFunctions:
    """`df.na`: methods about NULLs."""

    def __init__(self, df: DataFrame) -> None:
        self.df = df

    def drop(self, how: str = "any", thresh: int | None = None, subset: Any = None) -> DataFrame:
        """As DataFrame.dropna."""
        return self.df.dropna(how, thresh, subset)

    def fill(self, value: Any, subset: Any = None) -> DataFrame:
        """As DataFrame.fillna."""
        return self.df.fillna(value, subset)

    def replace(self, to_replace: Any, value: Any = _UNSAID, subset: Any = None) -> DataFrame:
        """As DataFrame.replace."""
        return self.df.replace(to_replace, value, subset)

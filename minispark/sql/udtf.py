"""Users' table functions: `udtf`, and `spark.udtf` for those that SQL can call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from executors.relational.tablefunctions import TableFunction
from minispark.errors import PySparkAttributeError, PySparkTypeError
from minispark.sql.column import named, type_named
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Expr
from planner.columns.typing import Scope, bind
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame
    from minispark.sql.session import SparkSession


class UserDefinedTableFunction:
    """A Python class that makes rows: made by `udtf`.

    Examples
    --------
    >>> from minispark.sql.functions import lit, udtf
    >>> @udtf(returnType="n int, square int")
    ... class Squares:
    ...     def eval(self, low: int, high: int):
    ...         for n in range(low, high):
    ...             yield n, n * n
    >>> Squares(lit(2), lit(4)).collect()
    [Row(n=2, square=4), Row(n=3, square=9)]
    """

    session: ClassVar[Callable[[], SparkSession]]  # minispark/sql/session.py sets it

    def __init__(
        self,
        func: type,
        returnType: t.StructType | str | None,
        name: str | None = None,
        deterministic: bool = False,
    ) -> None:
        if not isinstance(func, type):
            raise PySparkTypeError(f"udtf takes a class, not {func!r}", "INVALID_UDTF_HANDLER_TYPE")
        if not hasattr(func, "eval"):
            raise PySparkAttributeError(
                f"the class {func.__name__} needs a method eval", "INVALID_UDTF_NO_EVAL"
            )
        if returnType is None:
            raise NotImplementedError(
                f"udtf {func.__name__} without returnType (with analyze); say returnType"
            )
        kind = type_named(returnType)
        if not isinstance(kind, t.StructType):
            raise PySparkTypeError(
                f"returnType must be columns, and is {kind.simpleString()}",
                "UDTF_RETURN_TYPE_MISMATCH",
            )
        self.func = func
        self.returnType = kind
        self.deterministic = deterministic
        self._name = name or func.__name__

    def asDeterministic(self) -> UserDefinedTableFunction:
        """Say that the same arguments always give the same rows."""
        self.deterministic = True
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> DataFrame:
        """The rows that it makes of constants, as a DataFrame."""
        session = UserDefinedTableFunction.session()
        exprs = [named(arg) for arg in (*args, *kwargs.values())]
        row = l.Range(Attr("row", t.LONG, False), 0, 1, 1, 1)
        plan, _ = self.over(row, (), exprs, tuple(kwargs), Scope((), session._engine.settings))
        return session._dataframe(plan)

    def over(
        self,
        plan: l.Plan,
        kept: Sequence[Attr],
        args: Sequence[Expr],
        words: tuple[str, ...],
        scope: Scope,
        outer: bool = False,
    ) -> tuple[l.Plan, tuple[Attr, ...]]:
        """The function called for each row of a plan.

        Parameters
        ----------
        plan : Plan
            The rows.
        kept : sequence of Attr
            Their columns that come out too, first.
        args : sequence of Expr
            The arguments, the last of them under the names `words`.
        scope : Scope
            What names in arguments mean.
        outer : bool
            Whether rows for which it makes none stay.
        """
        values = [Alias(bind(arg, scope), "argument") for arg in args]
        below = l.Project(plan, (*kept, *values))
        made = tuple(Attr(f.name, f.dataType, True) for f in self.returnType.fields)
        f = TableFunction(self.func, self._name, below.output, len(kept), words, made, outer)
        return l.Batches(below, f, (*kept, *made), label=self._name), made


class UDTFRegistration:
    """`spark.udtf`.

    Examples
    --------
    >>> class Twice:
    ...     def eval(self, n):
    ...         yield n,
    ...         yield n,
    >>> _ = spark.udtf.register("twice", F.udtf(Twice, returnType="n long"))
    >>> spark.sql("SELECT id, n FROM range(2), LATERAL twice(id)").count()
    4
    """

    def __init__(self, sparkSession: SparkSession) -> None:
        self.sparkSession = sparkSession

    def register(self, name: str, f: UserDefinedTableFunction) -> UserDefinedTableFunction:
        """Let SQL of this session call a table function by a name, in FROM."""
        if not isinstance(f, UserDefinedTableFunction):
            raise PySparkTypeError(f"not made by udtf: {f!r}", "CANNOT_REGISTER_UDTF")
        found = UserDefinedTableFunction(f.func, f.returnType, name, f.deterministic)
        self.sparkSession._table_functions[name.lower()] = found
        return found

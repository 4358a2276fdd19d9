"""`spark.udf`: Python functions under names that SQL can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from minispark.errors import PySparkTypeError
from minispark.sql.functions.python import PandasUDFType, UserDefinedFunction, pandas_udf, udf
from planner.columns import types as t

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession

__all__ = ["PandasUDFType", "UDFRegistration", "UserDefinedFunction", "pandas_udf", "udf"]


class UDFRegistration:
    """`spark.udf`.

    Examples
    --------
    >>> _ = spark.udf.register("plus_one", lambda n: n + 1, "long")
    >>> spark.sql("SELECT plus_one(id) AS n FROM range(2)").collect()
    [Row(n=1), Row(n=2)]
    """

    def __init__(self, sparkSession: SparkSession) -> None:
        self.sparkSession = sparkSession

    def register(
        self, name: str, f: Any, returnType: t.DataType | str | None = None
    ) -> UserDefinedFunction:
        """Let SQL of this session call a function by a name.

        Parameters
        ----------
        name : str
            The name in SQL.
        f : callable
            The function, or what `udf` and `pandas_udf` made of one.
        returnType : DataType or str, default text
            What it gives; not with a function that knows it.
        """
        if isinstance(f, UserDefinedFunction):
            if returnType is not None:
                raise PySparkTypeError(
                    "the function has its return type already", "CANNOT_SPECIFY_RETURN_TYPE_FOR_UDF"
                )
            found = UserDefinedFunction(f.func, f.returnType, name, f.evalType, f.deterministic)
        else:
            found = UserDefinedFunction(f, t.STRING if returnType is None else returnType, name)
        self.sparkSession._functions[name.lower()] = found
        return found

    def registerJavaFunction(self, *args: Any) -> NoReturn:
        """Not there: Java."""
        raise NotImplementedError("udf.registerJavaFunction is not there: there is no Java")

    def registerJavaUDAF(self, *args: Any) -> NoReturn:
        """Not there: Java."""
        raise NotImplementedError("udf.registerJavaUDAF is not there: there is no Java")

"""DataFrames under names that SQL can use, and the ways out to files."""

from __future__ import annotations

from typing import Any

from minispark.errors import PySparkTypeError
from minispark.sql.dataframe.core import Core
from minispark.sql.writer import DataFrameWriter


class Views(Core):
    """Names for SQL, and files."""

    def createOrReplaceTempView(self, name: str) -> None:
        """Let SQL of this session use the DataFrame under a name.

        >>> spark.range(3).createOrReplaceTempView("numbers")
        >>> spark.table("numbers").count()
        3
        """
        self._session._add_view(_text(name), self._plan, replace=True)

    registerTempTable = createOrReplaceTempView

    def createTempView(self, name: str) -> None:
        """As createOrReplaceTempView, but a name that is taken is an error."""
        self._session._add_view(_text(name), self._plan, replace=False)

    def createOrReplaceGlobalTempView(self, name: str) -> None:
        """Let SQL of all sessions use the DataFrame, as `global_temp.name`."""
        self._session._add_view(_text(name), self._plan, replace=True, everywhere=True)

    def createGlobalTempView(self, name: str) -> None:
        """As createOrReplaceGlobalTempView, but a name that is taken is an error."""
        self._session._add_view(_text(name), self._plan, replace=False, everywhere=True)

    @property
    def write(self) -> DataFrameWriter:
        """The way to files.

        >>> import tempfile
        >>> folder = tempfile.mkdtemp() + "/numbers"
        >>> spark.range(3).write.parquet(folder)
        >>> spark.read.parquet(folder).count()
        3
        """
        return DataFrameWriter(self)  # type: ignore[arg-type]

    @property
    def writeStream(self) -> Any:
        """Not there: streaming."""
        raise NotImplementedError("DataFrame.writeStream is not there")

    def writeTo(self, table: str) -> Any:
        """Not there: tables of catalogs. Use `df.write`."""
        raise NotImplementedError("DataFrame.writeTo is not there; use df.write")

    def mergeInto(self, table: str, condition: Any) -> Any:
        """Not there: tables that can be changed."""
        raise NotImplementedError("DataFrame.mergeInto is not there")

    def pandas_api(self, index_col: Any = None) -> Any:
        """Not there: pandas on Spark. Use toPandas()."""
        raise NotImplementedError("DataFrame.pandas_api is not there; use toPandas()")

    @property
    def plot(self) -> Any:
        """Not there: pictures. Use toPandas().plot."""
        raise NotImplementedError("DataFrame.plot is not there; use toPandas().plot")

    @property
    def executionInfo(self) -> Any:
        """Not there: Spark Connect."""
        raise NotImplementedError("DataFrame.executionInfo is not there; use explain()")

    def scalar(self) -> Any:
        """Not there: a query as a value. Write the subquery in SQL."""
        raise NotImplementedError("DataFrame.scalar is not there; write the subquery in SQL")

    def exists(self) -> Any:
        """Not there: a query as a condition. Use a semi join, or EXISTS in SQL."""
        raise NotImplementedError("DataFrame.exists is not there; use a semi join")

    def nearestByJoin(self, *args: Any, **kwargs: Any) -> Any:
        """Not there: joins by nearness."""
        raise NotImplementedError("DataFrame.nearestByJoin is not there")


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise PySparkTypeError(f"a name must be a str: {name!r}", "NOT_STR")
    return name

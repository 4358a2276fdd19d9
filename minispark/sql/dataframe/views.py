"""DataFrames under names that SQL can use, and the ways out to files."""

from __future__ import annotations

import re
from typing import Any

from minispark.errors import AnalysisException, PySparkTypeError
from minispark.sql.column import Column
from minispark.sql.dataframe.core import Core
from minispark.sql.writer import DataFrameWriter
from minispark.sql.writerv2 import DataFrameWriterV2
from planner.columns.expressions import ExistsQuery, ScalarQuery
from planner.query import logical as l


class Views(Core):
    """Names for SQL, and files."""

    def createOrReplaceTempView(self, name: str) -> None:
        """Let SQL of this session use the DataFrame under a name.

        >>> spark.range(3).createOrReplaceTempView("numbers")
        >>> spark.table("numbers").count()
        3
        """
        self._session._add_view(_view(name), self._plan, replace=True)

    registerTempTable = createOrReplaceTempView

    def createTempView(self, name: str) -> None:
        """As createOrReplaceTempView, but a name that is taken is an error."""
        self._session._add_view(_view(name), self._plan, replace=False)

    def createOrReplaceGlobalTempView(self, name: str) -> None:
        """Let SQL of all sessions use the DataFrame, as `global_temp.name`."""
        self._session._add_view(_view(name), self._plan, replace=True, everywhere=True)

    def createGlobalTempView(self, name: str) -> None:
        """As createOrReplaceGlobalTempView, but a name that is taken is an error."""
        self._session._add_view(_view(name), self._plan, replace=False, everywhere=True)

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

    def writeTo(self, table: str) -> DataFrameWriterV2:
        """The way to a table that stays."""
        return DataFrameWriterV2(self, _text(table))  # type: ignore[arg-type]

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

    def scalar(self) -> Column:
        """The DataFrame's one value as a Column of others.

        It cannot use columns of the other DataFrame: write such subqueries in SQL.

        >>> most = spark.range(3).agg(F.max("id"))
        >>> spark.range(3).where(F.col("id") == most.scalar()).collect()
        [Row(id=2)]
        """
        return Column(ScalarQuery(l.renewed(self._plan)))

    def exists(self) -> Column:
        """Whether the DataFrame has rows, as a Column of others.

        >>> spark.range(3).where(spark.range(0).exists()).count()
        0
        """
        return Column(ExistsQuery(l.renewed(self._plan)))

    def nearestByJoin(self, *args: Any, **kwargs: Any) -> Any:
        """Not there: joins by nearness."""
        raise NotImplementedError("DataFrame.nearestByJoin is not there")


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise PySparkTypeError(f"a name must be a str: {name!r}", "NOT_EXPECTED_TYPE")
    return name


def _view(name: Any) -> str:
    """The name of a view, refused where SQL could not ask for it."""
    found = _text(name)
    if "`" not in found and not re.fullmatch(r"[\w.]*", found):
        raise AnalysisException(
            f"{found!r} is no name for a view: put what is no letter, digit or _ in backticks",
            "_LEGACY_ERROR_TEMP_1321",
        )
    return found

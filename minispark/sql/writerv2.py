"""`df.writeTo`: a DataFrame into a table that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from minispark.errors import AnalysisException, PySparkTypeError
from minispark.sql import tables
from minispark.sql.fileoptions import as_text
from minispark.sql.warehouse import parts_of
from planner.columns.expressions import Name

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame


class DataFrameWriterV2:
    """How a DataFrame becomes a table: `df.writeTo(name)`.

    Tables here are files, as those of PySpark's own catalog are: `create` makes one, and rows are
    added by `df.write.insertInto` and `saveAsTable`.
    """

    def __init__(self, df: DataFrame, table: str) -> None:
        self._df = df
        self._table = table
        self._options: dict[str, str] = {}
        self._provider: str | None = None
        self._parts: list[str] = []

    def using(self, provider: str) -> Self:
        """The format."""
        self._provider = provider
        return self

    def option(self, key: str, value: Any) -> Self:
        """Set an option."""
        self._options[key] = as_text(value)
        return self

    def options(self, **options: Any) -> Self:
        """Set options."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def tableProperty(self, property: str, value: str) -> NoReturn:
        """Not there: properties are not kept."""
        raise NotImplementedError("DataFrameWriterV2.tableProperty is not there; use option")

    def partitionedBy(self, col: Any, *cols: Any) -> Self:
        """The columns that name folders."""
        for each in (col, *cols):
            expr = getattr(each, "_expr", None)
            if isinstance(each, str):
                self._parts.append(each)
            elif isinstance(expr, Name):
                self._parts.append(expr.parts[-1])
            elif hasattr(each, "_expr"):
                raise NotImplementedError("partitionedBy with an expression; add it as a column")
            else:
                raise PySparkTypeError(
                    f"partitionedBy takes columns, not {type(each).__name__}", "NOT_EXPECTED_TYPE"
                )
        return self

    def create(self) -> None:
        """Make the table.

        Raises
        ------
        AnalysisException
            There is one of that name.
        """
        parts = parts_of(self._table)
        tables.save(self._df, parts, "error", self._provider, self._parts, self._options)

    def _refuse(self, method: str, code: str) -> NoReturn:
        tables.needed(self._df._session, parts_of(self._table))
        raise AnalysisException(
            f"DataFrameWriterV2.{method}({self._table}): a table of files cannot do that; use "
            "df.write.insertInto or saveAsTable",
            code,
        )

    def clusterBy(self, col: str, *cols: str) -> NoReturn:
        """Not there."""
        raise NotImplementedError("DataFrameWriterV2.clusterBy is not there; use partitionedBy")

    def replace(self) -> NoReturn:
        """Refused, as by PySpark's own catalog."""
        self._refuse("replace", "UNSUPPORTED_FEATURE.TABLE_OPERATION")

    def createOrReplace(self) -> NoReturn:
        """Refused, as by PySpark's own catalog."""
        raise AnalysisException(
            f"DataFrameWriterV2.createOrReplace({self._table}): a table of files cannot do that; "
            'use df.write.mode("overwrite").saveAsTable',
            "UNSUPPORTED_FEATURE.TABLE_OPERATION",
        )

    def append(self) -> NoReturn:
        """Refused, as by PySpark's own catalog."""
        self._refuse("append", "_LEGACY_ERROR_TEMP_1012")

    def overwrite(self, condition: Any) -> NoReturn:
        """Refused, as by PySpark's own catalog."""
        self._refuse("overwrite", "_LEGACY_ERROR_TEMP_1012")

    def overwritePartitions(self) -> NoReturn:
        """Refused, as by PySpark's own catalog."""
        self._refuse("overwritePartitions", "_LEGACY_ERROR_TEMP_1012")

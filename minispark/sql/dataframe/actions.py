"""What runs a query and gives its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from executors.relational.pyvalues import no_garbage, rows_of
from executors.relational.tables import with_short_offsets
from minispark.dataset.dataset import Dataset
from minispark.errors import AnalysisException, PySparkTypeError
from minispark.sql.crossing import rows_dataset
from minispark.sql.dataframe.core import Core
from minispark.sql.pandas_frames import frame_of, need_pandas
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.columns.row import Row
from planner.query import logical as l
from planner.site import call_site

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Actions(Core):
    """What runs a query."""

    def collect(self) -> list[Row]:
        """All rows.

        >>> spark.range(2).collect()
        [Row(id=0), Row(id=1)]
        """
        return self._rows(self._plan)

    def _rows(self, plan: l.Plan) -> list[Row]:
        schema = self.schema
        tables = list(self._engine.tables(plan))
        with no_garbage():
            return list(chain.from_iterable(rows_of(table, schema) for table in tables))

    def count(self) -> int:
        """How many rows there are.

        >>> spark.range(5).count()
        5
        """
        one = Call("count", (Literal(1, t.INT),), kind=t.LONG, null=False)
        plan = self._plan
        while isinstance(plan, l.Project):  # a frame without columns would forget its rows
            plan = plan.child
        counted = l.Aggregate(plan, (), (Alias(one, "count"),))
        table = self._engine.table(counted.at(call_site()))
        return int(table.column(0)[0].as_py())

    def first(self) -> Row | None:
        """The first row, or None.

        >>> spark.range(2).first()
        Row(id=0)
        """
        rows = self._rows(l.Limit(self._plan, 1))
        return rows[0] if rows else None

    def head(self, n: int | None = None) -> Any:
        """The first row or None; with `n` a list of the first rows.

        >>> spark.range(9).head(2)
        [Row(id=0), Row(id=1)]
        """
        return self.first() if n is None else self.take(n)

    def take(self, num: int) -> list[Row]:
        """The first rows.

        >>> spark.range(9).take(2)
        [Row(id=0), Row(id=1)]
        """
        if not isinstance(num, int):
            raise PySparkTypeError(f"take needs a number of rows, not {num!r}", "NOT_EXPECTED_TYPE")
        if num < 0:
            raise AnalysisException(
                f"take needs a number of rows that is not negative, and not {num}",
                "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
            )
        return self._rows(l.Limit(self._plan, num))

    def tail(self, num: int) -> list[Row]:
        """The last rows.

        >>> spark.range(9).tail(2)
        [Row(id=7), Row(id=8)]
        """
        if not isinstance(num, int):
            raise PySparkTypeError(f"tail needs a number of rows, not {num!r}", "NOT_EXPECTED_TYPE")
        return self._rows(l.Tail(self._plan, max(0, num)))

    def isEmpty(self) -> bool:
        """Whether there are no rows.

        >>> spark.range(0).isEmpty()
        True
        """
        return not self.take(1)

    def toArrow(self) -> pa.Table:
        """All rows as an Arrow table; timestamps are in UTC.

        >>> spark.range(2).toArrow().column("id").to_pylist()
        [0, 1]
        """
        if has_months(self.schema):
            raise PySparkTypeError(
                "Arrow has no values for a YearMonthIntervalType; cast it to string or int first",
                "UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION",
            )
        return with_short_offsets(self._engine.table(self._plan))

    def toPolars(self) -> pl.DataFrame:
        """All rows as a Polars frame (not in PySpark)."""
        import polars  # on first use

        found = polars.from_arrow(self._engine.table(self._plan))
        assert isinstance(found, polars.DataFrame)
        return found

    def toPandas(self) -> pd.DataFrame:
        """All rows as a pandas frame, as PySpark makes it: times in the session's zone.

        >>> list(spark.range(2).toPandas().columns)
        ['id']
        """
        if has_months(self.schema):
            raise NotImplementedError(
                "pandas has no values for a YearMonthIntervalType; cast it to string or int first"
            )
        need_pandas("toPandas()")
        return frame_of(self.toArrow(), self.schema, self._engine.settings.zone)

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[Row]:
        """The rows, partition by partition.

        >>> [row.id for row in spark.range(3).toLocalIterator()]
        [0, 1, 2]
        """
        schema = self.schema
        for table in self._engine.tables(self._plan):
            yield from rows_of(table, schema)

    @property
    def rdd(self) -> Dataset:
        """The rows as a Dataset of Rows.

        >>> spark.range(3).rdd.map(lambda row: row.id + 1).collect()
        [1, 2, 3]
        """
        return rows_dataset(self._session, self._plan, self.schema)

    def foreach(self, f: Callable[[Row], None]) -> None:
        """`f` of every row, in the executors."""
        self.rdd.foreach(f)

    def foreachPartition(self, f: Callable[[Iterator[Row]], None]) -> None:
        """`f` of the rows of every partition, in the executors."""
        self.rdd.foreachPartition(f)

    def toJSON(self, use_unicode: bool = True) -> Dataset:
        """Every row as JSON text, in a Dataset.

        >>> spark.range(1).toJSON().collect()
        ['{"id":0}']
        """
        parts = tuple(Alias(_whole_span(attr), attr.name) for attr in self._output)
        from_row = Alias(Call("to_json", (Call("struct", parts),)), "value")
        found = self._bound(from_row)
        plan = l.Project(self._plan, (found,))  # type: ignore[arg-type]
        schema = t.StructType([t.StructField("value", t.STRING, True)])
        return rows_dataset(self._session, plan, schema).map(_only)

    def inputFiles(self) -> list[str]:
        """The files that the rows come from."""
        scans = [node for node in l.walk(self._plan) if isinstance(node, l.Scan)]
        paths = {piece.path for scan in scans for piece in scan.slices}
        return sorted(f"file://{path}" if path.startswith("/") else path for path in paths)

    def isLocal(self) -> bool:
        """Whether collect needs no executors: never."""
        return False

    @property
    def isStreaming(self) -> bool:
        """Whether the rows are a stream: never."""
        return False

    def asTable(self) -> Any:
        """Not there: a DataFrame as an argument of a table function."""
        raise NotImplementedError("DataFrame.asTable is not there")


def _only(row: Row) -> Any:
    return row[0]


def has_months(kind: t.DataType) -> bool:
    """Whether a type has lengths of time in months in it, for which Python has no values."""
    match kind:
        case t.YearMonthIntervalType():
            return True
        case t.ArrayType():
            return has_months(kind.elementType)
        case t.MapType():
            return has_months(kind.keyType) or has_months(kind.valueType)
        case t.StructType():
            return any(has_months(field.dataType) for field in kind.fields)
    return False


def _whole_span(attr: Attr) -> Expr:
    """A length of time with all its units, as toJSON writes it."""
    if isinstance(attr.kind, t.DayTimeIntervalType | t.YearMonthIntervalType):
        return Cast(attr, type(attr.kind)(), "implied")
    return attr

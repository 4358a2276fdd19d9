"""Rows in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from minispark.errors import AnalysisException
from minispark.sql.dataframe.core import Core
from minispark.sql.dataframe.selecting import flat
from minispark.sql.errors import translated
from minispark.sql.group import GroupedData
from planner.columns.expressions import Expr
from planner.query.analysis import requests
from planner.query.analysis.grouping import cube, rollup


class Grouping(Core):
    """Rows in groups."""

    def groupBy(self, *cols: Any) -> GroupedData:
        """The rows in groups of equal values of columns; all in one group without columns.

        >>> df = spark.createDataFrame([("n", 1), ("n", 2)], ["area", "amount"])
        >>> df.groupBy("area").sum("amount").first()
        Row(area='n', sum(amount)=3)
        """
        return GroupedData(self, self._grouped_by(cols))  # type: ignore[arg-type]

    groupby = groupBy

    def rollup(self, *cols: Any) -> GroupedData:
        """Groups by all columns, by all but the last, …, and all rows.

        >>> df = spark.createDataFrame([("n", 1), ("s", 2)], ["area", "amount"])
        >>> df.rollup("area").sum("amount").count()
        3
        """
        keys = self._grouped_by(cols)
        return GroupedData(self, keys, "Rollup", rollup(len(keys)))  # type: ignore[arg-type]

    def cube(self, *cols: Any) -> GroupedData:
        """Groups by every choice of the columns."""
        keys = self._grouped_by(cols)
        return GroupedData(self, keys, "Cube", cube(len(keys)))  # type: ignore[arg-type]

    def groupingSets(self, groupingSets: Sequence[Sequence[Any]], *cols: Any) -> GroupedData:
        """Groups by each of several sets of columns.

        Parameters
        ----------
        groupingSets : list of lists of columns
            The sets.
        *cols : Column or str
            The columns that come out, in this order.
        """
        wanted = self._grouped_by(cols)
        sets = [self._grouped_by(each) for each in groupingSets]
        keys = list(dict.fromkeys([*wanted, *(key for each in sets for key in each)]))
        places = [[keys.index(key) for key in each] for each in sets]
        return GroupedData(self, keys, "GroupingSets", places)  # type: ignore[arg-type]

    def _grouped_by(self, cols: Sequence[Any]) -> list[Expr]:
        found: list[Expr] = []
        for col in flat(cols):
            if isinstance(col, int) and not isinstance(col, bool):
                if not 1 <= col <= len(self._output):
                    raise AnalysisException(
                        f"there is no column {col}: places go from 1 to {len(self._output)}",
                        "GROUP_BY_POS_OUT_OF_RANGE",
                    )
                found.append(self._output[col - 1])
            else:
                with translated():
                    found += [requests.item(e, self._scope()) for e in self._exprs([col])]
        return found

    def agg(self, *exprs: Any) -> Self:
        """One row of aggregates over all rows.

        >>> spark.range(4).agg(F.sum("id").alias("s"), F.max("id")).first()
        Row(s=6, max(id)=3)
        """
        found: Self = self.groupBy().agg(*exprs)  # type: ignore[assignment]
        return found

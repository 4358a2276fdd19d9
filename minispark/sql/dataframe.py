"""DataFrames: handles on typed logical plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from minispark.sql.column import Column, named
from minispark.sql.engine import QueryEngine
from planner import logical as l
from planner.analysis import requests
from planner.typing import Scope, bind


class DataFrame:
    """Rows with named, typed columns."""

    def __init__(self, plan: l.Plan, engine: QueryEngine) -> None:
        self._plan = plan
        self._engine = engine

    def _scope(self) -> Scope:
        return requests.scope_of(self._plan, self._engine.settings)

    def _with(self, plan: l.Plan) -> DataFrame:
        return DataFrame(plan, self._engine)

    def __getitem__(self, name: str) -> Column:
        return Column(bind(named(name), self._scope()))

    def select(self, *cols: Any) -> DataFrame:
        """The rows with these columns."""
        exprs = [named(col) for col in cols]
        return self._with(requests.select(self._plan, exprs, self._scope()))

    def where(self, condition: Column) -> DataFrame:
        """The rows for which the condition is true."""
        return self._with(requests.where(self._plan, condition._expr, self._scope()))

    def orderBy(self, *cols: Any) -> DataFrame:
        """The rows in order."""
        keys = [named(col) for col in cols]
        return self._with(requests.order(self._plan, keys, self._scope()))

    def join(self, other: DataFrame, on: Column, how: str = "inner") -> DataFrame:
        """The rows of both that fit together."""
        scope = Scope((*self._plan.output, *other._plan.output), self._engine.settings)
        return self._with(l.Join(self._plan, other._plan, how, bind(on._expr, scope)))

    def groupBy(self, *cols: Any) -> GroupedData:
        """The rows in groups."""
        return GroupedData(self, [named(col) for col in cols])

    def toArrow(self) -> pa.Table:
        """All rows, as an Arrow table on the driver."""
        return self._engine.table(self._plan)


class GroupedData:
    """Rows in groups, waiting for aggregates."""

    def __init__(self, df: DataFrame, keys: Sequence[Any]) -> None:
        self._df = df
        self._keys = keys

    def agg(self, *cols: Column) -> DataFrame:
        """One row a group."""
        scope = self._df._scope()
        keys = [bind(key, scope) for key in self._keys]
        outputs = [*keys, *(bind(col._expr, scope) for col in cols)]
        return self._df._with(requests.aggregate(self._df._plan, keys, outputs, scope))

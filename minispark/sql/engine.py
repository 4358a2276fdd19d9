"""A session's queries: from a logical plan to Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from executors.relational.fragments import RunFragment, named
from planner import logical as l
from planner.functions.registry import Settings
from planner.lower import Lowering, lower
from planner.plan import Node

if TYPE_CHECKING:
    from minispark.context import SparkContext
    from minispark.sql.session import RuntimeConfig


class QueryEngine:
    """Runs the plans of one SparkSession."""

    def __init__(self, sc: SparkContext, conf: RuntimeConfig) -> None:
        self._sc = sc
        self._conf = conf

    @property
    def settings(self) -> Settings:
        """What of the session's settings decides answers."""
        conf = self._conf
        return Settings(
            ansi=conf.get("spark.sql.ansi.enabled", "true") == "true",
            zone=conf.get("spark.sql.session.timeZone", "UTC") or "UTC",
            case_sensitive=conf.get("spark.sql.caseSensitive", "false") == "true",
        )

    def physical(self, plan: l.Plan) -> Node:
        """The six nodes of a plan."""
        how = Lowering(
            RunFragment,
            self.settings,
            staged=self._conf.get("minispark.sql.singleNode", "auto") == "never",
            partitions=self._sc._session.default_parallelism,
        )
        return lower(plan, how)

    def tables(self, plan: l.Plan) -> Iterator[pa.Table]:
        """The answer, partition by partition, with the names that the user sees."""
        found = dict(self._sc._session.run(self.physical(plan)))
        for partition in sorted(found):
            for table in found.pop(partition):
                yield named(table, plan.output)

    def table(self, plan: l.Plan) -> pa.Table:
        """The whole answer."""
        found = list(self.tables(plan))
        return pa.concat_tables(found)

"""A session's queries: from a logical plan to Arrow tables."""

from __future__ import annotations

import functools
import getpass
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pyarrow as pa

from executors.relational.fragments import RunFragment, columnless, named
from minispark.settings import parse_size
from minispark.sql.caching import CachedPlans, cached_plans
from minispark.sql.errors import translated
from minispark.sql.first_rows import in_waves
from minispark.sql.python_makers import makers
from minispark.sql.recursion import computed
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.functions.registry import Settings
from planner.goals import Goals
from planner.levels import StorageLevel
from planner.plan import Node, Persist
from planner.query import logical as l
from planner.query.analysis.python_calls import taken_out
from planner.query.columnless import with_rows
from planner.query.lower import lower
from planner.query.lowering.first_rows import first_rows
from planner.query.lowering.pieces import Lowering
from planner.query.optimiser.rules import optimise
from planner.query.optimiser.shapes import asks_where
from planner.query.statistics import Sizes
from planner.query.tree import tree
from planner.site import call_site
from planner.stages import Stage

if TYPE_CHECKING:
    from minispark.context import SparkContext
    from minispark.session import Session
    from minispark.sql.conf import RuntimeConfig


_MODES = ("simple", "extended", "codegen", "cost", "formatted")
_SENT = "10m"  # a side of a join that goes to everyone, unless the user says otherwise
_MOST_SENT = 64 << 20  # beside a much larger one
_CLUSTERS = ("ray", "auto")  # masters where a query goes in stages unless told otherwise


@dataclass(frozen=True)
class _Changed:
    """The physical plan of a query that measured sizes changed while it ran, as text."""

    before: str
    after: str


class QueryEngine:
    """Runs the plans of one SparkSession."""

    def __init__(self, sc: SparkContext, conf: RuntimeConfig) -> None:
        self._sc = sc
        self._conf = conf
        self.database = "default"  # USE changes it
        self._changed: WeakKeyDictionary[l.Plan, _Changed] = WeakKeyDictionary()

    @property
    def settings(self) -> Settings:
        """What of the session's settings decides answers."""
        conf = self._conf
        return Settings(
            ansi=conf.get("spark.sql.ansi.enabled", "true") == "true",
            zone=conf.get("spark.sql.session.timeZone") or "UTC",
            case_sensitive=conf.get("spark.sql.caseSensitive", "false") == "true",
            user=_user(),
            database=self.database,
            now=time.time_ns() // 1000,
        )

    @property
    def staged(self) -> bool:
        """Whether queries go in stages, and not as one task where that can be."""
        wanted = self._conf.get("minispark.sql.singleNode", "auto")
        if wanted not in ("auto", "always", "never"):
            raise ValueError(
                f"minispark.sql.singleNode is {wanted!r}, and should be auto, always or never"
            )
        return wanted == "never" or (wanted == "auto" and self._sc.master.startswith(_CLUSTERS))

    def lowering(self, settings: Settings) -> Lowering:
        """How plans are lowered by the session's settings now; `settings` are those of answers."""
        session, conf = self._sc._session, self._conf
        return Lowering(
            RunFragment,
            settings,
            staged=self.staged,
            partitions=int(
                conf.get("spark.sql.shuffle.partitions", "") or session.default_parallelism
            ),
            broadcast_bytes=_size(conf.get("spark.sql.autoBroadcastJoinThreshold", _SENT)),
            scan_bytes=_size(conf.get("spark.sql.files.maxPartitionBytes", "128m")),
            opening_bytes=_size(conf.get("spark.sql.files.openCostInBytes", "4m")),
            keep=lambda node: session.persist(node, StorageLevel.MEMORY_ONLY),
            until=_until(session),
            goals=self._goals(),
        )

    def _lowering_of(self, plan: l.Plan, settings: Settings) -> Lowering:
        """How this plan is lowered: one that asks for partitions has those of stages."""
        how = self.lowering(settings)
        free = self._conf.get("minispark.sql.singleNode", "auto") == "auto"
        return replace(how, staged=True) if free and asks_where(plan) else how

    def optimised(self, plan: l.Plan, settings: Settings | None = None) -> l.Plan:
        """The plan that is lowered: what is kept is read, and the rest goes through the rules."""
        settings = settings or self.settings
        plan = taken_out(self._without_recursion(self.cached.used(plan)), makers(settings))
        return optimise(with_rows(plan), settings)

    def _without_recursion(self, plan: l.Plan) -> l.Plan:
        """The plan with the rows of WITH RECURSIVE computed."""
        conf = self._conf
        levels = int(conf.get("spark.sql.cteRecursionLevelLimit", "100") or 100)
        rows = int(conf.get("spark.sql.cteRecursionRowLimit", "1000000") or 1_000_000)
        return computed(plan, self.table, levels, rows)

    def physical(self, plan: l.Plan) -> Node:
        """The six nodes of a plan."""
        settings = self.settings  # read once: the moment of the query is in them
        best = self.optimised(plan, settings)
        return lower(best, self._lowering_of(best, settings))

    def _goals(self) -> Goals | None:
        """How the stages of a query may change by the sizes that are measured while it runs."""
        conf = self._conf
        adaptive, sent = "spark.sql.adaptive.", "spark.sql.autoBroadcastJoinThreshold"
        if conf.get(f"{adaptive}enabled", "true") != "true":
            return None
        limit = conf.get(f"{adaptive}autoBroadcastJoinThreshold", conf.get(sent, ""))
        return Goals(
            tasks=self._sc._session.default_parallelism,
            least=_size(conf.get(f"{adaptive}coalescePartitions.minPartitionSize", "1m")),
            most=_size(conf.get(f"{adaptive}advisoryPartitionSizeInBytes", "64m")),
            skewed=_size(conf.get(f"{adaptive}skewJoin.skewedPartitionThresholdInBytes", "256m")),
            factor=float(conf.get(f"{adaptive}skewJoin.skewedPartitionFactor", "5.0") or 5),
            broadcast=_size(limit or _SENT),
            stretch=0 if limit else _MOST_SENT,  # what the user says is meant
            merges=conf.get(f"{adaptive}coalescePartitions.enabled", "true") == "true",
            splits=conf.get(f"{adaptive}skewJoin.enabled", "true") == "true",
        )

    # ---- keeping ---------------------------------------------------------------------------------

    @property
    def cached(self) -> CachedPlans:
        """The plans that are kept."""
        return cached_plans(self._sc._session)

    def cache(self, plan: l.Plan, level: StorageLevel = StorageLevel.MEMORY_AND_DISK) -> bool:
        """Keep what a plan computes once it is computed; False if it is kept already."""
        settings = self.settings
        return self.cached.keep(
            plan,
            level,
            lambda part: lower(
                optimise(with_rows(self._without_recursion(part)), settings),
                self.lowering(settings),
            ),
        )

    def unpersist(self, plan: l.Plan, blocking: bool = False) -> bool:
        """Keep it no longer; whether it was kept."""
        return self.cached.forget(plan, blocking)

    def level(self, plan: l.Plan) -> StorageLevel | None:
        """The level at which a plan is kept, None if it is not."""
        found = self.cached.find(plan)
        return None if found is None else found.level

    # ---- explaining ------------------------------------------------------------------------------

    def explain(self, plan: l.Plan, mode: str = "simple") -> str:
        """The plan as text.

        Parameters
        ----------
        plan : Plan
            As the DataFrame or statement has it.
        mode : str
            'simple', 'codegen': the physical plan; 'extended': the logical ones too; 'cost': the
            optimised one with estimated sizes; 'formatted': the physical one, then what its
            stages' nodes do. If the query ran and measured sizes changed the physical plan, it is
            shown as it was before and after.

        Raises
        ------
        ValueError
            There is no such mode.
        """
        if mode not in _MODES:
            raise ValueError(f"explain knows the modes {', '.join(_MODES)}, not {mode!r}")
        best = self.optimised(plan)
        parts = []
        if mode == "extended":
            types = ", ".join(f"{a.name}: {a.kind.simpleString()}" for a in plan.output)
            parts += [("Parsed Logical Plan", tree(plan))]
            parts += [("Analyzed Logical Plan", f"{types}\n{tree(plan)}")]
        if mode in ("extended", "formatted"):
            parts += [("Optimized Logical Plan", tree(best))]
        if mode == "cost":
            parts += [("Optimized Logical Plan", tree(best, self._statistics()))]
        changed = self._changed.get(plan)
        if changed is None:
            how = self._lowering_of(best, self.settings)
            picture = self._sc._session.picture(lower(best, how))
            parts += [("Physical Plan", picture)]
        else:
            parts += [("Physical Plan", "Measured sizes changed it when it ran.")]
            parts += [("Initial Plan", changed.before), ("Final Plan", changed.after)]
        return "\n\n".join(f"== {title} ==\n{text}" for title, text in parts) + "\n"

    def _statistics(self) -> Callable[[l.Plan], str]:
        sizes = Sizes()

        def note(node: l.Plan) -> str:
            size = sizes.of(node)
            return f", Statistics(sizeInBytes={size.bytes:.0f}, rowCount={size.rows:.0f})"

        return note

    # ---- answers ---------------------------------------------------------------------------------

    def tables(self, plan: l.Plan) -> Iterator[pa.Table]:
        """The answer, partition by partition, with the names that the user sees."""
        come: dict[int, list[pa.Table]] = {}
        wanted = 0
        with translated():
            adapted = list[Stage]()
            node, answers = self._begun(plan, adapted)
            for partition, tables in answers:
                come[partition] = tables
                while wanted in come:  # in their order, each as soon as those before it are there
                    for table in come.pop(wanted):
                        yield named(table, plan.output)
                    wanted += 1
            self._changed.pop(plan, None)
            if adapted:
                picture = self._sc._session.picture
                self._changed[plan] = _Changed(picture(node), picture(node, adapted))

    def _begun(
        self, plan: l.Plan, adapted: list[Stage]
    ) -> tuple[Node, Iterator[tuple[int, list[pa.Table]]]]:
        """The physical plan, and (partition, tables) of the answer as they come."""
        settings, about = self.settings, self._sc._about_job()
        best = self.optimised(plan, settings)
        how = self._lowering_of(best, settings)
        run = partial(self._sc._session.run, adapted=adapted, site=call_site(), **about)
        some = first_rows(best, how)
        if some is not None:
            return some.node, in_waves(some, run)
        node = lower(best, how)
        return node, run(node)

    def table(self, plan: l.Plan) -> pa.Table:
        """The whole answer."""
        found = list(self.tables(plan))
        if not found:
            columns = [pa.field(a.name, to_arrow(t.nullable(a.kind)), True) for a in plan.output]
            return pa.schema(columns).empty_table()
        if not plan.output:  # such tables lose their rows when they are put together
            return columnless(sum(each.num_rows for each in found))
        return pa.concat_tables(found)


@functools.cache
def _user() -> str:
    """Whose process this is."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _size(text: str | None) -> int:
    """A setting that is a number of bytes; negative for never."""
    text = (text or "-1").strip()
    return -1 if text.startswith("-") else parse_size(text)


def _until(session: Session) -> Callable[[Node, Node], None]:
    def until(kept: Node, exchange: Node) -> None:
        assert isinstance(kept, Persist)
        session.keep_until_written(kept, exchange)

    return until

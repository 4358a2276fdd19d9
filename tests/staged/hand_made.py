"""Plans made by hand, and engines to run them with."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa

from minispark.context import SparkContext
from minispark.sql.conf import RuntimeConfig
from minispark.sql.engine import QueryEngine
from planner.columns import types as t
from planner.columns.columnar import schema_from_arrow
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal, Name, Order
from planner.columns.functions.registry import Settings
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.analysis import requests

_KINDS = {bool: t.BOOLEAN, int: t.INT, float: t.DOUBLE, str: t.STRING, type(None): t.NULL}


def engine_of(sc: SparkContext, **settings: Any) -> QueryEngine:
    """An engine with settings of its own, e.g. `shuffle_partitions=3`."""
    conf = RuntimeConfig(sc)
    names = {
        "mode": "minispark.sql.singleNode",
        "partitions": "spark.sql.shuffle.partitions",
        "broadcast": "spark.sql.autoBroadcastJoinThreshold",
        "adaptive": "spark.sql.adaptive.enabled",
        "measured": "spark.sql.adaptive.autoBroadcastJoinThreshold",
        "merges": "spark.sql.adaptive.coalescePartitions.enabled",
        "splits": "spark.sql.adaptive.skewJoin.enabled",
        "least": "spark.sql.adaptive.coalescePartitions.minPartitionSize",
        "advised": "spark.sql.adaptive.advisoryPartitionSizeInBytes",
        "skewed": "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes",
        "opening": "spark.sql.files.openCostInBytes",
    }
    settings = {"adaptive": False, **settings}
    for name, value in settings.items():
        conf.set(names[name], value)
    return QueryEngine(sc, conf)


def expr(value: Any) -> Expr:
    """A name for text, a literal for what else is no expression."""
    if isinstance(value, Expr):
        return value
    return Name((value,)) if isinstance(value, str) else lit(value)


def lit(value: Any) -> Expr:
    return Literal(value, _KINDS[type(value)])


def call(name: str, *args: Any, **more: Any) -> Call:
    return Call(name, tuple(map(expr, args)), **more)


def both(*parts: Call) -> Call:
    found = parts[0]
    for part in parts[1:]:
        found = call("and", found, part)
    return found


def table(data: pa.Table | None = None, **columns: Any) -> l.Table:
    data = pa.table(columns) if data is None else data
    fields = schema_from_arrow(data.schema).fields
    return l.Table(tuple(Attr(f.name, f.dataType, f.nullable) for f in fields), data)


def scope(*plans: l.Plan) -> Scope:
    return Scope(tuple(attr for plan in plans for attr in plan.output))


def where(plan: l.Plan, condition: Call) -> l.Plan:
    return requests.where(plan, condition, scope(plan))


def select(plan: l.Plan, *columns: Any) -> l.Plan:
    return requests.select(plan, [expr(column) for column in columns], scope(plan))


def group(plan: l.Plan, keys: list[str], *values: Expr) -> l.Plan:
    names = scope(plan)
    bound = [bind(expr(key), names) for key in keys]
    return requests.aggregate(plan, bound, [*bound, *(bind(v, names) for v in values)], names)


def order(plan: l.Plan, *keys: Any) -> l.Plan:
    return requests.order(plan, [expr(key) for key in keys], scope(plan))


def desc(key: str) -> Order:
    return Order(expr(key), False)


def join(left: l.Plan, right: l.Plan, condition: Call | None, kind: str = "inner") -> l.Join:
    bound = None if condition is None else bind(condition, scope(left, right))
    return l.Join(left, right, kind, bound)


def named(value: Any, name: str) -> Alias:
    return Alias(expr(value), name)


def people(rows: int = 500, seed: int = 1) -> l.Table:
    """Rows with NULLs, NaN, both zeros, few and many keys."""
    rng = random.Random(seed)

    def some(values: list[Any], nulls: float = 0.1) -> list[Any]:
        return [None if rng.random() < nulls else rng.choice(values) for _ in range(rows)]

    return table(
        pa.table(
            {
                "id": pa.array(range(rows), pa.int64()),
                "k": pa.array(some(list(range(20))), pa.int32()),
                "f": pa.array(some([0.0, -0.0, 1.5, math.nan, -3.25]), pa.float64()),
                "s": pa.array(some(["a", "b", "", "ü", "a longer text of some bytes"])),
                "d": pa.array(some([Decimal("1.25"), Decimal("-2.50")]), pa.decimal128(10, 2)),
                "b": pa.array(some([True, False]), pa.bool_()),
                "n": pa.array(some(list(range(-50, 50)), 0.2), pa.int64()),
            }
        )
    )


class Near(float):
    """A fraction that equals what differs from it in the last digits only."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and math.isclose(self, other, rel_tol=1e-9, abs_tol=1e-9)

    def __hash__(self) -> int:
        return float.__hash__(self)

    def __repr__(self) -> str:
        return f"{float(self):.5g}"


def rows_of(found: pa.Table, ordered: bool = False) -> list[Any]:
    """The rows with fractions to 1e-9; sorted, unless their order counts."""
    rows = [tuple(map(_plain, row.values())) for row in found.to_pylist()]
    return rows if ordered else sorted(rows, key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else Near(value + 0.0)
    if isinstance(value, list):
        return sorted(map(_plain, value), key=repr)
    return value


SETTINGS = Settings()

"""From rows to columns and back: `df.rdd`, `rdd.toDF()`, `createDataFrame(rdd)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from executors.relational.fragments import named
from executors.relational.pyvalues import BadValue, chunks, rows_of, table_of
from minispark.dataset.dataset import Dataset
from minispark.dataset.plans import by_partition
from minispark.sql.errors import of_value
from planner.columns import types as t
from planner.columns.columnar import schema_to_arrow
from planner.columns.expressions import Attr
from planner.columns.row import Row
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession

BATCH = 10_000


@dataclass(frozen=True)
class ToRows:
    """In a task: Arrow tables as Rows."""

    attrs: tuple[Attr, ...]
    schema: t.StructType

    def __call__(self, partition: int, tables: Iterable[pa.Table]) -> Iterator[Row]:
        for table in tables:
            yield from rows_of(named(table, self.attrs), self.schema)


@dataclass(frozen=True)
class ToTables:
    """In a task: rows as Arrow tables with the physical columns of `attrs`."""

    attrs: tuple[Attr, ...]
    schema: t.StructType
    verify: bool

    def __call__(self, partition: int, rows: Iterable[Any]) -> Iterator[pa.Table]:
        names = [attr.column for attr in self.attrs]
        for chunk in chunks(rows, BATCH):
            try:
                table = table_of(as_rows(chunk, self.schema), self.schema, self.verify)
            except BadValue as error:
                raise of_value(error) from None
            yield table.rename_columns(names)


def as_rows(rows: list[Any], schema: t.StructType) -> list[Any]:
    """Rows; bare values, where the schema has one column, become rows of one."""
    plain = (tuple, list, dict)
    if len(schema.fields) == 1 and schema.names == ["value"]:
        return [r if isinstance(r, plain) or hasattr(r, "__dict__") else (r,) for r in rows]
    return rows


def rows_dataset(spark: SparkSession, plan: l.Plan, schema: t.StructType) -> Dataset:
    """The rows of a plan as a Dataset."""
    node = spark._engine.physical(plan)
    return Dataset(by_partition(node, ToRows(plan.output, schema)), spark.sparkContext)


def tables_dataset(spark: SparkSession, plan: l.Plan) -> Dataset:
    """The Arrow tables of a plan as a Dataset."""
    return Dataset(spark._engine.physical(plan), spark.sparkContext)


def plan_of_dataset(dataset: Dataset, schema: t.StructType, verify: bool) -> l.Plan:
    """The rows of a Dataset as a plan."""
    attrs = attrs_of(schema)
    return l.Rows(attrs, by_partition(dataset._node, ToTables(attrs, schema, verify)))


def attrs_of(schema: t.StructType) -> tuple[Attr, ...]:
    """New columns of a schema."""
    return tuple(
        Attr(f.name, f.dataType, f.nullable, metadata=tuple(f.metadata.items()))
        for f in schema.fields
    )


def plan_of_table(table: pa.Table, schema: t.StructType) -> l.Plan:
    """An Arrow table that the driver holds as a plan; its columns are cast to the schema's."""
    attrs = attrs_of(schema)
    wanted = schema_to_arrow(schema)
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(table.columns, wanted, strict=True)
    ]
    names = [attr.column for attr in attrs]
    data = pa.Table.from_arrays(columns, names=names) if names else table.select([])
    return l.Table(attrs, data)

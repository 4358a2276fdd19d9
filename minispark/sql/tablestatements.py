"""Statements about tables that stay."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import TYPE_CHECKING

from minispark.errors import AnalysisException
from minispark.sql import tables
from minispark.sql.parser import tablecommands as c
from minispark.sql.parser.expressions import Reader
from minispark.sql.parser.reading import Node
from planner.columns import types as t
from planner.columns.typing import Scope, bind
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession

Planned = Callable[[Node], l.Plan]


@singledispatch
def do(command: c.TableCommand, session: SparkSession, planned: Planned) -> None:
    """Do a statement; `planned` gives the plan of a query's tree."""
    raise NotImplementedError(f"the statement {command!r}")


@do.register(c.CreateTable)
def _create(command: c.CreateTable, session: SparkSession, planned: Planned) -> None:
    there = session._views.warehouse.find(command.name)
    if there is not None:
        if command.unless_there:
            return
        raise tables.taken(there.full)
    if command.like:
        other = tables.needed(session, command.like)
        made = tables.new_table(
            session,
            command.name,
            command.format or other.format,
            other.columns,
            other.partitions,
            dict(other.options),
            command.path,
            dict(other.limits),
        )
        tables.create(session, made)
        return
    rows = None if command.query is None else session._dataframe(planned(command.query))
    if rows is not None and command.columns:
        raise AnalysisException(
            "CREATE TABLE … AS takes its columns from the query", "_LEGACY_ERROR_TEMP_0036"
        )
    columns = t.StructType(list(command.columns))
    if rows is not None:
        columns = t.StructType([t.StructField(f.name, f.dataType) for f in rows.schema.fields])
    elif not columns.fields and command.path:
        form = command.format or session.conf.get("spark.sql.sources.default", "parquet")
        columns = (
            session.read.format(form or "")
            .options(**dict(command.options))
            .load(command.path)
            .schema
        )
    elif not columns.fields:
        raise AnalysisException(
            f"the table {'.'.join(command.name)} needs columns", "UNABLE_TO_INFER_SCHEMA"
        )
    made = tables.new_table(
        session,
        command.name,
        command.format,
        columns,
        command.partitions,
        dict(command.options),
        command.path,
        dict(command.limits),
    )
    tables.create(session, made, rows)


@do.register(c.Insert)
def _insert(command: c.Insert, session: SparkSession, planned: Planned) -> None:
    table = tables.needed(session, command.name)
    nothing = Scope((), session._engine.settings)
    fixed = {name: bind(Reader().expr(value), nothing) for name, value in command.fixed}
    rows = session._dataframe(planned(command.query))
    tables.insert(rows, table, command.overwrite, command.by_name, fixed, command.columns)


@do.register(c.Truncate)
def _truncate(command: c.Truncate, session: SparkSession, planned: Planned) -> None:
    tables.truncate(tables.needed(session, command.name), session)


@do.register(c.RenameTable)
def _rename(command: c.RenameTable, session: SparkSession, planned: Planned) -> None:
    session._views.warehouse.rename(tables.needed(session, command.name), command.new[-1])


@do.register(c.AddColumns)
def _add_columns(command: c.AddColumns, session: SparkSession, planned: Planned) -> None:
    table = tables.needed(session, command.name)
    session._views.warehouse.keep(tables.widened(table, command.columns))


@do.register(c.CreateDatabase)
def _create_database(command: c.CreateDatabase, session: SparkSession, planned: Planned) -> None:
    session._views.warehouse.create_database(command.name, command.unless_there)


@do.register(c.DropDatabase)
def _drop_database(command: c.DropDatabase, session: SparkSession, planned: Planned) -> None:
    warehouse = session._views.warehouse
    warehouse.drop_database(command.name, command.if_there, command.cascade)
    session._engine.database = warehouse.current

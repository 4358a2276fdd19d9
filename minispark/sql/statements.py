"""`spark.sql`: a query is planned, a command is done at once and gives its table of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from minispark.errors import AnalysisException, PySparkTypeError, PySparkValueError
from minispark.sql.catalog import GLOBAL, Views, matches
from minispark.sql.column import Column
from minispark.sql.dataframe.dataframe import DataFrame
from minispark.sql.errors import translated
from minispark.sql.parser import commands as c
from minispark.sql.parser.reading import Node, table_names
from minispark.sql.parser.statements import plan_of
from minispark.sql.tables import described, needed, partitions
from minispark.sql.tablestatements import do
from minispark.storagelevel import StorageLevel
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Alias, Attr, Expr, Name, rewrite
from planner.columns.functions.registry import TABLE
from planner.query import logical as l
from planner.site import NOWHERE, Site, call_site

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession

Args = Mapping[str, Any] | Sequence[Any] | None


def run(
    session: SparkSession, text: str, args: Args = None, given: Mapping[str, Any] | None = None
) -> l.Plan:
    """Do a statement; gives the plan of its result.

    Parameters
    ----------
    session : SparkSession
        Whose views, settings and engine it is about.
    text : str
        One statement.
    args : mapping or sequence, optional
        Values of its parameters.
    given : mapping, optional
        What `{name}` in the text stands for: DataFrames, Columns, or values.
    """
    site = call_site("sql")
    if not isinstance(text, str):
        raise PySparkTypeError(
            f"a statement is a str, and not {type(text).__name__}: {text!r}", "NOT_EXPECTED_TYPE"
        )
    if args is not None and (isinstance(args, str) or not isinstance(args, Mapping | Sequence)):
        raise PySparkTypeError(
            f"args is a dict or a list, and not {type(args).__name__}: {args!r}", "INVALID_TYPE"
        )
    with translated():
        if not given:
            return _sited(_done(c.command(text), session, args), site)
        if args is not None and not isinstance(args, Mapping):
            raise PySparkValueError("args by place do not go with {name} in a statement", "ARGS")
        shown = {name: _place_of(name, value) for name, value in given.items()}
        found = c.command(text.format(**shown))
        if not isinstance(found, c.Query):
            raise NotImplementedError("{name} in a command; it is for queries")
        frames = {
            _frame_name(name).lower(): value._plan
            for name, value in given.items()
            if isinstance(value, DataFrame)
        }
        values = {
            key: each
            for name, value in given.items()
            if not isinstance(value, DataFrame)
            for key, each in _values_of(name, value).items()
        }
        made = plan_of(found.tree, session._views, {**(args or {}), **values}, frames)
        return _sited(made, site)


def _sited(plan: l.Plan, site: Site) -> l.Plan:
    """The plan with the user's line on the nodes of the statement; those of views have theirs."""
    return l.bottom_up(plan, lambda node: node.at(site) if node.site is NOWHERE else node)


def _frame_name(name: str) -> str:
    return f"given_{name}"


def _values_of(name: str, value: Any) -> dict[str, Any]:
    """A given value as parameters: each value of a tuple is one."""
    own = _frame_name(name)
    if isinstance(value, tuple):
        return {f"{own}_{place}": each for place, each in enumerate(value)}
    if isinstance(value, Column):  # the statement's own columns: it may read others of these names
        value = Column(rewrite(value._expr, _by_name))
    return {own: value}


def _by_name(expr: Expr) -> Expr:
    return Name((expr.name,)) if isinstance(expr, Attr) else expr


def _place_of(name: str, value: Any) -> str:
    """What stands in the text for a given value; a tuple is the list of an IN."""
    if isinstance(value, tuple):
        return f"({', '.join(f':{each}' for each in _values_of(name, value))})"
    return f"{'' if isinstance(value, DataFrame) else ':'}{_frame_name(name)}"


@singledispatch
def _done(command: c.Command, session: SparkSession, args: Args) -> l.Plan:
    raise NotImplementedError(f"the statement {command!r}")


def _planned(session: SparkSession, tree: Node, args: Args = None) -> l.Plan:
    return plan_of(tree, session._views, args)


def _result(fields: Sequence[tuple[str, t.DataType]], rows: Sequence[Sequence[Any]]) -> l.Plan:
    """Rows that the driver has."""
    columns = list(zip(*rows, strict=True)) or [() for _ in fields]
    arrays = [pa.array(column, to_arrow(k)) for column, (_, k) in zip(columns, fields, strict=True)]
    attrs = tuple(Attr(name, kind) for name, kind in fields)
    names = [name for name, _ in fields]
    if not fields:
        return l.Table((), pa.table({}))
    return l.Table(attrs, pa.Table.from_arrays(arrays, names=names))


def _nothing() -> l.Plan:
    """The result of a command that only does something."""
    return _result((), ())


@_done.register(c.Query)
def _query(command: c.Query, session: SparkSession, args: Args) -> l.Plan:
    return _planned(session, command.tree, args)


# ---- views ---------------------------------------------------------------------------------------


@_done.register(c.CreateView)
def _create_view(command: c.CreateView, session: SparkSession, args: Args) -> l.Plan:
    views: Views = session._views
    where = (GLOBAL, *command.name) if command.everywhere else command.name
    if command.unless_there and views.find(where) is not None:
        return _nothing()

    def plan() -> l.Plan:
        found = _planned(session, command.query, args)
        return _with_names(found, command.columns)

    plan()  # a view that means nothing is refused now
    lasting = _not_of_itself(plan, views, command)
    views.add(command.name[-1:], lasting, command.replace, command.everywhere)
    return _nothing()


def _not_of_itself(
    plan: Callable[[], l.Plan], views: Views, command: c.CreateView
) -> l.Plan | Callable[[], l.Plan]:
    """A view that uses a former one of its own name keeps that one's plan."""
    names = {name.lower() for name in table_names(command.query)}
    return plan() if command.name[-1].lower() in names else plan


def _with_names(plan: l.Plan, columns: Sequence[str]) -> l.Plan:
    if not columns:
        return plan
    if len(columns) != len(plan.output):
        raise AnalysisException(
            f"the view names {len(columns)} columns, and its query has {len(plan.output)}",
            "CREATE_VIEW_COLUMN_ARITY_MISMATCH",
        )
    pairs = zip(plan.output, columns, strict=True)
    return l.Project(plan, tuple(Alias(attr, name) for attr, name in pairs))


@_done.register(c.ViewOfFiles)
def _view_of_files(command: c.ViewOfFiles, session: SparkSession, args: Args) -> l.Plan:
    reader = session.read.format(command.format)
    for key, value in command.options:
        if key.lower() != "path":
            reader = reader.option(key, value)
    path = next((value for key, value in command.options if key.lower() == "path"), None)
    plan = (reader.load() if path is None else reader.load(path))._plan
    session._views.add(command.name, plan, command.replace)
    return _nothing()


@_done.register(c.DropView)
def _drop_view(command: c.DropView, session: SparkSession, args: Args) -> l.Plan:
    if session._views.drop(command.name) is not None:
        return _nothing()
    if session._views.warehouse.find(command.name) is not None:
        raise AnalysisException(
            f"{'.'.join(command.name)} is a table: use DROP TABLE", "WRONG_COMMAND_FOR_OBJECT_TYPE"
        )
    if not command.if_there:
        raise AnalysisException(
            f"there is no view {'.'.join(command.name)}", "TABLE_OR_VIEW_NOT_FOUND"
        )
    return _nothing()


@_done.register(c.DropTable)
def _drop_table(command: c.DropTable, session: SparkSession, args: Args) -> l.Plan:
    views: Views = session._views
    if views.drop(command.name) is not None:
        return _nothing()
    found = views.warehouse.find(command.name)
    if found is None and not command.if_there:
        raise AnalysisException(
            f"there is no table {'.'.join(command.name)}", "TABLE_OR_VIEW_NOT_FOUND"
        )
    if found is not None:
        views.warehouse.drop(found)
    return _nothing()


@_done.register(c.OfTables)
def _of_tables(command: c.OfTables, session: SparkSession, args: Args) -> l.Plan:
    do(command.what, session, lambda tree: _planned(session, tree, args))
    return _nothing()


# ---- keeping -------------------------------------------------------------------------------------


@_done.register(c.CacheTable)
def _cache(command: c.CacheTable, session: SparkSession, args: Args) -> l.Plan:
    views: Views = session._views
    if command.query is not None:
        views.add(command.name, _planned(session, command.query, args), replace=False)
    plan = views.relation(command.name)
    level = getattr(StorageLevel, (command.level or "MEMORY_AND_DISK").upper(), None)
    if not isinstance(level, StorageLevel):
        raise AnalysisException(f"there is no storage level {command.level}", "ILLEGAL_ARGUMENT")
    session._engine.cache(plan, level)
    if not command.lazy:
        for _ in session._engine.tables(plan):
            pass
    return _nothing()


@_done.register(c.UncacheTable)
def _uncache(command: c.UncacheTable, session: SparkSession, args: Args) -> l.Plan:
    views: Views = session._views
    if command.if_there and views.find(command.name) is None:
        return _nothing()
    session._engine.unpersist(views.relation(command.name))
    return _nothing()


@_done.register(c.ClearCache)
def _clear(command: c.ClearCache, session: SparkSession, args: Args) -> l.Plan:
    session._engine.cached.clear()
    return _nothing()


@_done.register(c.RefreshTable)
def _refresh(command: c.RefreshTable, session: SparkSession, args: Args) -> l.Plan:
    session.catalog.refreshTable(".".join(command.name))
    return _nothing()


# ---- telling -------------------------------------------------------------------------------------


@_done.register(c.Explain)
def _explain(command: c.Explain, session: SparkSession, args: Args) -> l.Plan:
    text = session._engine.explain(_planned(session, command.query, args), command.mode)
    return _result([("plan", t.STRING)], [(text,)])


@_done.register(c.Describe)
def _describe(command: c.Describe, session: SparkSession, args: Args) -> l.Plan:
    table = None
    if command.query is None and session._views.find(command.name) is None:
        table = session._views.warehouse.find(command.name)
    if table is not None:
        shown = [("col_name", t.STRING), ("data_type", t.STRING), ("comment", t.STRING)]
        return _result(shown, described(table))
    plan = (
        session._views.relation(command.name)
        if command.query is None
        else _planned(session, command.query, args)
    )
    fields = [("col_name", t.STRING), ("data_type", t.STRING), ("comment", t.STRING)]
    return _result(fields, [(a.name, a.kind.simpleString(), None) for a in plan.output])


@_done.register(c.DescribeFunction)
def _describe_function(command: c.DescribeFunction, session: SparkSession, args: Args) -> l.Plan:
    name = command.name.lower()
    known = name in TABLE
    rows = [f"Function: {name}", "Class: minispark"] if known else [f"Function: {name} not found."]
    return _result([("function_desc", t.STRING)], [(row,) for row in rows])


@_done.register(c.Show)
def _show(command: c.Show, session: SparkSession, args: Args) -> l.Plan:
    views: Views = session._views
    if command.what == "columns":
        plan = views.relation(command.of)
        return _result([("col_name", t.STRING)], [(attr.name,) for attr in plan.output])
    if command.what == "functions":
        names = [name for name in sorted(TABLE) if matches(name, command.like)]
        return _result([("function", t.STRING)], [(name,) for name in names])
    if command.what == "databases":
        found = [(name,) for name in views.warehouse.databases() if matches(name, command.like)]
        return _result([("namespace", t.STRING)], found)
    if command.what == "partitions":
        table = needed(session, command.of)
        return _result([("partition", t.STRING)], [(each,) for each in partitions(session, table)])
    everywhere = bool(command.of) and command.of[-1].lower() == GLOBAL
    shown = [*(views.all(True) if everywhere else ()), *views.all()]
    rows = [
        (GLOBAL if view.everywhere else "", view.name, True)
        for view in shown
        if matches(view.name, command.like)
    ]
    fields = [("namespace", t.STRING), ("viewName", t.STRING), ("isTemporary", t.BOOLEAN)]
    if command.what == "tables" and not everywhere:
        database = views.warehouse.need(command.of[-1]) if command.of else None
        rows += [
            (table.database, table.name, False)
            for table in views.warehouse.tables(database)
            if matches(table.name, command.like)
        ]
    if command.what == "tables":
        fields[1] = ("tableName", t.STRING)
    return _result(fields, rows)


# ---- settings ------------------------------------------------------------------------------------

_PAIR: list[tuple[str, t.DataType]] = [("key", t.STRING), ("value", t.STRING)]


@_done.register(c.SetValue)
def _set(command: c.SetValue, session: SparkSession, args: Args) -> l.Plan:
    session.conf.set(command.key, command.value)
    return _result(_PAIR, [(command.key, command.value)])


@_done.register(c.ShowValue)
def _get(command: c.ShowValue, session: SparkSession, args: Args) -> l.Plan:
    if command.key is None:
        return _result(_PAIR, sorted(session.conf.getAll.items()))
    value = session.conf.get(command.key, "<undefined>")
    return _result(_PAIR, [(command.key, value)])


@_done.register(c.Reset)
def _reset(command: c.Reset, session: SparkSession, args: Args) -> l.Plan:
    if command.key is not None:
        session.conf.unset(command.key)
        return _nothing()
    for key in session.conf.getAll:
        try:
            session.conf.unset(key)
        except PySparkValueError:
            continue  # one that counted when the context was made stays
    return _nothing()


@_done.register(c.Use)
def _use(command: c.Use, session: SparkSession, args: Args) -> l.Plan:
    session.catalog.setCurrentDatabase(command.name)
    return _nothing()

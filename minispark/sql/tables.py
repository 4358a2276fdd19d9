"""Tables that stay: made, written to, and read as DataFrames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from minispark.errors import AnalysisException
from minispark.sql.column import Column
from minispark.sql.warehouse import StoredTable, remove_files
from planner.columns import types as t
from planner.columns.expressions import Alias, Call, Cast, Expr, Literal
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame
    from minispark.sql.session import SparkSession

_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)


def taken(name: str) -> AnalysisException:
    """The error of a table's name that is there already."""
    return AnalysisException(
        f"there is a table {name} already: replace it, append to it, or take another name",
        "TABLE_OR_VIEW_ALREADY_EXISTS",
    )


def needed(session: SparkSession, parts: tuple[str, ...]) -> StoredTable:
    """The table of a name. Raises AnalysisException where there is none."""
    found = session._views.warehouse.find(parts)
    if found is None:
        names = ", ".join(each.name for each in session._views.warehouse.tables()[:10])
        hint = f"; there are {names}" if names else "; there are none"
        raise AnalysisException(
            f"there is no table {'.'.join(parts)}{hint}", "TABLE_OR_VIEW_NOT_FOUND"
        )
    return found


def plan_of(session: SparkSession, table: StoredTable) -> l.Plan:
    """The rows of a table, as its files are now."""
    from_files = session.read.format(table.format).options(**dict(table.options))
    plan: l.Plan = from_files.schema(t.nullable(table.columns)).load(table.path)._plan
    return plan


def new_table(
    session: SparkSession,
    parts: tuple[str, ...],
    form: str | None,
    columns: t.StructType,
    partitions: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    path: str | None = None,
    limits: Mapping[str, int] | None = None,
) -> StoredTable:
    """A table that is not there yet, as it will be. Raises AnalysisException."""
    warehouse = session._views.warehouse
    where = warehouse.place_of(parts)
    if where is None:
        raise AnalysisException(f"{'.'.join(parts)} is no name of a table", "REQUIRES_SINGLE_PART")
    database = warehouse.need(where[0])
    _refuse_twice(columns, session)
    fold = str if session._engine.settings.case_sensitive else str.lower
    named = {fold(f.name): f for f in columns.fields}
    for part in partitions:
        if fold(part) not in named:
            raise AnalysisException(
                f"there is no column {part} to partition by in {', '.join(columns.names)}",
                "PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA",
            )
    last = [named[fold(part)] for part in partitions]
    if last and len(last) == len(columns.fields):
        raise AnalysisException(
            "all columns name partitions: there would be none in the files",
            "ALL_PARTITION_COLUMNS_NOT_ALLOWED",
        )
    ordered = t.StructType([*(f for f in columns.fields if f not in last), *last])
    usual = session.conf.get("spark.sql.sources.default", "parquet") or "parquet"
    return StoredTable(
        database,
        where[1],
        (form or usual).lower(),
        ordered,
        path or warehouse.usual_path(database, where[1]),
        tuple(f.name for f in last),
        tuple((options or {}).items()),
        tuple((limits or {}).items()),
        path is None,
    )


def _refuse_twice(columns: t.StructType, session: SparkSession) -> None:
    fold = str if session._engine.settings.case_sensitive else str.lower
    names = [fold(name) for name in columns.names]
    for name in names:
        if names.count(name) > 1:
            raise AnalysisException(f"the column {name} is there twice", "COLUMN_ALREADY_EXISTS")


def create(session: SparkSession, table: StoredTable, rows: DataFrame | None = None) -> None:
    """Make a table, empty or with rows."""
    if table.managed:
        remove_files(table.path)  # of a write that was given up; no table has them
    writer = session.createDataFrame([], table.columns) if rows is None else rows
    if rows is not None or table.managed:
        _write(writer, table, "overwrite" if table.managed else "append")
    session._views.warehouse.keep(table)


def _write(rows: DataFrame, table: StoredTable, mode: str, dynamic: bool = False) -> None:
    writer = rows.write.mode(mode).format(table.format).options(**dict(table.options))
    if table.partitions:
        writer = writer.partitionBy(*table.partitions)
    if dynamic:
        writer = writer.option("partitionOverwriteMode", "dynamic")
    writer.save(table.path)


def save(
    rows: DataFrame,
    parts: tuple[str, ...],
    mode: str,
    form: str | None,
    partitions: Sequence[str],
    options: Mapping[str, str],
) -> None:
    """`df.write.saveAsTable`."""
    session: SparkSession = rows._session
    warehouse = session._views.warehouse
    there = warehouse.find(parts)
    if there is not None and mode in ("error", "ignore"):
        if mode == "ignore":
            return
        raise taken(there.full)
    if there is not None and mode == "append":
        _append(rows, there, form, partitions)
        return
    rest = {key: value for key, value in options.items() if key.lower() != "path"}
    path = next((value for key, value in options.items() if key.lower() == "path"), None)
    free = t.nullable(rows.schema)
    assert isinstance(free, t.StructType)
    table = new_table(session, parts, form, free, partitions, rest, path)
    if there is None:
        create(session, table, rows)
        return
    _refuse_own(rows, there)
    if there.path != table.path and there.managed:
        remove_files(there.path)
    _write(rows, table, "overwrite")
    warehouse.keep(table)


def _append(
    rows: DataFrame, table: StoredTable, form: str | None, partitions: Sequence[str]
) -> None:
    usual = rows._session.conf.get("spark.sql.sources.default", "parquet") or "parquet"
    if (form or usual).lower() != table.format:
        raise AnalysisException(
            f"the table {table.full} is of {table.format}, and the write of {form or usual}: say "
            f'format("{table.format}")',
            "_LEGACY_ERROR_TEMP_1159",
        )
    if partitions and tuple(partitions) != table.partitions:
        raise AnalysisException(
            f"the table {table.full} is partitioned by {', '.join(table.partitions) or 'nothing'}",
            "_LEGACY_ERROR_TEMP_1163",
        )
    insert(rows, table, by_name=True)


def insert(
    rows: DataFrame,
    table: StoredTable,
    overwrite: bool = False,
    by_name: bool = False,
    fixed: Mapping[str, Expr] | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Write rows into a table.

    Parameters
    ----------
    rows : DataFrame
        By position, without the columns that are `fixed`; or by name.
    overwrite : bool
        In the place of what is there: of the partitions that `fixed` names, or of all (of those
        that are written, where `spark.sql.sources.partitionOverwriteMode` is dynamic).
    fixed : mapping
        Values of partitions' columns: PARTITION (p = 1).
    columns : sequence of str
        The columns that rows have, in their order; others are NULL.
    """
    if overwrite:
        _refuse_own(rows, table)
    session: SparkSession = rows._session
    fits = _fitted(rows, table, by_name, fixed or {}, columns)
    conf = session.conf.get("spark.sql.sources.partitionOverwriteMode", "static") or "static"
    some = bool(fixed) or conf.lower() == "dynamic"
    mode = "overwrite" if overwrite else "append"
    _write(fits, table, mode, overwrite and some and bool(table.partitions))


def _refuse_own(rows: DataFrame, table: StoredTable) -> None:
    own = f"{table.path.rstrip('/')}/"
    for node in l.walk(rows._plan):
        if isinstance(node, l.Scan) and any(own in piece.path for piece in node.slices):
            raise AnalysisException(
                f"cannot overwrite the table {table.full}, which the rows are read from",
                "UNSUPPORTED_OVERWRITE.TABLE",
            )


def _fitted(
    rows: DataFrame,
    table: StoredTable,
    by_name: bool,
    fixed: Mapping[str, Expr],
    columns: Sequence[str],
) -> DataFrame:
    """The rows with the columns of the table."""
    fold = str.lower
    given = {fold(name): value for name, value in fixed.items()}
    for name in given:
        if name not in map(fold, table.partitions):
            raise AnalysisException(
                f"{name} names no partition of {table.full}", "NON_PARTITION_COLUMN"
            )
    open_ = [f for f in table.columns.fields if fold(f.name) not in given]
    values: dict[str, Expr] = {}
    if by_name:
        there = {fold(attr.name): attr for attr in rows._output}
        for column in open_:
            if fold(column.name) not in there:
                raise AnalysisException(
                    f"there is no column {column.name} in {', '.join(rows.columns)}",
                    "_LEGACY_ERROR_TEMP_1162",
                )
            values[fold(column.name)] = there[fold(column.name)]
        wanted = [f.name for f in open_]
    else:
        wanted = list(columns) or [f.name for f in open_]
        values = dict(zip(map(fold, wanted), rows._output, strict=False))
    _check_count(rows, table, wanted)
    made = []
    for column in table.columns.fields:
        value = _stored(_value(column, given, values), column, table)
        made.append(Column(Alias(value, column.name)))
    return rows.select(*made)


def _value(column: t.StructField, given: Mapping[str, Expr], values: Mapping[str, Expr]) -> Expr:
    name = column.name.lower()
    return given.get(name) or values.get(name) or Literal(None, t.NULL)


def _check_count(rows: DataFrame, table: StoredTable, wanted: Sequence[str]) -> None:
    have = len(rows._output)
    if have != len(wanted):
        code = "TOO_MANY" if have > len(wanted) else "NOT_ENOUGH"
        raise AnalysisException(
            f"the table {table.full} takes the columns {', '.join(wanted)}, and the rows have "
            f"{', '.join(rows.columns)}",
            f"INSERT_COLUMN_ARITY_MISMATCH.{code}_DATA_COLUMNS",
        )


def _stored(value: Expr, column: t.StructField, table: StoredTable) -> Expr:
    """A value as the column's type, where that is safe."""
    kind = column.dataType
    if not _storable(value.type, kind):
        raise AnalysisException(
            f"the column {column.name} of {table.full} is {kind.simpleString()}, and "
            f"{value.type.simpleString()} cannot safely be cast to that",
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
        )
    made: Expr = value if value.type == kind else Cast(value, kind, "ansi")
    most = dict(table.limits).get(column.name)
    if most is None:
        return made
    return Call("varchar_checked", (made, Literal(most, t.INT)))


def _storable(old: t.DataType, new: t.DataType) -> bool:
    """Whether values of a type may go into a column, as ANSI has it."""
    if old == new or isinstance(old, t.NullType):
        return True
    match old, new:
        case t.ArrayType(), t.ArrayType():
            return _storable(old.elementType, new.elementType)
        case t.MapType(), t.MapType():
            return _storable(old.keyType, new.keyType) and _storable(old.valueType, new.valueType)
        case t.StructType(), t.StructType():
            pairs = zip(old.fields, new.fields, strict=False)
            alike = len(old) == len(new)
            return alike and all(_storable(a.dataType, b.dataType) for a, b in pairs)
        case t.NumericType(), t.NumericType():
            return True
        case t.AtomicType(), t.StringType():
            return not isinstance(old, t.BinaryType)
    return isinstance(old, _TIMES) and isinstance(new, _TIMES)


def truncate(table: StoredTable, session: SparkSession) -> None:
    """Take all rows away."""
    if not table.managed:
        raise AnalysisException(
            f"{table.full} is external: its files are not ours to delete",
            "_LEGACY_ERROR_TEMP_1266",
        )
    _write(session.createDataFrame([], table.columns), table, "overwrite")


def insert_into(rows: DataFrame, name: tuple[str, ...], overwrite: bool) -> None:
    """`df.write.insertInto`."""
    insert(rows, needed(rows._session, name), overwrite)


def described(table: StoredTable) -> list[tuple[str, str, str | None]]:
    """The rows of DESCRIBE TABLE."""
    rows: list[tuple[str, str, str | None]] = [
        (f.name, table.shown_type(f), f.metadata.get("comment")) for f in table.columns.fields
    ]
    if table.partitions:
        rows += [("# Partition Information", "", ""), ("# col_name", "data_type", "comment")]
        rows += [row for row in rows if row[0] in table.partitions]
    return rows


def partitions(session: SparkSession, table: StoredTable) -> list[str]:
    """The partitions that a table has: p=1, …"""
    if not table.partitions:
        raise AnalysisException(
            f"{table.full} is not partitioned",
            "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY",
        )
    scan = plan_of(session, table)
    assert isinstance(scan, l.Scan)
    found = {tuple(piece.path.split("/")[-1 - len(table.partitions) : -1]) for piece in scan.slices}
    return sorted("/".join(each) for each in found)


def widened(table: StoredTable, columns: Sequence[t.StructField]) -> StoredTable:
    """The table with further columns, which rows that are there do not have."""
    old = table.columns.fields
    there = {field.name.lower() for field in old}
    for column in columns:
        if column.name.lower() in there:
            raise AnalysisException(
                f"the column {column.name} is there already", "FIELD_ALREADY_EXISTS"
            )
    cut = len(old) - len(table.partitions)
    return replace(table, columns=t.StructType([*old[:cut], *columns, *old[cut:]]))

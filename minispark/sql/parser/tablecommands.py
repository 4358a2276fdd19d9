"""Statements about tables that stay, as values; `minispark/sql/tablestatements.py` does them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minispark.errors import ParseException
from minispark.sql.parser import kinds
from minispark.sql.parser.reading import Node, kind, sql_of
from planner.columns import types as t


@dataclass(frozen=True)
class TableCommand:
    """Base of these."""


@dataclass(frozen=True)
class CreateTable(TableCommand):
    """CREATE TABLE [IF NOT EXISTS] name [(columns)] [USING format] [OPTIONS (…)]
    [PARTITIONED BY (…)] [LOCATION path] [AS query]; or LIKE another one"""

    name: tuple[str, ...]
    columns: tuple[t.StructField, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    format: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    partitions: tuple[str, ...] = ()
    path: str | None = None
    query: Node | None = None
    like: tuple[str, ...] = ()
    unless_there: bool = False


@dataclass(frozen=True)
class Insert(TableCommand):
    """INSERT INTO|OVERWRITE name [PARTITION (…)] [(columns)|BY NAME] query"""

    name: tuple[str, ...]
    query: Node
    overwrite: bool = False
    by_name: bool = False
    columns: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Truncate(TableCommand):
    """TRUNCATE TABLE name"""

    name: tuple[str, ...]


@dataclass(frozen=True)
class RenameTable(TableCommand):
    """ALTER TABLE name RENAME TO new"""

    name: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class AddColumns(TableCommand):
    """ALTER TABLE name ADD COLUMNS (…)"""

    name: tuple[str, ...]
    columns: tuple[t.StructField, ...]


@dataclass(frozen=True)
class CreateDatabase(TableCommand):
    """CREATE DATABASE|SCHEMA [IF NOT EXISTS] name"""

    name: str
    unless_there: bool = False


@dataclass(frozen=True)
class DropDatabase(TableCommand):
    """DROP DATABASE|SCHEMA [IF EXISTS] name [CASCADE]"""

    name: str
    if_there: bool = False
    cascade: bool = False


def parts(node: Node) -> tuple[str, ...]:
    """The parts of a table's name."""
    return tuple(part.name for part in node.parts)


def created(tree: Node) -> TableCommand:
    """The command of a CREATE tree that makes no view. Raises NotImplementedError."""
    what = tree.args.get("kind")
    properties = tree.args.get("properties")
    given = list(properties.expressions) if properties is not None else []
    if what in ("DATABASE", "SCHEMA"):
        if any(kind(each) != "SchemaCommentProperty" for each in given):
            raise NotImplementedError(f"a database with properties: {sql_of(tree)}")
        return CreateDatabase(parts(tree.this)[-1], bool(tree.args.get("exists")))
    if what != "TABLE" or tree.args.get("replace"):
        raise NotImplementedError(
            f"{sql_of(tree)}: create a table, or a temporary view; a table is replaced with DROP "
            "and CREATE"
        )
    target = tree.this
    definitions = target.expressions if kind(target) == "Schema" else []
    table = target.this if kind(target) == "Schema" else target
    found = _properties(tree, given)
    columns = [_column(each) for each in definitions]
    more, partitions = found.pop("partitions", ((), ()))
    limits = [(each.name, _limit(each)) for each in definitions]
    return CreateTable(
        parts(table),
        (*columns, *more),
        tuple((name, most) for name, most in limits if most is not None),
        partitions=partitions,
        query=tree.expression,
        unless_there=bool(tree.args.get("exists")),
        **found,
    )


def _properties(tree: Node, given: list[Node]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        match kind(each):
            case "FileFormatProperty":
                found["format"] = each.name
            case "OptionsProperty":
                found["options"] = tuple(
                    (e.this.name, e.args["value"].name) for e in each.expressions
                )
            case "LocationProperty":
                found["path"] = each.this.name
            case "LikeProperty":
                found["like"] = parts(each.this)
            case "PartitionedByProperty":
                inner = each.this.expressions
                more = tuple(_column(e) for e in inner if kind(e) == "ColumnDef")
                if any(kind(e) not in ("ColumnDef", "Identifier", "Column") for e in inner):
                    raise NotImplementedError(f"partitions by expressions: {sql_of(tree)}")
                found["partitions"] = (more, tuple(e.name for e in inner))
            case "SchemaCommentProperty" | "ExternalProperty" | "Property":
                continue  # what is told of a table, and changes no answer
            case other:
                raise NotImplementedError(f"{other.removesuffix('Property')} in {sql_of(tree)}")
    return found


def _column(node: Node) -> t.StructField:
    words = [each.kind for each in node.args.get("constraints") or ()]
    for each in words:
        if kind(each) not in ("NotNullColumnConstraint", "CommentColumnConstraint"):
            raise NotImplementedError(f"{sql_of(each)} of the column {node.name}")
    if node.kind is None:
        raise ParseException(f"the column {node.name} needs a type", "PARSE_SYNTAX_ERROR")
    if str(getattr(node.kind.this, "name", "")) == "CHAR":
        raise NotImplementedError(f"char(n) of the column {node.name}; use varchar(n) or string")
    comment = next((e.this.name for e in words if kind(e) == "CommentColumnConstraint"), None)
    return t.StructField(
        node.name,
        kinds.type_of(node.kind),
        not any(kind(each) == "NotNullColumnConstraint" for each in words),
        {} if comment is None else {"comment": comment},
    )


def _limit(node: Node) -> int | None:
    """The n of varchar(n)."""
    if str(getattr(node.kind.this, "name", "")) != "VARCHAR" or not node.kind.expressions:
        return None
    return int(node.kind.expressions[0].name)


def inserted(tree: Node) -> Insert:
    """The command of an INSERT tree. Raises NotImplementedError."""
    target = tree.this
    if kind(target) not in ("Table", "Schema") or tree.args.get("where") is not None:
        raise NotImplementedError(f"the statement {sql_of(tree)}")
    table = target.this if kind(target) == "Schema" else target
    columns = tuple(e.name for e in target.expressions) if kind(target) == "Schema" else ()
    partition = table.args.get("partition") or tree.args.get("partition")
    given = partition.expressions if partition else ()
    fixed = tuple((e.this.name, e.expression) for e in given if kind(e) == "EQ")
    query = tree.expression
    if query is None:
        raise ParseException(f"INSERT needs rows: {sql_of(tree)}", "PARSE_SYNTAX_ERROR")
    if tree.args.get("with_") is not None:
        query.set("with_", tree.args["with_"])
    return Insert(
        parts(table),
        query,
        bool(tree.args.get("overwrite")),
        bool(tree.args.get("by_name")),
        columns,
        fixed,
    )


def altered(tree: Node) -> TableCommand:
    """The command of an ALTER tree. Raises NotImplementedError."""
    actions = tree.args.get("actions") or []
    if len(actions) == 1 and kind(actions[0]) == "AlterRename":
        return RenameTable(parts(tree.this), parts(actions[0].this))
    found = [
        e for each in actions for e in (each.expressions if kind(each) == "Schema" else [each])
    ]
    if found and all(kind(each) == "ColumnDef" and _limit(each) is None for each in found):
        return AddColumns(parts(tree.this), tuple(map(_column, found)))
    raise NotImplementedError(
        f"the statement {sql_of(tree)}: a table can be renamed and given more columns"
    )

"""Statements that are no queries, as values; `minispark/sql/statements.py` does them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from minispark.errors import ParseException
from minispark.sql.parser import reading, tablecommands
from minispark.sql.parser.reading import Node, kind, sql_of


@dataclass(frozen=True)
class Command:
    """Base of commands."""


@dataclass(frozen=True)
class Query(Command):
    """A query after all."""

    tree: Node


@dataclass(frozen=True)
class CreateView(Command):
    """CREATE [OR REPLACE] [GLOBAL] TEMPORARY VIEW name [(columns)] AS query"""

    name: tuple[str, ...]
    query: Node
    replace: bool = False
    unless_there: bool = False
    everywhere: bool = False
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ViewOfFiles(Command):
    """CREATE TEMPORARY VIEW name USING format OPTIONS (…)"""

    name: tuple[str, ...]
    format: str
    options: tuple[tuple[str, str], ...] = ()
    replace: bool = False


@dataclass(frozen=True)
class DropView(Command):
    """DROP VIEW [IF EXISTS] name"""

    name: tuple[str, ...]
    if_there: bool = False


@dataclass(frozen=True)
class DropTable(Command):
    """DROP TABLE [IF EXISTS] name"""

    name: tuple[str, ...]
    if_there: bool = False


@dataclass(frozen=True)
class OfTables(Command):
    """A statement about tables that stay."""

    what: tablecommands.TableCommand


@dataclass(frozen=True)
class CacheTable(Command):
    """CACHE [LAZY] TABLE name [OPTIONS (…)] [AS query]"""

    name: tuple[str, ...]
    query: Node | None = None
    lazy: bool = False
    level: str | None = None


@dataclass(frozen=True)
class UncacheTable(Command):
    """UNCACHE TABLE [IF EXISTS] name"""

    name: tuple[str, ...]
    if_there: bool = False


@dataclass(frozen=True)
class ClearCache(Command):
    """CLEAR CACHE"""


@dataclass(frozen=True)
class RefreshTable(Command):
    """REFRESH TABLE name"""

    name: tuple[str, ...]


@dataclass(frozen=True)
class Explain(Command):
    """EXPLAIN [EXTENDED | FORMATTED | COST | CODEGEN] query"""

    query: Node
    mode: str = "simple"


@dataclass(frozen=True)
class Describe(Command):
    """DESCRIBE TABLE name, or a query's columns"""

    name: tuple[str, ...] = ()
    query: Node | None = None


@dataclass(frozen=True)
class DescribeFunction(Command):
    """DESCRIBE FUNCTION name"""

    name: str


@dataclass(frozen=True)
class Show(Command):
    """SHOW TABLES | VIEWS | COLUMNS | FUNCTIONS | DATABASES [IN name] [LIKE pattern]"""

    what: str
    of: tuple[str, ...] = ()
    like: str | None = None


@dataclass(frozen=True)
class SetValue(Command):
    """SET key = value"""

    key: str
    value: str


@dataclass(frozen=True)
class ShowValue(Command):
    """SET, SET key: what is set"""

    key: str | None = None


@dataclass(frozen=True)
class Reset(Command):
    """RESET [key]"""

    key: str | None = None


@dataclass(frozen=True)
class Use(Command):
    """USE [DATABASE] name"""

    name: str


# ---- by words, where sqlglot has no grammar ------------------------------------------------------

_NAME = r"(?:`[^`]+`|[\w.]+)(?:\.(?:`[^`]+`|\w+))*"
_LIKE = r"(?:\s+(?:LIKE\s+)?(?P<q>['\"])(?P<like>.*?)(?P=q))?"
_BY_WORDS: list[tuple[str, Callable[[re.Match[str]], Command]]] = []


def _words(pattern: str) -> Callable[[Callable[[re.Match[str]], Command]], None]:
    def enter(make: Callable[[re.Match[str]], Command]) -> None:
        _BY_WORDS.append((rf"\s*{pattern}\s*;?\s*$", make))

    return enter


def _name(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(part.strip("`") for part in re.findall(r"`[^`]+`|[^.`]+", text))


@_words(r"CLEAR\s+CACHE")
def _clear(found: re.Match[str]) -> Command:
    return ClearCache()


@_words(r"EXPLAIN\s+(?:(?P<mode>EXTENDED|FORMATTED|COST|CODEGEN)\s+)?(?P<rest>.*)")
def _explain(found: re.Match[str]) -> Command:
    return Explain(reading.statement(found["rest"]), (found["mode"] or "simple").lower())


@_words(r"DESC(?:RIBE)?\s+(?:QUERY\s+)?(?P<rest>(?:SELECT|WITH|VALUES|FROM)\b.*)")
def _describe_query(found: re.Match[str]) -> Command:
    return Describe(query=reading.statement(found["rest"]))


@_words(r"DESC(?:RIBE)?\s+FUNCTION\s+(?:EXTENDED\s+)?(?P<name>\S+)")
def _describe_function(found: re.Match[str]) -> Command:
    return DescribeFunction(found["name"].strip("`'\""))


@_words(rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?:EXTENDED\s+)?(?P<name>{_NAME})")
def _describe(found: re.Match[str]) -> Command:
    return Describe(_name(found["name"]))


@_words(rf"SHOW\s+(?P<what>TABLES|VIEWS)(?:\s+(?:IN|FROM)\s+(?P<of>{_NAME}))?{_LIKE}")
def _tables(found: re.Match[str]) -> Command:
    return Show(found["what"].lower(), _name(found["of"]), found["like"])


@_words(rf"SHOW\s+PARTITIONS\s+(?P<of>{_NAME})")
def _partitions(found: re.Match[str]) -> Command:
    return Show("partitions", _name(found["of"]))


@_words(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(?P<of>{_NAME})(?:\s+(?:IN|FROM)\s+{_NAME})?")
def _columns(found: re.Match[str]) -> Command:
    return Show("columns", _name(found["of"]))


@_words(rf"SHOW\s+(?:(?:USER|SYSTEM|ALL)\s+)?FUNCTIONS{_LIKE}")
def _functions(found: re.Match[str]) -> Command:
    return Show("functions", (), found["like"])


@_words(rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}")
def _databases(found: re.Match[str]) -> Command:
    return Show("databases", (), found["like"])


@_words(r"SET\s+TIME\s+ZONE\s+(?P<zone>LOCAL|'[^']*'|\"[^\"]*\")")
def _zone(found: re.Match[str]) -> Command:
    if found["zone"].upper() == "LOCAL":
        raise NotImplementedError("SET TIME ZONE LOCAL; name the zone")
    return SetValue("spark.sql.session.timeZone", found["zone"][1:-1])


@_words(r"SET(?:\s+-v)?")
def _settings(found: re.Match[str]) -> Command:
    return ShowValue()


@_words(r"SET\s+(?P<key>`[^`]+`|[\w.\-]+)\s*=\s*(?P<value>.*?)")
def _set(found: re.Match[str]) -> Command:
    value = found["value"].strip()
    quoted = len(value) > 1 and value[0] == value[-1] == "`"
    return SetValue(found["key"].strip("`"), value[1:-1] if quoted else value)


@_words(r"SET\s+(?P<key>`[^`]+`|[\w.\-]+)")
def _value(found: re.Match[str]) -> Command:
    return ShowValue(found["key"].strip("`"))


@_words(r"RESET(?:\s+(?P<key>`[^`]+`|[\w.\-]+))?")
def _reset(found: re.Match[str]) -> Command:
    return Reset(found["key"].strip("`") if found["key"] else None)


@_words(rf"USE\s+(?:DATABASE\s+|SCHEMA\s+|NAMESPACE\s+)?(?P<name>{_NAME})")
def _use(found: re.Match[str]) -> Command:
    return Use(found["name"].strip("`"))


@_words(rf"TABLE\s+(?P<name>{_NAME})")
def _table(found: re.Match[str]) -> Command:
    return Query(reading.statement(f"SELECT * FROM {found['name']}"))


_FIRST = ("CLEAR", "EXPLAIN", "DESC", "DESCRIBE", "SHOW", "SET", "RESET", "USE", "TABLE")


def command(text: str) -> Command:
    """What a statement says to do.

    Raises
    ------
    ParseException
        It cannot be read.
    NotImplementedError
        It is a statement that is not there, such as CREATE TABLE.
    """
    words = re.match(r"\s*(\w+)", text)
    if words is not None and words[1].upper() in _FIRST:
        for pattern, make in _BY_WORDS:
            found = re.match(pattern, text, re.IGNORECASE | re.DOTALL)
            if found is not None:
                return make(found)
        if words[1].upper() in ("SHOW", "SET"):
            raise NotImplementedError(f"the statement {' '.join(text.split())}")
    return _of_tree(reading.statement(text))


# ---- by sqlglot's grammar ------------------------------------------------------------------------


def _of_tree(tree: Node) -> Command:
    match kind(tree):
        case "Create":
            return _create(tree)
        case "Drop":
            return _drop(tree)
        case "Cache":
            options = {
                _plain(key): _plain(value)
                for key, value in zip(*[iter(tree.args.get("options") or ())] * 2, strict=True)
            }
            level = next((v for k, v in options.items() if k.lower() == "storagelevel"), None)
            query = tree.args.get("expression")
            return CacheTable(_parts(tree.this), query, bool(tree.args.get("lazy")), level)
        case "Uncache":
            return UncacheTable(_parts(tree.this), bool(tree.args.get("exists")))
        case "Refresh":
            return RefreshTable(_parts(tree.this))
        case "Select" | "Union" | "Intersect" | "Except" | "Subquery" | "Values" | "Table":
            return Query(tree)
        case "Insert":
            return OfTables(tablecommands.inserted(tree))
        case "Alter":
            return OfTables(tablecommands.altered(tree))
        case "TruncateTable" if len(tree.expressions) == 1:
            return OfTables(tablecommands.Truncate(_parts(tree.expressions[0])))
        case "Command" | "Delete" | "Update" | "Merge" | "Analyze":
            raise NotImplementedError(f"the statement {sql_of(tree)}: rows cannot be changed")
    if kind(tree) in ("TruncateTable", "LoadData", "Comment", "Grant", "Use", "Set", "Describe"):
        raise NotImplementedError(f"the statement {sql_of(tree)}")
    raise ParseException(f"this is no statement: {sql_of(tree)}", "PARSE_SYNTAX_ERROR")


def _plain(node: Node) -> str:
    return str(node.name)


def _parts(node: Node) -> tuple[str, ...]:
    return tuple(part.name for part in node.parts)


def _create(tree: Node) -> Command:
    properties = tree.args.get("properties")
    given = {kind(each): each for each in (properties.expressions if properties else ())}
    if tree.args.get("kind") != "VIEW":
        return OfTables(tablecommands.created(tree))
    if "TemporaryProperty" not in given:
        raise NotImplementedError(f"{sql_of(tree)}: only temporary views can be created")
    target = tree.this
    columns = tuple(each.name for each in target.expressions) if kind(target) == "Schema" else ()
    table = target.this if kind(target) == "Schema" else target
    replace = bool(tree.args.get("replace"))
    if "FileFormatProperty" in given:
        options = given.get("OptionsProperty")
        pairs = tuple(
            (each.this.name, each.args["value"].name)
            for each in (options.expressions if options is not None else ())
        )
        return ViewOfFiles(_parts(table), given["FileFormatProperty"].name, pairs, replace)
    if tree.expression is None:
        raise ParseException(f"a view needs a query: {sql_of(tree)}", "PARSE_SYNTAX_ERROR")
    return CreateView(
        _parts(table),
        tree.expression,
        replace,
        bool(tree.args.get("exists")),
        "GlobalProperty" in given,
        columns,
    )


def _drop(tree: Node) -> Command:
    what = tree.args.get("kind")
    tables = tree.args.get("tables") or [tree.this]
    if what in ("DATABASE", "SCHEMA"):
        gone = tablecommands.DropDatabase(
            _parts(tables[0])[-1], bool(tree.args.get("exists")), bool(tree.args.get("cascade"))
        )
        return OfTables(gone)
    if what == "TABLE":
        return DropTable(_parts(tables[0]), bool(tree.args.get("exists")))
    if what != "VIEW":
        raise NotImplementedError(f"the statement {sql_of(tree)}")
    return DropView(_parts(tables[0]), bool(tree.args.get("exists")))

"""PIVOT and UNPIVOT of a relation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minispark.errors import AnalysisException, ParseException
from minispark.sql.parser.expressions import Reader
from minispark.sql.parser.reading import Node, kind, sql_of
from planner.columns import types as t
from planner.columns.coercion import common, implied
from planner.columns.conditions import either as one_of
from planner.columns.conditions import is_not_null
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal, attributes
from planner.columns.typing import Scope, bind, is_aggregate
from planner.query import logical as l
from planner.query.analysis.naming import text_of
from planner.query.analysis.pivot import pivoted
from planner.query.analysis.relations import Relation, called, relation


def pivot(found: Relation, node: Node, reader: Reader, scope: Scope) -> Relation:
    """The relation with a PIVOT or UNPIVOT after it."""
    made = relation(
        _unpivoted(found, node, scope)
        if node.args.get("unpivot")
        else _pivoted(found, node, reader, scope)
    )
    alias = node.args.get("alias")
    if alias is None or not alias.this:
        return made
    return called(made, alias.this.name, [column.name for column in alias.columns])


def _pivoted(found: Relation, node: Node, reader: Reader, scope: Scope) -> l.Plan:
    """SUM(x) FOR column IN (1, 2 AS two): groups are made by all other columns."""
    fields = node.args.get("fields") or []
    if len(fields) != 1:
        raise NotImplementedError(f"PIVOT with several FOR: {sql_of(node)}")
    column = bind(reader.expr(fields[0].this), scope)
    aggregates = [bind(reader.expr(each), scope) for each in node.expressions]
    for each in aggregates:
        if not is_aggregate(each):
            raise AnalysisException(
                f"PIVOT makes its cells by aggregates, and {text_of(each)} is none",
                "NON_AGGREGATE_IN_PIVOT",
            )
    values = [_value(each, reader, scope, column.type) for each in fields[0].expressions]
    used = attributes(column, *aggregates)
    keys = [attr for attr in found.attrs if attr not in used]
    return pivoted(found.plan, keys, column, values, aggregates, scope)


def _value(node: Node, reader: Reader, scope: Scope, of: t.DataType) -> tuple[Expr, str]:
    bare = node.this if kind(node) in ("PivotAlias", "Alias") else node
    value = bind(reader.expr(bare), scope)
    if attributes(value):
        raise AnalysisException(f"{sql_of(bare)} is no constant", "NON_LITERAL_PIVOT_VALUES")
    name = _shown(value) if bare is node else node.args["alias"].name
    return implied(value, of), name


def _shown(value: Expr) -> str:
    """A value in the name of a column; several are shown as a struct is."""
    if isinstance(value, Call) and value.name == "named_struct":
        return f"{{{', '.join(map(_shown, value.args[1::2]))}}}"
    return "null" if isinstance(value, Literal) and value.value is None else text_of(value)


# ---- UNPIVOT -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """The columns that one new row is made of, and what it is called."""

    columns: Sequence[Attr]
    name: str


def _names(node: Node) -> list[str]:
    return [each.name for each in (node.expressions if kind(node) == "Tuple" else [node])]


def _unpivoted(found: Relation, node: Node, scope: Scope) -> l.Plan:
    """value FOR name IN (a, b AS bb): a row for each of the columns."""
    fields = node.args.get("fields") or []
    if len(fields) != 1 or len(node.expressions) != 1:
        raise ParseException(f"UNPIVOT is (value FOR name IN (…)): {sql_of(node)}", _SYNTAX)
    shown = _names(node.expressions[0])
    groups = [_group(each, scope) for each in fields[0].expressions]
    wide = len(shown)
    if any(len(group.columns) != wide for group in groups):
        raise AnalysisException(
            f"UNPIVOT makes {wide} columns of values, and a group has another number",
            "UNPIVOT_VALUE_SIZE_MISMATCH",
        )
    used = {attr for group in groups for attr in group.columns}
    rest = [attr for attr in found.attrs if attr not in used]
    kinds = []
    for place in range(wide):
        kind_ = common(group.columns[place].kind for group in groups)
        if kind_ is None:
            raise AnalysisException(
                "the columns of UNPIVOT have types that do not fit",
                "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
            )
        kinds.append(kind_)
    named = Attr(fields[0].this.name, t.STRING, False)
    values = tuple(Attr(name, kind_) for name, kind_ in zip(shown, kinds, strict=True))
    rows = tuple(
        (
            *rest,
            Literal(group.name, t.STRING),
            *(implied(attr, kind_) for attr, kind_ in zip(group.columns, kinds, strict=True)),
        )
        for group in groups
    )
    copies = tuple(Alias(attr, attr.name).attr for attr in rest)
    made: l.Plan = l.Expand(found.plan, rows, (*copies, named, *values))
    if node.args.get("include_nulls"):
        return made
    there: Expr = is_not_null(values[0])
    for value in values[1:]:
        there = one_of(there, is_not_null(value))
    return l.Filter(made, there)


_SYNTAX = "PARSE_SYNTAX_ERROR"


def _group(node: Node, scope: Scope) -> _Group:
    bare = node.this if kind(node) in ("PivotAlias", "Alias") else node
    nodes = bare.expressions if kind(bare) == "Tuple" else [bare]
    columns: list[Attr] = []
    for each in nodes:
        found = bind(Reader().expr(each), scope, check=False)
        if not isinstance(found, Attr):
            raise AnalysisException(f"{sql_of(each)} is no column", "UNPIVOT_REQUIRES_ATTRIBUTES")
        columns.append(found)
    name = "_".join(attr.name for attr in columns)
    return _Group(columns, name if bare is node else node.args["alias"].name)

"""FROM: tables, subqueries, joins, generators, as a relation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyarrow as pa

from minispark.errors import AnalysisException
from minispark.sql.parser.expressions import Arguments, Reader
from minispark.sql.parser.pivots import pivot
from minispark.sql.parser.reading import Node, kind, sql_of
from planner.columns import types as t
from planner.columns.coercion import common, implied
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.columns.functions.registry import Settings
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.analysis import generators
from planner.query.analysis.naming import text_of
from planner.query.analysis.relations import On, Relation, called, joined, lateral, relation
from planner.query.analysis.setops import union


class Rows(Protocol):
    """A user's function that makes rows."""

    def over(
        self,
        plan: l.Plan,
        kept: Sequence[Attr],
        args: Sequence[Expr],
        words: tuple[str, ...],
        scope: Scope,
        outer: bool = False,
    ) -> tuple[l.Plan, tuple[Attr, ...]]:
        """The function called for each row of a plan, and the columns that it makes."""


class Names(Protocol):
    """What a statement may ask of its session."""

    @property
    def settings(self) -> Settings:
        """The settings that decide answers."""

    def relation(self, parts: tuple[str, ...]) -> l.Plan:
        """The plan of a view or table. Raises AnalysisException where there is none."""

    def call(self, name: str, args: tuple[Expr, ...]) -> Expr | None:
        """A call of a function that the session itself has, None for any other name."""

    def table_function(self, name: str) -> Rows | None:
        """A table function that the session itself has, None for any other name."""


@dataclass(frozen=True)
class Around:
    """Where a query stands: its session, its arguments, the names of WITH, the query around it.

    `query` plans a query, with the module that does it not imported here.
    """

    names: Names
    settings: Settings
    query: Callable[[Node, Around], l.Plan]
    args: Arguments = Arguments()
    ctes: Mapping[str, l.Plan] = field(default_factory=dict)
    outer: Scope | None = None
    hints: Mapping[str, str] = field(default_factory=dict)

    def reader(self, scope: Scope, windows: Mapping[str, Node] | None = None) -> Reader:
        """Makes expressions whose subqueries see the columns of `scope`."""
        inner = replace(self, outer=scope, hints={})
        return Reader(
            lambda node: self.query(node, inner), self.args, windows or {}, self.names.call
        )


def one_row() -> Relation:
    """What a SELECT without FROM reads."""
    return Relation(l.Range(Attr("row", t.LONG, False), 0, 1, 1, 1), ())


def from_clause(select: Node, around: Around) -> Relation:
    """The relation of a SELECT's FROM with its joins and lateral views."""
    source = select.args.get("from_")
    if source is None:
        return one_row()
    found = _joined_source(source.this, around)
    for node in select.args.get("joins") or ():
        found = _join(found, node, around)
    for node in select.args.get("laterals") or ():
        found = _lateral_view(found, node, around)
    return found


def _joined_source(node: Node, around: Around) -> Relation:
    """A source with what hangs on it: joins inside brackets, lateral views, pivots."""
    found = source_of(node, around)
    for each in node.args.get("joins") or ():
        found = _join(found, each, around)
    for each in node.args.get("laterals") or ():
        found = _lateral_view(found, each, around)
    return found


def source_of(node: Node, around: Around) -> Relation:
    """One table, subquery, list of values or function."""
    match kind(node):
        case "Table":
            found = _table(node, around)
        case "Subquery":
            found = _subquery(node, around)
        case "Paren":
            return _joined_source(node.this, around)
        case "Values":
            found = _named(relation(values(node, around)), node)
        case "Lateral":
            found = _function(node.this, around, node)
        case other:
            raise NotImplementedError(f"{other} in FROM: {sql_of(node)}")
    for each in node.args.get("pivots") or ():
        scope = found.scope(around.settings, around.outer)
        found = pivot(found, each, around.reader(scope), scope)
    sample = node.args.get("sample")
    return found if sample is None else _sampled(found, sample)


def _named(found: Relation, node: Node) -> Relation:
    """A source under its alias, if it has one."""
    alias = node.args.get("alias")
    if alias is None or not (alias.this or alias.columns):
        return found
    name = alias.this.name if alias.this else "subquery"
    return called(found, name, [column.name for column in alias.columns])


def _table(node: Node, around: Around) -> Relation:
    if kind(node.this) == "Anonymous":
        return _function(node.this, around, node)
    parts = tuple(part.name for part in node.parts)
    plan = around.ctes.get(parts[0].lower()) if len(parts) == 1 else None
    if plan is None:
        plan = around.names.relation(parts)
    own: l.Plan = l.Known(l.renewed(plan), parts)
    found = relation(own)
    alias = node.args.get("alias")
    if alias is not None:
        found = _named(relation(own), node)
    name = (alias.this.name if alias is not None and alias.this else parts[-1]).lower()
    if name in around.hints:
        found = replace(found, plan=l.Hint(found.plan, around.hints[name]))
    return found


def _subquery(node: Node, around: Around) -> Relation:
    inner = node.this
    if kind(inner) == "Table" or (kind(inner) == "Subquery" and inner.args.get("joins")):
        found = _joined_source(inner, around)
    else:
        found = relation(around.query(inner, replace(around, hints={})))
    found = _named(found, node)
    alias = node.args.get("alias")
    if alias is not None and alias.this and alias.this.name.lower() in around.hints:
        hint = around.hints[alias.this.name.lower()]
        found = replace(found, plan=l.Hint(found.plan, hint))
    return found


_KINDS = {
    ("", ""): "inner",
    ("", "INNER"): "inner",
    ("", "CROSS"): "cross",
    ("LEFT", ""): "left",
    ("LEFT", "OUTER"): "left",
    ("RIGHT", ""): "right",
    ("RIGHT", "OUTER"): "right",
    ("FULL", ""): "full",
    ("FULL", "OUTER"): "full",
    ("LEFT", "SEMI"): "semi",
    ("", "SEMI"): "semi",
    ("LEFT", "ANTI"): "anti",
    ("", "ANTI"): "anti",
}


def _join(left: Relation, node: Node, around: Around) -> Relation:
    how = _KINDS.get((node.side.upper(), node.kind.upper()))
    if how is None:
        raise NotImplementedError(f"the join {node.side} {node.kind}: {sql_of(node)}")
    scope = left.scope(around.settings, around.outer)
    if kind(node.this) == "Lateral":
        return _lateral(left, node, how, around)
    right = _joined_source(node.this, around)
    both = replace(scope, attrs=(*left.attrs, *right.attrs), hidden=(*left.hidden, *right.hidden))
    on = On(
        None if node.args.get("on") is None else around.reader(both).expr(node.args["on"]),
        tuple(each.name for each in node.args.get("using") or ()),
        (node.method or "").upper() == "NATURAL",
    )
    return joined(left, right, how, on, around.settings, around.outer)


def _lateral(left: Relation, node: Node, how: str, around: Around) -> Relation:
    """A subquery or function that may use the columns before it."""
    scope = left.scope(around.settings, around.outer)
    inner = replace(around, outer=scope, hints={})
    function = _of_user(node.this.this, around)
    if function is not None:
        return _for_each(left, function, node, how, around)
    if kind(node.this.this) == "Subquery":
        right = _named(relation(around.query(node.this.this.this, inner)), node.this)
    else:
        right = _function(node.this.this, inner, node.this)
    condition = node.args.get("on")
    always = kind(condition) == "Boolean" and condition.this is True
    both = replace(scope, attrs=(*left.attrs, *right.attrs))
    on = None if condition is None or always else around.reader(both).expr(condition)
    return lateral(left, right, how, On(on), around.settings)


def _of_user(call: Node, around: Around) -> Rows | None:
    return around.names.table_function(call.name) if kind(call) == "Anonymous" else None


def _for_each(left: Relation, function: Rows, node: Node, how: str, around: Around) -> Relation:
    """LATERAL f(…) of a user's function."""
    condition = node.args.get("on")
    always = condition is None or (kind(condition) == "Boolean" and condition.this is True)
    if how not in ("inner", "cross", "left") or (how == "left" and not always):
        raise NotImplementedError(f"this join with a table function: {sql_of(node)}")
    scope = left.scope(around.settings, around.outer)
    args, words = _arguments(node.this.this, around.reader(scope))
    plan, made = function.over(left.plan, left.plan.output, args, words, scope, how == "left")
    named = _named(relation(l.Project(plan, made)), node.this)
    columns = zip(made, named.attrs, strict=True)
    own = [Alias(old, new.name) for old, new in columns]
    plan = l.Project(plan, (*left.plan.output, *own))
    qualifiers = named.attrs[0].qualifiers if named.attrs else ()
    attrs = tuple(replace(each.attr, qualifiers=qualifiers) for each in own)
    found = Relation(plan, (*left.attrs, *attrs), left.hidden)
    if always:
        return found
    inside = found.scope(around.settings, around.outer)
    bound = bind(around.reader(inside).expr(condition), inside)
    return replace(found, plan=l.Filter(plan, bound))


def _arguments(call: Node, reader: Reader) -> tuple[list[Expr], tuple[str, ...]]:
    """Arguments, and the names of the last of them: f(1, n => 2)."""
    args: list[Expr] = []
    words: list[str] = []
    for each in call.expressions:
        if kind(each) in ("Kwarg", "PropertyEQ"):
            words.append(each.this.name)
            args.append(reader.expr(each.expression))
        elif kind(each) == "Anonymous" and each.name.lower() == "table":
            raise NotImplementedError(f"a table as an argument: {sql_of(call)}")
        else:
            args.append(reader.expr(each))
    return args, tuple(words)


# ---- generators and functions --------------------------------------------------------------------


def _lateral_view(left: Relation, node: Node, around: Around) -> Relation:
    """LATERAL VIEW [OUTER] explode(…) table AS column, …"""
    scope = left.scope(around.settings, around.outer)
    call = around.reader(scope).expr(node.this)
    alias = node.args.get("alias")
    table = alias.this.name if alias is not None and alias.this else ""
    names = [column.name for column in alias.columns] if alias is not None else []
    plan, attrs = _generated(left.plan, call, names, table, bool(node.args.get("outer")), scope)
    return Relation(plan, (*left.attrs, *attrs), left.hidden)


def _generated(
    plan: l.Plan, call: Expr, names: Sequence[str], table: str, outer: bool, scope: Scope
) -> tuple[l.Plan, tuple[Attr, ...]]:
    bound = bind(call, scope)
    if not isinstance(bound, Call) or not generators.is_generator(bound):
        raise AnalysisException(f"{text_of(bound)} makes no rows", "UNSUPPORTED_GENERATOR")
    made = generators.lateral(plan, bound, names, outer, table)
    return made, made.attrs


def _function(call: Node, around: Around, node: Node) -> Relation:
    """A function that gives a table: range, explode, …"""
    if kind(call) == "Anonymous" and str(call.this).lower() == "range":
        return _named(relation(_range(call, around)), node)
    base = one_row()
    scope = base.scope(around.settings, around.outer)
    function = _of_user(call, around)
    if function is not None:
        args, words = _arguments(call, around.reader(scope))
        plan, made = function.over(base.plan, (), args, words, scope)
        return _named(Relation(plan, made), node)
    alias = node.args.get("alias")
    names = [column.name for column in alias.columns] if alias is not None else []
    table = alias.this.name if alias is not None and alias.this else ""
    made = around.reader(scope).expr(call)
    plan, attrs = _generated(base.plan, made, names, table, False, scope)
    return Relation(l.Project(plan, attrs), attrs)


def _range(call: Node, around: Around) -> l.Plan:
    nothing = Scope((), around.settings)
    found = [bind(e, nothing) for e in around.reader(nothing).exprs(call.expressions)]
    numbers = [each.value for each in found if isinstance(each, Literal)]
    if len(numbers) != len(call.expressions) or not 1 <= len(numbers) <= 4:
        raise AnalysisException(
            f"range takes one to four whole numbers: {sql_of(call)}",
            "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
        )
    start, stop = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) > 2 else 1
    return l.Range(Attr("id", t.LONG, False), start, stop, step, 1)


def _sampled(found: Relation, node: Node) -> Relation:
    """TABLESAMPLE (n PERCENT), (n ROWS)."""
    seed = int(node.args["seed"].name) if node.args.get("seed") else 0
    if node.args.get("percent") is not None:
        share = float(node.args["percent"].name) / 100
        return replace(found, plan=l.Sample(found.plan, 0.0, share, seed))
    if node.args.get("size") is not None:
        return replace(found, plan=l.Limit(found.plan, int(node.args["size"].name)))
    raise NotImplementedError(f"TABLESAMPLE by buckets: {sql_of(node)}")


# ---- VALUES --------------------------------------------------------------------------------------


def values(node: Node, around: Around) -> l.Plan:
    """The rows of VALUES, with columns col1, col2, …"""
    base = one_row()
    scope = base.scope(around.settings, around.outer)
    reader = around.reader(scope)
    rows: list[list[Expr]] = []
    for row in node.expressions:
        cells = row.expressions if kind(row) == "Tuple" else [row]
        rows.append([bind(expr, scope) for expr in reader.exprs(cells)])
    if len({len(row) for row in rows}) != 1:
        raise AnalysisException(
            "the rows of VALUES differ in length", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH"
        )
    kinds = []
    for column in zip(*rows, strict=True):
        types = {cell.type for cell in column if cell.type != t.NULL}
        found = common(cell.type for cell in column)
        if found is None or (t.STRING in types and len(types) > 1):
            raise AnalysisException(
                "a column of VALUES has types that do not fit: "
                + ", ".join(cell.type.simpleString() for cell in column),
                "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
            )
        kinds.append(found)
    fitted = [[implied(c, k) for c, k in zip(row, kinds, strict=True)] for row in rows]
    plain = [[_constant(cell) for cell in row] for row in fitted]
    names = [f"col{place + 1}" for place in range(len(kinds))]
    if all(cell is not None for row in plain for cell in row):
        return _table_of([[cell[0] for cell in row if cell] for row in plain], names, kinds)
    sides = [
        l.Project(one_row().plan, tuple(Alias(c, name) for c, name in zip(row, names, strict=True)))
        for row in fitted
    ]
    return union(sides) if len(sides) > 1 else sides[0]


_EXACT = (t.IntegralType, t.StringType, t.BooleanType, t.DateType, t.NullType)


def _constant(expr: Expr) -> tuple[Any] | None:
    """The value of a constant that needs no computing, in a tuple."""
    if isinstance(expr, Cast) and expr.mode == "implied":
        inner = _constant(expr.child)
        numbers = isinstance(expr.child.type, t.IntegralType) and isinstance(
            expr.kind, t.IntegralType
        )
        return inner if inner is not None and (numbers or inner[0] is None) else None
    if not isinstance(expr, Literal):
        return None
    return (expr.value,) if isinstance(expr.kind, _EXACT) or expr.value is None else None


def _table_of(rows: list[list[Any]], names: Sequence[str], kinds: Sequence[t.DataType]) -> l.Plan:
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, to_arrow(k)) for c, k in zip(columns, kinds, strict=True)]
    attrs = tuple(
        Attr(name, k, any(cell is None for cell in c))
        for name, k, c in zip(names, kinds, columns, strict=True)
    )
    return l.Table(attrs, pa.Table.from_arrays(arrays, names=list(names)))

"""Queries: SELECT and what is made of several, as typed plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from minispark.errors import AnalysisException, ParseException
from minispark.sql.parser import windows, within
from minispark.sql.parser.expressions import Reader
from minispark.sql.parser.reading import Node, kind, sql_of, table_names
from minispark.sql.parser.sources import Around, from_clause, values
from planner.columns import types as t
from planner.columns.conditions import conjunction
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    Lambda,
    Literal,
    Name,
    Order,
    Over,
    Star,
    walk,
)
from planner.columns.functions.registry import Mismatch
from planner.columns.typing import Scope, bind, is_aggregate, kind_of
from planner.query import logical as l
from planner.query.analysis import grouping, requests
from planner.query.analysis.naming import text_of
from planner.query.analysis.relations import Relation, connected
from planner.query.analysis.requests import Request, named
from planner.query.analysis.setops import by_name, combined, union
from planner.query.analysis.subqueries import filtered
from planner.query.analysis.timewindows import NAMES as TIME_WINDOWS
from planner.query.recursive import before_of, recursive

assert windows and within  # they read OVER and WITHIN GROUP

Kind = TypeVar("Kind")


def query(node: Node, around: Around) -> l.Plan:
    """The plan of a query's tree."""
    around = _with(node, around)
    match kind(node):
        case "Select":
            return _select(node, around)
        case "Union" | "Intersect" | "Except":
            return _modified(_set_operation(node, around), node, around)
        case "Subquery":
            return _modified(query(node.this, around), node, around)
        case "Values":
            return values(node, around)
        case "Table":
            return from_clause_of_table(node, around)
    raise NotImplementedError(f"{kind(node)} as a query: {sql_of(node)}")


def from_clause_of_table(node: Node, around: Around) -> l.Plan:
    """TABLE name, as a query."""
    parts = tuple(part.name for part in node.parts)
    return around.ctes.get(parts[-1].lower()) or around.names.relation(parts)


def _with(node: Node, around: Around) -> Around:
    """The queries of WITH; each sees those before it."""
    clause = node.args.get("with_")
    if clause is None:
        return around
    for each in clause.expressions:
        again = clause.args.get("recursive") and each.alias.lower() in map(
            str.lower, table_names(each.this)
        )
        plan = _recursive(each, around) if again else _named_query(each, each.this, around)
        around = replace(around, ctes={**around.ctes, each.alias.lower(): plan})
    return around


def _named_query(each: Node, tree: Node, around: Around) -> l.Plan:
    """A query under the names of columns that WITH gives it."""
    plan = query(tree, around)
    columns = [column.name for column in each.args["alias"].columns]
    if not columns:
        return plan
    if len(columns) != len(plan.output):
        raise AnalysisException(
            f"{each.alias} names {len(columns)} columns, and its query has {len(plan.output)}",
            "ASSIGNMENT_ARITY_MISMATCH",
        )
    pairs = zip(plan.output, columns, strict=True)
    return l.Project(plan, tuple(Alias(attr, name) for attr, name in pairs))


def _recursive(each: Node, around: Around) -> l.Plan:
    """first UNION ALL step, where the step reads the rows of the step before by its own name."""
    tree = each.this
    more = any(tree.args.get(part) for part in ("order", "limit", "offset", "by_name"))
    if (
        kind(tree) != "Union"
        or more
        or each.alias.lower() in map(str.lower, table_names(tree.this))
    ):
        raise AnalysisException(
            f"{each.alias} uses itself, so it must be first rows UNION ALL a step that uses it",
            "INVALID_RECURSIVE_CTE",
        )
    if tree.args.get("distinct") is not False:
        raise AnalysisException(
            "a query that uses itself needs UNION ALL, not UNION",
            "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE",
        )
    around = _with(tree, around)
    first = _named_query(each, tree.this, around)
    before = before_of(first)
    inner = replace(around, ctes={**around.ctes, each.alias.lower(): before})
    return recursive(first, query(tree.expression, inner), before, each.meta.get("levels"))


# ---- set operations ------------------------------------------------------------------------------


def _set_operation(node: Node, around: Around) -> l.Plan:
    left, right = query(node.this, around), query(node.expression, around)
    every = node.args.get("distinct") is False
    if node.args.get("by_name"):
        left, right = by_name(left, right, around.settings)
    if kind(node) != "Union":
        return combined(left, right, kind(node).lower(), every)
    right = l.renewed(right) if set(left.output) & set(right.output) else right
    made = union([left, right])
    return made if every else l.Distinct(made)


def _modified(plan: l.Plan, node: Node, around: Around) -> l.Plan:
    """ORDER BY, LIMIT and OFFSET of a query in brackets, or of several together."""
    scope = requests.scope_of(plan, around.settings, around.outer)
    order = node.args.get("order")
    if order is not None:
        reader = around.reader(scope)
        keys = [_ordinal(reader.order(each), plan.output) for each in order.expressions]
        plan = requests.order(plan, keys, scope)
    return _limited(plan, node, around)


def _ordinal(key: Order, columns: Sequence[Attr | Alias]) -> Order:
    """ORDER BY 2 is by the second column."""
    if not isinstance(key.child, Literal) or not isinstance(key.child.kind, t.IntegralType):
        return key
    return replace(key, child=_at(key.child, columns, "ORDER_BY"))


def _at(literal: Literal, columns: Sequence[Kind], clause: str) -> Kind:
    if not 1 <= literal.value <= len(columns):
        raise AnalysisException(
            f"{clause.replace('_', ' ')} position {literal.value} is not in the list of SELECT "
            f"(1 to {len(columns)})",
            f"{clause}_POS_OUT_OF_RANGE",
        )
    return columns[literal.value - 1]


def _limited(plan: l.Plan, node: Node, around: Around) -> l.Plan:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is None and offset is None:
        return plan
    count = None
    if limit is not None and kind(limit.expression) != "All":
        bound = limit.expression if kind(limit) == "Limit" else limit.args.get("count")
        if sql_of(bound).upper() != "ALL":
            count = _count(bound, around, "LIMIT")
    skipped = 0 if offset is None else _count(offset.expression, around, "OFFSET")
    return l.Limit(plan, count, skipped)


def _count(node: Node, around: Around, word: str) -> int:
    scope = Scope((), around.settings)
    value = bind(around.reader(scope).expr(node), scope)
    value = _folded(value)
    if not isinstance(value, Literal) or not isinstance(value.value, int):
        raise AnalysisException(
            f"{word} must be a whole number: {sql_of(node)}", "INVALID_LIMIT_LIKE_EXPRESSION"
        )
    if value.value < 0:
        raise AnalysisException(
            f"{word} cannot be negative, and is {value.value}",
            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
        )
    return value.value


def _folded(value: Expr) -> Expr:
    """A sum of constants such as LIMIT 2 + 3 as one; others as they are."""
    if isinstance(value, Call) and value.name in ("+", "-", "*"):
        a, b = map(_folded, value.args)
        if isinstance(a, Literal) and isinstance(b, Literal):
            x, y = a.value, b.value
            found = x + y if value.name == "+" else x - y if value.name == "-" else x * y
            return Literal(found, value.type)
    return value


# ---- SELECT --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clauses:
    """A SELECT's clauses while they are typed: its items can be named in others."""

    relation: Relation
    scope: Scope
    reader: Reader
    items: Sequence[Expr]  # typed

    def named_item(self, expr: Expr) -> Expr | None:
        """The value of the item that a name is the alias of."""
        if not isinstance(expr, Name) or len(expr.parts) != 1:
            return None
        wanted = self.scope._fold(expr.parts[0])
        for item in self.items:
            shown = named(item)
            if self.scope._fold(shown.name) == wanted:
                return shown.child if isinstance(shown, Alias) else shown
        return None


def _select(node: Node, around: Around) -> l.Plan:
    if not node.expressions:
        raise ParseException(f"SELECT needs columns: {sql_of(node)}", "PARSE_SYNTAX_ERROR")
    around = _hinted(node, around)
    relation = from_clause(node, around)
    named_windows = {each.this.name.lower(): each for each in node.args.get("windows") or ()}
    scope = relation.scope(around.settings, around.outer)
    reader = around.reader(scope, named_windows)
    scope = _with_time(node.args.get("group"), reader, scope)
    plan = relation.plan
    where = node.args.get("where")
    if where is not None:
        plan = _where(plan, reader.expr(where.this), scope)
    items = _items(node.expressions, reader, scope)
    clauses = _Clauses(relation, scope, reader, items)
    asked = Request(
        items,
        _groups(node.args.get("group"), clauses),
        _having(node.args.get("having"), clauses),
        _qualify(node.args.get("qualify"), clauses),
        _orders(node.args.get("order"), clauses),
        bool(node.args.get("distinct")),
    )
    sets = grouping_sets(node.args.get("group"), clauses)
    if sets is not None:
        plan, asked = _in_sets(plan, asked, sets, scope)
    made = requests.query(plan, asked, scope)
    made = _spread_out(made, node, around)
    return _limited(made, node, around)


def _with_time(group: Node | None, reader: Reader, scope: Scope) -> Scope:
    """The window of time that GROUP BY has can be named in all clauses."""
    nodes = [] if group is None else _elements(group)
    nodes += [part for each in nodes if kind(each) in _SETS for part in each.expressions]
    found = {
        each.name.lower(): bind(reader.expr(each), scope)
        for each in nodes
        if kind(each) == "Anonymous" and each.name.lower() in TIME_WINDOWS
    }
    return replace(scope, variables={**scope.variables, **found}) if found else scope


def _where(plan: l.Plan, condition: Expr, scope: Scope) -> l.Plan:
    bound = requests.condition(condition, scope)
    if requests.needs_columns([bound]):
        return requests.kept(plan, bound, scope)
    plan, rest = connected(plan, bound)
    return filtered(plan, conjunction(rest), scope.settings) if rest else plan


_HINTS = {
    "broadcast": "broadcast",
    "broadcastjoin": "broadcast",
    "mapjoin": "broadcast",
    "merge": "merge",
    "mergejoin": "merge",
    "shufflemerge": "merge",
    "shuffle_hash": "shuffle_hash",
    "shuffle_replicate_nl": "shuffle_replicate_nl",
}


def _hinted(node: Node, around: Around) -> Around:
    """/*+ BROADCAST(t) */ for tables of this SELECT. Hints of other kinds change no answer."""
    hint = node.args.get("hint")
    if hint is None:
        return replace(around, hints={})
    found: dict[str, str] = {}
    for each in hint.expressions:
        name = str(each.this if isinstance(each.this, str) else each.name).lower()
        if name in _HINTS:
            found |= {table.name.lower(): _HINTS[name] for table in each.expressions}
    return replace(around, hints=found)


def _items(nodes: Sequence[Node], reader: Reader, scope: Scope) -> list[Expr]:
    """The typed list of SELECT. A name that is no column can be the alias of an item before."""
    found: list[Expr] = []
    before: dict[str, Expr] = {}

    def known(expr: Expr, own: frozenset[str] = frozenset()) -> Expr:
        if isinstance(expr, Name):
            name = scope._fold(expr.parts[0])
            if name in own or len(expr.parts) > 1 or scope.find(expr.parts) is not None:
                return expr
            return before.get(name, expr)
        if isinstance(expr, Lambda):  # its variables are its own
            own |= {scope._fold(param.name) for param in expr.params}
        children = tuple([known(child, own) for child in expr.children])
        same = all(new is old for new, old in zip(children, expr.children, strict=True))
        return expr if same else expr.with_children(children)

    for node in nodes:
        star = _star_but(node, scope)
        if star is not None:
            found += star
            continue
        expr = reader.expr(node)
        if before and any(isinstance(each, Name) for each in walk(expr)):
            expr = known(expr)
        if kind(node) == "Anonymous" and isinstance(expr, Cast):  # int('5') is named as '5' is
            inner = bind(expr.child, scope)
            expr = Alias(Cast(inner, expr.kind, expr.mode), named(inner).name)
        for each in requests.spread([expr], scope):
            found.append(requests.item(each, scope))
        if isinstance(found[-1], Alias):
            before[scope._fold(found[-1].name)] = found[-1].child
    return found


def _star_but(node: Node, scope: Scope) -> list[Expr] | None:
    """* EXCEPT (a, b), t.* EXCEPT (a)"""
    star = node if kind(node) == "Star" else node.this if kind(node) == "Column" else None
    if star is None or kind(star) != "Star" or not star.args.get("except_"):
        return None
    qualifier = () if star is node else tuple(part.name for part in node.parts[:-1])
    gone = {scope._fold(each.name) for each in star.args["except_"]}
    columns = requests.star(Star(qualifier), scope)
    names = {scope._fold(named(column).name) for column in columns}
    missing = gone - names
    if missing:
        raise AnalysisException(
            f"EXCEPT names {', '.join(sorted(missing))}, which * does not have",
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        )
    return [column for column in columns if scope._fold(named(column).name) not in gone]


def _groups(node: Node | None, clauses: _Clauses) -> list[Expr] | None:
    """The typed keys of GROUP BY; None without it."""
    if node is None:
        return None
    if node.args.get("all"):
        return [_value(item) for item in clauses.items if not is_aggregate(item)]
    if node.args.get("totals"):
        raise NotImplementedError(f"GROUP BY WITH TOTALS: {sql_of(node)}")
    if _has_sets(node):
        return []
    if not node.expressions:
        raise ParseException("GROUP BY needs columns", "PARSE_SYNTAX_ERROR")
    return [_group(each, clauses) for each in node.expressions]


_SETS = ("Rollup", "Cube", "GroupingSets")


def _has_sets(node: Node) -> bool:
    """Whether a GROUP BY says ROLLUP, CUBE or GROUPING SETS."""
    return any(kind(each) in _SETS for each in _elements(node))


def _elements(node: Node) -> list[Node]:
    """The parts of a GROUP BY; WITH ROLLUP and WITH CUBE come last."""
    after = ("rollup", "cube", "grouping_sets")
    return [*node.expressions, *(each for word in after for each in node.args.get(word) or ())]


@dataclass(frozen=True)
class _Sets:
    """GROUPING SETS: typed keys, and the places of those in each set."""

    keys: Sequence[Expr]
    sets: Sequence[Sequence[int]]


def grouping_sets(node: Node | None, clauses: _Clauses) -> _Sets | None:
    """The sets that ROLLUP, CUBE and GROUPING SETS say, together with plain keys; None without."""
    if node is None or not _has_sets(node):
        return None
    keys: list[Expr] = []

    def place(each: Node) -> int:
        key = _group(each, clauses)
        if key not in keys:
            keys.append(key)
        return keys.index(key)

    found: list[list[int]] = [[]]
    for each in _elements(node):
        if kind(each) not in _SETS:
            more = [[place(each)]]
        elif each.expressions:
            more = _listed_sets(each, place)
        else:  # GROUP BY a, b WITH ROLLUP: of all that stands before it
            more, found = _sets_of(kind(each), [[at] for at in found[0]]), [[]]
        found = [[*a, *(at for at in b if at not in a)] for a in found for b in more]
    return _Sets(keys, found)


def _listed_sets(node: Node, place: Callable[[Node], int]) -> list[list[int]]:
    """The sets of one ROLLUP (…), CUBE (…) or GROUPING SETS (…)."""
    if kind(node) != "GroupingSets":
        units = [[place(each) for each in _columns_of(unit)] for unit in node.expressions]
        return _sets_of(kind(node), units)
    found: list[list[int]] = []
    for each in node.expressions:
        if kind(each) in _SETS:
            found += _listed_sets(each, place)
        else:
            found.append([place(column) for column in _columns_of(each)])
    return found


def _columns_of(node: Node) -> list[Node]:
    if kind(node) == "Tuple":
        return list(node.expressions)
    return [node.this] if kind(node) == "Paren" else [node]


def _sets_of(word: str, units: Sequence[Sequence[int]]) -> list[list[int]]:
    made = grouping.rollup(len(units)) if word == "Rollup" else grouping.cube(len(units))
    return [[at for unit in chosen for at in units[unit]] for chosen in made]


def _in_sets(plan: l.Plan, asked: Request, sets: _Sets, scope: Scope) -> tuple[l.Plan, Request]:
    """The request over rows that are there once for each set."""
    items = [named(item) for item in asked.items]
    filters = [each for each in (asked.having, asked.qualify) if each is not None]
    exprs = [*items, *filters, *(key.child for key in asked.order)]
    rows, groups, found = grouping.expanded(plan, sets.keys, sets.sets, exprs, scope)
    rest = iter(found[len(items) :])
    return rows, replace(
        asked,
        items=[_kept(old, new) for old, new in zip(items, found, strict=False)],
        groups=groups,
        having=None if asked.having is None else next(rest),
        qualify=None if asked.qualify is None else next(rest),
        order=[
            replace(key, child=_value(child)) for key, child in zip(asked.order, rest, strict=True)
        ],
    )


def _kept(old: Attr | Alias, new: Expr) -> Expr:
    return new if isinstance(new, Alias | Attr) else Alias(new, old.name)


def _value(item: Expr) -> Expr:
    return item.child if isinstance(item, Alias) else item


def _group(node: Node, clauses: _Clauses) -> Expr:
    expr = clauses.reader.expr(node)
    if isinstance(expr, Literal) and isinstance(expr.kind, t.IntegralType):
        found = _value(_at(expr, clauses.items, "GROUP_BY"))
    elif isinstance(expr, Name) and clauses.scope.find(expr.parts) is None:
        found = clauses.named_item(expr) or bind(expr, clauses.scope)
    else:
        found = bind(expr, clauses.scope)
    if is_aggregate(found):
        raise AnalysisException(
            f"{text_of(found)}: groups cannot be made by an aggregate",
            "GROUP_BY_AGGREGATE",
        )
    return found


def _having(node: Node | None, clauses: _Clauses) -> Expr | None:
    return None if node is None else _of_result(clauses.reader.expr(node.this), clauses)


def _qualify(node: Node | None, clauses: _Clauses) -> Expr | None:
    return None if node is None else _of_result(clauses.reader.expr(node.this), clauses)


def _of_result(expr: Expr, clauses: _Clauses) -> Expr:
    """A condition or key on the result: names mean items first, and inside of aggregates columns
    of FROM."""
    return bind(_with_items(expr, clauses), clauses.scope)


def _with_items(expr: Expr, clauses: _Clauses) -> Expr:
    found = clauses.named_item(expr)
    if found is not None:
        return found
    if isinstance(expr, Call) and kind_of_name(expr) in ("aggregate", "window"):
        return expr
    if isinstance(expr, Over):
        return expr
    children = tuple(_with_items(child, clauses) for child in expr.children)
    return expr.with_children(children) if children else expr


def kind_of_name(call: Call) -> str:
    """What a call is; 'scalar' for functions that are not there, which typing refuses."""
    try:
        return kind_of(call)
    except Mismatch:
        return "scalar"


def _orders(node: Node | None, clauses: _Clauses) -> list[Order]:
    if node is None:
        return []
    found: list[Order] = []
    for each in node.expressions:
        key = clauses.reader.order(each)
        if _is_all(key.child, clauses.scope):
            found += [replace(key, child=_value(item)) for item in clauses.items]
        elif isinstance(key.child, Literal) and isinstance(key.child.kind, t.IntegralType):
            found.append(replace(key, child=_value(_at(key.child, clauses.items, "ORDER_BY"))))
        else:
            found.append(replace(key, child=_of_result(key.child, clauses)))
    return found


def _is_all(expr: Expr, scope: Scope) -> bool:
    """Whether this is ORDER BY ALL, and no column of that name."""
    named_all = isinstance(expr, Name) and tuple(map(str.upper, expr.parts)) == ("ALL",)
    return named_all and scope.find(("all",)) is None


def _spread_out(plan: l.Plan, node: Node, around: Around) -> l.Plan:
    """DISTRIBUTE BY, SORT BY and CLUSTER BY: partitions of the result and their order."""
    scope = requests.scope_of(plan, around.settings, around.outer)
    reader = around.reader(scope)
    cluster = node.args.get("cluster")
    keys = cluster or node.args.get("distribute")
    if keys is not None:
        exprs = [bind(reader.order(each).child, scope) for each in keys.expressions]
        plan = l.Repartition(plan, None, tuple(exprs))
    sort = cluster or node.args.get("sort")
    if sort is not None:
        orders = [reader.order(each) for each in sort.expressions]
        plan = requests.order(plan, orders, scope, everywhere=False)
    return plan

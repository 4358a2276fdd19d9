"""Trees of sqlglot as expressions, still without types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from minispark.errors import AnalysisException
from minispark.sql.parser import kinds
from minispark.sql.parser.reading import Node, kind, sql_of
from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Aliases,
    Call,
    Cast,
    ExistsQuery,
    Expr,
    InQuery,
    Lambda,
    Literal,
    Name,
    Order,
    ScalarQuery,
    Star,
    Variable,
)
from planner.query import logical as l

_BINARY = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "Mod": "%",
    "IntDiv": "div",
    "EQ": "=",
    "NEQ": "!=",
    "LT": "<",
    "LTE": "<=",
    "GT": ">",
    "GTE": ">=",
    "NullSafeEQ": "<=>",
    "And": "and",
    "Or": "or",
    "Xor": "xor",
    "DPipe": "||",
    "BitwiseAnd": "&",
    "BitwiseOr": "|",
    "BitwiseXor": "^",
    "BitwiseLeftShift": "<<",
    "BitwiseRightShift": ">>",
    "Like": "like",
    "ILike": "ilike",
    "RegexpLike": "rlike",
}
_UNARY = {"BitwiseNot": "~"}
_NO_PAREN = {
    "CurrentDate": "current_date",
    "CurrentTimestamp": "current_timestamp",
    "CurrentUser": "current_user",
    "SessionUser": "session_user",
    "Localtimestamp": "localtimestamp",
}
_CASTS = {  # functions that are named as types
    "bigint": t.LONG,
    "binary": t.BINARY,
    "boolean": t.BOOLEAN,
    "date": t.DATE,
    "decimal": t.DecimalType(10, 0),
    "double": t.DOUBLE,
    "float": t.FLOAT,
    "int": t.INT,
    "smallint": t.SHORT,
    "string": t.STRING,
    "timestamp": t.TIMESTAMP,
    "tinyint": t.BYTE,
}


@dataclass(frozen=True)
class Arguments:
    """What `spark.sql` was given for `:name` and `?`."""

    named: Mapping[str, Expr] = field(default_factory=dict)
    placed: Sequence[Expr] = ()
    places: Mapping[int, int] = field(default_factory=dict)  # id of a `?` node -> its number


# The parts of queries; `queries.py` sees to them.
_OF_QUERIES = (
    "this expression expressions with_ from_ joins laterals where group having qualify windows "
    "order sort distribute cluster limit offset distinct hint by_name alias side kind on"
)


def no_queries(node: Node) -> l.Plan:
    """For texts in which subqueries cannot be."""
    raise NotImplementedError(
        f"a subquery in an expression given as text: {sql_of(node)}; use spark.sql"
    )


def no_functions(name: str, args: tuple[Expr, ...]) -> Expr | None:
    """For texts without a session."""
    return None


@dataclass(frozen=True)
class Reader:
    """Makes expressions of trees. `query` plans a subquery, `windows` are the named ones, `call`
    makes calls of functions that only the session has."""

    query: Callable[[Node], l.Plan] = no_queries
    args: Arguments = Arguments()
    windows: Mapping[str, Node] = field(default_factory=dict)
    call: Callable[[str, tuple[Expr, ...]], Expr | None] = no_functions

    def expr(self, node: Node) -> Expr:
        """The expression of a tree.

        Raises
        ------
        NotImplementedError
            For what sqlglot reads and we do not have; it names the construct.
        """
        name = kind(node)
        if name == "Add" and node.meta.get("one"):
            return kinds.interval(node)
        if name in _BINARY:
            _refuse_others(node, ("this", "expression", "negate", *_UNASKED))
            found = self._binary(_BINARY[name], node)
            return Call("not", (found,)) if node.args.get("negate") else found
        read = _READERS.get(name)
        if read is not None:
            _refuse_others(node, _ARGS[name])
            return read(self, node)
        if name in _NO_PAREN:
            return Call(_NO_PAREN[name], self.exprs(node.expressions))
        if name in _UNARY:
            return Call(_UNARY[name], (self.expr(node.this),))
        raise NotImplementedError(f"{name} in SQL: {sql_of(node)}")

    def exprs(self, nodes: Sequence[Node]) -> tuple[Expr, ...]:
        """The expressions of several trees."""
        return tuple(self.expr(node) for node in nodes)

    def order(self, node: Node) -> Order:
        """A sort key."""
        if kind(node) != "Ordered":
            return Order(self.expr(node))
        descending = bool(node.args.get("desc"))
        return Order(self.expr(node.this), not descending, bool(node.args.get("nulls_first")))

    def _binary(self, name: str, node: Node) -> Expr:
        if name in ("and", "or"):
            return self._chain(name, node)
        other = node.expression
        if kind(other) in ("Any", "All") and name in ("like", "ilike", "rlike"):
            listed = _unwrapped(other.this)
            texts = listed.expressions if kind(listed) == "Tuple" else [listed]
            value = self.expr(node.this)
            word = "or" if kind(other) == "Any" else "and"
            calls = [Call(name, (value, self.expr(each))) for each in texts]
            return reduce(lambda a, b: Call(word, (a, b)), calls)  # type: ignore[arg-type,return-value]
        if kind(other) in ("Any", "All"):
            raise NotImplementedError(f"a comparison with ANY or ALL of a query: {sql_of(node)}")
        return Call(name, (self.expr(node.this), self.expr(other)))

    def _chain(self, name: str, node: Node) -> Expr:
        """a AND b AND c …, without recursion over a long one."""
        rest: list[Node] = []
        own = kind(node)
        while kind(node) == own:
            rest.append(node.expression)
            node = node.this
        found = self.expr(node)
        for each in reversed(rest):
            found = Call(name, (found, self.expr(each)))
        return found


def _unwrapped(node: Node) -> Node:
    while kind(node) == "Paren":
        node = node.this
    return node


Read = Callable[[Reader, Any], Expr]
_READERS: dict[str, Read] = {}
_ARGS: dict[str, tuple[str, ...]] = {}
_UNASKED = ("typed", "safe", "quoted", "nested", "copy")  # tell of other dialects


def reads(*names: str, args: str = "this expression expressions") -> Callable[[Read], Read]:
    """Enter a function that reads nodes of these classes, and of them the parts `args`."""

    def enter(read: Read) -> Read:
        for name in names:
            _READERS[name] = read
            _ARGS[name] = (*args.split(), *_UNASKED)
        return read

    return enter


def _refuse_others(node: Node, known: Sequence[str]) -> None:
    """A part of the text that nobody would read must not be passed over."""
    for name, value in node.args.items():
        if value and name not in known:
            raise NotImplementedError(f"{name.strip('_')} in SQL: {sql_of(node)}")


# ---- names ---------------------------------------------------------------------------------------


@reads("Column", args="this table db catalog")
def _column(at: Reader, node: Node) -> Expr:
    parts = tuple(part.name for part in node.parts)
    if kind(node.this) == "Star":
        if node.this.args.get("except_"):
            raise NotImplementedError(f"{sql_of(node)} is only for the list of SELECT")
        return Star(parts[:-1])
    return Name(parts)


@reads("Identifier", "Var")
def _identifier(at: Reader, node: Node) -> Expr:
    return Name((node.name,))


@reads("Star")
def _star(at: Reader, node: Node) -> Expr:
    return Star()


@reads("Dot")
def _dot(at: Reader, node: Node) -> Expr:
    of, what = at.expr(node.this), node.expression
    if kind(what) == "Star" and isinstance(of, Name):
        return Star(of.parts)
    if kind(what) not in ("Identifier", "Column", "Var"):
        raise NotImplementedError(f"a function of a catalog: {sql_of(node)}")
    if isinstance(of, Name):
        return Name((*of.parts, what.name))
    return Call("get_item", (of, Literal(what.name, t.STRING)))


@reads("Bracket")
def _bracket(at: Reader, node: Node) -> Expr:
    if len(node.expressions) != 1 or kind(node.expressions[0]) == "Slice":
        raise NotImplementedError(f"{sql_of(node)}; use slice")
    return Call("get_item", (at.expr(node.this), at.expr(node.expressions[0])))


@reads("Paren")
def _paren(at: Reader, node: Node) -> Expr:
    return at.expr(node.this)


@reads("Alias", args="this alias")
def _alias(at: Reader, node: Node) -> Expr:
    return Alias(at.expr(node.this), node.alias)


@reads("Aliases")
def _aliases(at: Reader, node: Node) -> Expr:
    return Aliases(at.expr(node.this), tuple(each.name for each in node.expressions))


# ---- constants -----------------------------------------------------------------------------------


@reads("Literal", args="this is_string")
def _literal(at: Reader, node: Node) -> Expr:
    return Literal(node.this, t.STRING) if node.is_string else kinds.number(node.this)


@reads("RawString", "National", "UnicodeString")
def _raw(at: Reader, node: Node) -> Expr:
    return Literal(node.this, t.STRING)


@reads("HexString")
def _hex(at: Reader, node: Node) -> Expr:
    digits = str(node.this)
    return Literal(bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}"), t.BINARY)


@reads("Boolean")
def _boolean(at: Reader, node: Node) -> Expr:
    return Literal(bool(node.this), t.BOOLEAN)


@reads("Null")
def _null(at: Reader, node: Node) -> Expr:
    return Literal(None, t.NULL)


@reads("Interval", args="this unit fraction_in_string")
def _interval(at: Reader, node: Node) -> Expr:
    return kinds.interval(node)


@reads("Neg")
def _negative(at: Reader, node: Node) -> Expr:
    value = at.expr(node.this)
    if isinstance(value, Literal) and isinstance(value.kind, t.NumericType):
        return kinds.negative(value)
    return Call("negative", (value,), shown="(- {0})")


@reads("Placeholder", args="this kind widget")
def _placeholder(at: Reader, node: Node) -> Expr:
    if node.this:
        found = at.args.named.get(node.name)
        asked = f":{node.name}"
    else:
        place = at.args.places.get(id(node), 0)
        found = at.args.placed[place] if place < len(at.args.placed) else None
        asked = f"the ? number {place + 1}"
    if found is None:
        raise AnalysisException(
            f"there is no value for {asked}; give it in args", "UNBOUND_SQL_PARAMETER"
        )
    return found


# ---- casts and calls -----------------------------------------------------------------------------


@reads("Cast", "TryCast", args="this to _type")
def _cast(at: Reader, node: Node) -> Expr:
    to, value = kinds.type_of(node.to), node.this
    if kind(node) == "Cast" and kind(value) == "Literal" and not node.meta.get("written"):
        if value.is_string:
            return (
                kinds.typed(value.this, to)
                if not _decimal_text(node)
                else kinds.decimal(value.this)
            )
        found = kinds.suffixed(value.this, to)
        if found is not None:
            return found
    return Cast(at.expr(value), to, "try" if kind(node) == "TryCast" else "asked")


def _decimal_text(node: Node) -> bool:
    """2.5BD comes as a cast of text."""
    return getattr(node.to.this, "name", "") == "DECIMAL"


_BY_UNIT = {  # with three arguments: the first is a word, a unit of time
    "dateadd": "timestampadd",
    "date_add": "timestampadd",
    "timestampadd": "timestampadd",
    "datediff": "timestampdiff",
    "date_diff": "timestampdiff",
    "timestampdiff": "timestampdiff",
}


_SEEDED = {"rand": "rand()", "random": "rand()", "randn": "randn()", "uuid": "uuid()"}


@reads("Anonymous")
def _call(at: Reader, node: Node) -> Expr:
    name, nodes = (
        str(node.this if isinstance(node.this, str) else node.name).lower(),
        node.expressions,
    )
    if name in _CASTS and len(nodes) == 1:
        return Cast(at.expr(nodes[0]), _CASTS[name], "asked", hidden=True)
    if name in _BY_UNIT and len(nodes) == 3:
        unit = Literal(nodes[0].name, t.STRING)
        return Call(_BY_UNIT[name], (unit, *at.exprs(nodes[1:])))
    if name in ("trim", "ltrim", "rtrim") and len(nodes) == 2:
        nodes = nodes[::-1]  # SQL has the characters first
    distinct = ignore = False
    if len(nodes) == 1 and kind(nodes[0]) in ("IgnoreNulls", "RespectNulls"):
        ignore, nodes = kind(nodes[0]) == "IgnoreNulls", [nodes[0].this]
    if len(nodes) == 1 and kind(nodes[0]) == "Distinct":
        distinct, nodes = True, nodes[0].expressions
    args = at.exprs(nodes)
    if name == "count" and args == (Star(),) and not distinct:
        args = (Literal(1, t.INT),)
    own = at.call(name, args)
    if name in _SEEDED and not args:
        return Call(name, shown=_SEEDED[name])
    return own or Call(name, args, distinct=distinct, ignore_nulls=ignore)


@reads("IgnoreNulls", "RespectNulls")
def _nulls(at: Reader, node: Node) -> Expr:
    call = at.expr(node.this)
    assert isinstance(call, Call)
    return Call(
        call.name, call.args, call.distinct, call.where, ignore_nulls=kind(node) == "IgnoreNulls"
    )


@reads("Filter")
def _filter(at: Reader, node: Node) -> Expr:
    call, where = at.expr(node.this), at.expr(node.expression.this)
    assert isinstance(call, Call)
    return replace(call, where=where)


@reads("Lambda")
def _lambda(at: Reader, node: Node) -> Expr:
    params = tuple(Variable(each.name) for each in node.expressions)
    return Lambda(params, at.expr(node.this))


@reads("Tuple")
def _tuple(at: Reader, node: Node) -> Expr:
    """(a, b) is a struct with the names of its columns, or col1, col2, …"""
    args: list[Expr] = []
    for place, each in enumerate(at.exprs(node.expressions)):
        name = each.parts[-1] if isinstance(each, Name) else f"col{place + 1}"
        args += [Literal(name, t.STRING), each]
    return Call("named_struct", tuple(args))


@reads("Concat", args="this expression expressions coalesce")
def _concat(at: Reader, node: Node) -> Expr:
    """Texts written side by side are one text."""
    texts = at.exprs(node.expressions)
    values = [each.value for each in texts if isinstance(each, Literal)]
    if len(values) == len(texts) and all(isinstance(value, str) for value in values):
        return Literal("".join(values), t.STRING)
    return Call("concat", texts)


@reads("Substring", args="this start length")
def _substring(at: Reader, node: Node) -> Expr:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    name = "substr" if node.meta.get("plain") else "substring"
    return Call(name, at.exprs([part for part in parts if part is not None]))


@reads("Trim", args="this position expression")
def _trim(at: Reader, node: Node) -> Expr:
    side = (node.args.get("position") or "BOTH").upper()
    name = {"LEADING": "ltrim", "TRAILING": "rtrim", "BOTH": "trim"}[side]
    chars = node.args.get("expression")
    value = at.expr(node.this)
    if chars is None:
        return Call(name, (value,))
    return Call(name, (value, at.expr(chars)))


@reads("StrPosition", args="this substr position")
def _position(at: Reader, node: Node) -> Expr:
    parts = [node.args.get("substr"), node.this, node.args.get("position")]
    name = "position" if node.meta.get("plain") else "locate"
    return Call(name, at.exprs([part for part in parts if part is not None]))


@reads("Overlay", args="this expression from_ for_")
def _overlay(at: Reader, node: Node) -> Expr:
    parts = [node.this, node.expression, node.args.get("from_"), node.args.get("for_")]
    return Call("overlay", at.exprs([part for part in parts if part is not None]))


@reads("Extract")
def _extract(at: Reader, node: Node) -> Expr:
    part = Literal(node.meta.get("field") or node.this.name, t.STRING)
    return Call("extract", (part, at.expr(node.expression)))


# ---- conditions ----------------------------------------------------------------------------------


@reads("Not")
def _not(at: Reader, node: Node) -> Expr:
    inner = _unwrapped(node.this)
    if kind(inner) == "Is" and kind(inner.expression) == "Null":
        return Call("isnotnull", (at.expr(inner.this),))
    return Call("not", (at.expr(inner),))


@reads("Is")
def _is(at: Reader, node: Node) -> Expr:
    value, other = at.expr(node.this), node.expression
    if kind(other) == "Null":
        return Call("isnull", (value,))
    if kind(other) == "Boolean":
        return Call("<=>", (value, at.expr(other)))
    raise NotImplementedError(sql_of(node))


@reads("NullSafeNEQ")
def _distinct_from(at: Reader, node: Node) -> Expr:
    return Call("not", (Call("<=>", (at.expr(node.this), at.expr(node.expression))),))


@reads("Between", args="this low high")
def _between(at: Reader, node: Node) -> Expr:
    value = at.expr(node.this)
    low = Call(">=", (value, at.expr(node.args["low"])))
    high = Call("<=", (value, at.expr(node.args["high"])))
    return Call("and", (low, high), shown="between")


@reads("Escape")
def _escape(at: Reader, node: Node) -> Expr:
    call = at.expr(node.this)
    assert isinstance(call, Call)
    return Call(call.name, (*call.args, at.expr(node.expression)))


@reads("In", args="this query expressions")
def _in(at: Reader, node: Node) -> Expr:
    left = _unwrapped(node.this)
    several = kind(left) == "Tuple"
    query = node.args.get("query")
    if query is not None:
        values = at.exprs(left.expressions) if several else (at.expr(left),)
        return InQuery(at.query(query), values)
    value = at.expr(left)
    return Call("in", (value, *at.exprs(node.expressions)))


@reads("Exists")
def _exists(at: Reader, node: Node) -> Expr:
    if kind(node.this) not in ("Select", "Subquery", "Union", "Intersect", "Except", "Values"):
        return Call("exists", at.exprs([node.this, *node.expressions]))
    return ExistsQuery(at.query(node.this))


@reads("Subquery", "Select", "Union", "Intersect", "Except", args=_OF_QUERIES)
def _subquery(at: Reader, node: Node) -> Expr:
    return ScalarQuery(at.query(node))


@reads("Case", args="this ifs default")
def _case(at: Reader, node: Node) -> Expr:
    value = None if node.this is None else at.expr(node.this)
    args: list[Expr] = []
    for branch in node.args["ifs"]:
        condition = at.expr(branch.this)
        args.append(condition if value is None else Call("=", (value, condition)))
        args.append(at.expr(branch.args["true"]))
    if node.args.get("default") is not None:
        args.append(at.expr(node.args["default"]))
    return Call("case_when", tuple(args))

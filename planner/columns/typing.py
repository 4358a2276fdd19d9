"""Typing: an expression as the user wrote it becomes one whose columns and types are known.

`Scope` says which names there are. `bind` resolves names, looks calls up in
`planner/columns/functions`, puts in the casts that SQL implies, and then has Polars build the
result once over no rows, so that what cannot work is refused here, where the user defines it.
This is the one place of `planner` that evaluates anything.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import polars as pl

from planner.columns import types as t
from planner.columns.building import build
from planner.columns.casting import refusal
from planner.columns.columnar import to_polars
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    InQuery,
    Lambda,
    Literal,
    Name,
    Order,
    Outer,
    Over,
    PythonCall,
    Query,
    Star,
    Untyped,
    Variable,
    attributes,
    calls_in,
    holds,
    walk,
)
from planner.columns.functions.registry import (
    TABLE,
    Aggregate,
    Generator,
    Grouping,
    Mismatch,
    Settings,
    WindowOnly,
    find,
)
from planner.columns.sharing import in_steps

_OF_VALUES = (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError)


class AnalysisError(Exception):
    """What the user wrote means nothing here. `code` is Spark's error class."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Scope:
    """The columns that names can mean, those of the query around, and the settings. `hidden` ones
    are only found by their table's name: what USING merged. `call` makes calls of functions that
    are not in the table: those that the session knows."""

    attrs: Sequence[Attr]
    settings: Settings = Settings()
    outer: Scope | None = None
    variables: dict[str, Expr] = field(default_factory=dict)  # arguments of lambdas around
    hidden: Sequence[Attr] = ()
    call: Callable[[str, tuple[Expr, ...]], Expr | None] = lambda name, args: None
    _table: dict[str, list[Attr]] | None = None

    def _fold(self, name: str) -> str:
        return name if self.settings.case_sensitive else name.lower()

    def named(self, name: str) -> list[Attr]:
        """The columns of a name."""
        if self._table is None:
            self._table = {}
            exact = self.settings.case_sensitive
            for attr in self.attrs:
                own = attr.name if exact else attr.name.lower()
                self._table.setdefault(own, []).append(attr)
        return self._table.get(self._fold(name), [])

    def qualified(self, qualifier: Sequence[str], attrs: Sequence[Attr]) -> list[Attr]:
        """Those that belong to a table of that name."""
        wanted = [self._fold(part) for part in qualifier]
        return [
            attr
            for attr in attrs
            if [self._fold(part) for part in attr.qualifiers[-len(wanted) :]] == wanted
        ]

    def _merged(self, parts: Sequence[str]) -> list[Attr]:
        name = self._fold(parts[-1])
        found = [attr for attr in self.hidden if self._fold(attr.name) == name]
        return self.qualified(parts[:-1], found)

    def find(self, parts: Sequence[str]) -> Expr | None:
        """What a name with dots means: a column, with or without its table, and fields of it."""
        if parts[0] in self.variables:
            return _fields(self.variables[parts[0]], parts[1:], self)
        for cut in range(len(parts) - 1, -1, -1):
            found = self.named(parts[cut])
            if cut:
                found = self.qualified(parts[:cut], found) or self._merged(parts[: cut + 1])
            if len(found) > 1 and any(attr != found[0] for attr in found):
                raise AnalysisError(
                    f"the column {'.'.join(parts)} is ambiguous: it could be "
                    f"{', '.join(_full(attr) for attr in found)}",
                    "AMBIGUOUS_REFERENCE",
                )
            if found:
                return _fields(found[0], parts[cut + 1 :], self)
        return None


def _full(attr: Attr) -> str:
    return ".".join((*attr.qualifiers, attr.name))


def _fields(value: Expr, names: Sequence[str], scope: Scope) -> Expr:
    for name in names:
        value = _call(Call("get_item", (value, Literal(name, t.STRING))), scope)
    return value


def bind(expr: Expr, scope: Scope, check: bool = True) -> Expr:
    """The typed form of an expression.

    Parameters
    ----------
    expr : Expr
        As the user wrote it; typed parts stay as they are.
    scope : Scope
        What names mean.
    check : bool
        Whether Polars is asked too (not needed for a part of something that is checked whole).

    Raises
    ------
    AnalysisError
        A name or function that is not there, or arguments that do not fit.
    """
    found = _bind(expr, scope)
    if check and not isinstance(found, Attr | Literal):
        verify(found, scope.settings)
    return found


def _bind(expr: Expr, scope: Scope) -> Expr:
    match expr:
        case Name(parts):
            return _named(parts, scope)
        case Attr() | Literal() | Outer():
            return expr
        case Star():
            raise AnalysisError("* cannot stand here", "INVALID_USAGE_OF_STAR_OR_REGEX")
        case Call():
            return _call(expr, scope)
        case Cast(mode="typed"):
            return _typed_constant(expr, scope)
        case Cast(child, kind, mode):
            if mode != "asked" and not _untyped(expr):
                return expr
            usual = "ansi" if scope.settings.ansi else "legacy"
            mode = usual if mode in ("asked", "implied") else mode
            inner = _bind(child, scope)
            code = refusal(inner.type, kind, mode)
            if code is not None:
                kinds = f"{inner.type.simpleString()} to {kind.simpleString()}"
                raise AnalysisError(f"a value cannot be cast from {kinds}", code)
            return Cast(inner, kind, mode, expr.hidden)
        case InQuery(_, values):
            return replace(expr, values=tuple(_bind(value, scope) for value in values))
        case Query():
            return expr
        case Lambda():
            raise AnalysisError("a function can only be an argument", "UNEXPECTED_LAMBDA")
        case PythonCall(args=args):
            return replace(expr, args=tuple(_bind(arg, scope) for arg in args))
    children = tuple(_bind(child, scope) for child in expr.children)
    return expr.with_children(children)


def _typed_constant(expr: Cast, scope: Scope) -> Literal:
    """The value of TIMESTAMP '…' and the like."""
    try:
        found = pl.select(build(replace(expr, mode="ansi"), scope.settings).alias("x"))["x"]
    except pl.exceptions.PolarsError:
        assert isinstance(expr.child, Literal)
        raise AnalysisError(
            f"{expr.child.value!r} is no {expr.kind.simpleString()}", "INVALID_TYPED_LITERAL"
        ) from None
    return Literal(found[0], expr.kind)


def _untyped(expr: Expr) -> bool:
    try:
        return (
            expr.type is None
            or holds(expr, Name, Star)
            or any(isinstance(each, Call) and each.kind is None for each in walk(expr))
        )
    except Untyped:
        return True


def _named(parts: Sequence[str], scope: Scope) -> Expr:
    found = scope.find(parts)
    if found is not None:
        return found
    around = scope.outer
    while around is not None:
        found = around.find(parts)
        if found is not None:
            return _outer(found)
        around = around.outer
    if parts[0].lower() == "_metadata":  # of files; analysis sees to it
        return _fields(Call("_metadata", kind=_METADATA, null=False), parts[1:], scope)
    names = list(dict.fromkeys(attr.name for attr in scope.attrs))
    near = difflib.get_close_matches(parts[-1], names, 3, 0.5) or names[:5]
    hint = (
        f"; did you mean one of {', '.join(map(quoted, near))}?"
        if near
        else "; there are no columns here"
    )
    raise AnalysisError(
        f"there is no column {'.'.join(map(quoted, parts))}{hint}",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    )


def quoted(name: str) -> str:
    """A name as it must be written, in one line.

    >>> quoted("age"), quoted("a.b")
    ('age', '`a.b`')
    """
    plain = name.replace("_", "a").isalnum()
    return name if plain else "`{}`".format(name.replace("`", "``").replace("\n", "\\n"))


_METADATA = t.StructType(
    [
        t.StructField("file_path", t.STRING, False),
        t.StructField("file_name", t.STRING, False),
        t.StructField("file_size", t.LONG, False),
        t.StructField("file_block_start", t.LONG, False),
        t.StructField("file_block_length", t.LONG, False),
        t.StructField("file_modification_time", t.TIMESTAMP, False),
        t.StructField("row_index", t.LONG, True),
    ]
)


def _outer(found: Expr) -> Expr:
    if isinstance(found, Attr):
        return Outer(found)
    return found.with_children(tuple(_outer(child) for child in found.children))


def _call(call: Call, scope: Scope) -> Expr:
    if call.kind is not None and not holds(call, Name):
        return call
    try:
        own = None if call.name.lower() in TABLE else scope.call(call.name, call.args)
        if own is not None:
            return _bind(own, scope)
        entry = find(call.name)
        given = (Literal(1, t.INT),) if _of_rows(call) else call.args
        bound = tuple(a if isinstance(a, Lambda) else _bind(a, scope) for a in given)
        _refuse_generators(call, bound)
        if any(isinstance(arg, Lambda) for arg in bound):
            bound = _lambdas(call.name.lower(), bound, scope)
        args, kind, null = entry.resolve(bound, scope.settings)
    except Mismatch as error:
        raise AnalysisError(str(error), error.code) from None
    where = None if call.where is None else _bind(call.where, scope)
    more = call.ignore_nulls, call.shown
    return Call(call.name, args, call.distinct, where, kind, null, *more)


def _refuse_generators(call: Call, args: Sequence[Expr]) -> None:
    for arg in args:
        if isinstance(arg, Call) and kind_of(arg) == "generator":
            raise AnalysisError(
                f"{arg.name} makes rows, so it cannot be an argument of {call.name}",
                "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
            )


def _of_rows(call: Call) -> bool:
    """count(*) counts rows: count(1)."""
    return call.name.lower() == "count" and call.args == (Star(),)


def _lambdas(name: str, args: tuple[Expr, ...], scope: Scope) -> tuple[Expr, ...]:
    """The arguments with the variables of lambdas typed by the collection before them."""
    found: list[Expr] = []
    for arg in args:
        if not isinstance(arg, Lambda):
            found.append(arg)
            continue
        kinds = _kinds_of_variables(name, [a for a in found if not isinstance(a, Lambda)], arg)
        params = tuple(
            replace(param, kind=kind, null=null)
            for param, (kind, null) in zip(arg.params, kinds, strict=False)
        )
        inner = {**scope.variables, **{param.name: param for param in params}}
        body = _bind(arg.body, replace(scope, variables=inner))
        found.append(Lambda(params, body))
    return tuple(found)


def _kinds_of_variables(
    name: str, before: Sequence[Expr], function: Lambda
) -> list[tuple[t.DataType, bool]]:
    """(type, nullable) of a lambda's variables."""
    kinds: list[tuple[t.DataType, bool]] = []
    for collection in before:
        match collection.type:
            case t.ArrayType(elementType=kind, containsNull=null):
                kinds.append((kind, null or name == "zip_with"))
            case t.MapType(keyType=key, valueType=value, valueContainsNull=null):
                if name == "map_zip_with" and kinds:
                    kinds.append((value, True))
                else:
                    kinds += [(key, False), (value, null or name == "map_zip_with")]
    if name in ("aggregate", "reduce") and len(before) > 1:
        kinds = [(before[1].type, True)]
        if len(function.params) == 2 and isinstance(before[0].type, t.ArrayType):
            kinds.append((before[0].type.elementType, before[0].type.containsNull))
    elif name == "array_sort":
        kinds *= 2
    elif len(function.params) > len(kinds):
        kinds.append((t.INT, False))  # the place in the array
    if len(function.params) > len(kinds):
        raise AnalysisError(
            f"the function given to {name} takes {len(function.params)} arguments, and gets "
            f"{len(kinds)}",
            "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
        )
    return kinds


def is_aggregate(expr: Expr) -> bool:
    """Whether an expression has an aggregate that is not a window's."""
    return any(True for _ in aggregates(expr))


def aggregates(expr: Expr) -> list[Call | PythonCall]:
    """The aggregate calls in an expression, outermost first, but for those of windows."""
    if not holds(expr, PythonCall) and "aggregate" not in kinds_in(expr):
        return []
    found: list[Call | PythonCall] = []
    todo = [expr]
    while todo:
        each = todo.pop()
        if isinstance(each, Over):
            todo.extend([*each.call.children, *each.partition, *each.order])
        elif _folds(each):
            found.append(each)
        else:
            todo.extend(reversed(each.children))
    return found


def _folds(expr: Expr) -> TypeGuard[Call | PythonCall]:
    """Whether an expression itself makes one value of many rows."""
    if isinstance(expr, PythonCall):
        return expr.style == "fold"
    return isinstance(expr, Call) and isinstance(find(expr.name), Aggregate)


def kinds_in(expr: Expr) -> frozenset[str]:
    """What `kind_of` tells of the calls in an expression."""
    return frozenset([_kind_by_name(name) for name in calls_in(expr)])


def kind_of(call: Call) -> str:
    """'scalar', 'aggregate', 'window', 'grouping' or 'generator'."""
    return _kind_by_name(call.name)


def _kind_by_name(name: str) -> str:
    entry = find(name)
    if isinstance(entry, Aggregate):
        return "aggregate"
    if isinstance(entry, WindowOnly):
        return "window"
    if isinstance(entry, Grouping):
        return "grouping"
    return "generator" if isinstance(entry, Generator) else "scalar"


def verify(expr: Expr, settings: Settings) -> None:
    """Have Polars build an expression over no rows, and see that the type is the promised one.

    Raises TypeError: the table of functions is wrong, which is not the user's doing.
    """
    bare = expr.child if isinstance(expr, Alias | Order) else expr
    if not _checkable(bare):
        return
    shape = shape_of(bare, settings)
    if shape is not None and shape in _verified:
        return
    columns: dict[str, Any] = {attr.column: to_polars(attr.kind) for attr in attributes(bare)}
    frame = pl.DataFrame(schema=columns)
    steps, (last,) = in_steps([Alias(bare, "x")])
    try:
        for step in steps:
            made = [build(each.child, settings).alias(each.attr.column) for each in step]
            frame = frame.with_columns(made)
        found = frame.select(build(last.child, settings).alias("x")).schema["x"]
    except _OF_VALUES:
        return  # a constant part of it fails on its value: that is for the run to say
    wanted = to_polars(bare.type)
    if found != wanted:
        raise TypeError(f"{bare!r} is {found} in Polars, and should be {wanted}")
    if shape is not None:
        if len(_verified) >= _MOST_SHAPES:
            _verified.clear()
        _verified.add(shape)


_verified: set[Hashable] = set()  # shapes of expressions that Polars built as promised
_MOST_SHAPES = 10_000
# What is built of these hangs on the types of constants, and not on their values.
_OF_TYPES = frozenset(
    ("+", "-", "*", "=", "==", "!=", "<>", "<", "<=", ">", ">=", "<=>", "and", "or", "not")
)
_PLAIN = (t.NumericType, t.StringType, t.BooleanType, t.DateType, t.TimestampType)


def shape_of(expr: Expr, settings: Settings, values: bool = False) -> Hashable | None:
    """All that decides what `verify` finds; None if that cannot be told.

    It has the builders of the calls with what they are told, the types of columns and constants,
    and the settings. Two expressions of one shape differ in which columns they read, and in the
    values of constants that decide no types; with `values` those are in it too.
    """
    numbers: dict[int, int] = {}
    found: list[Hashable] = [settings]
    todo: list[tuple[Expr, bool]] = [(expr, False)]
    while todo:
        each, plain = todo.pop()
        match each:
            case Attr(kind=kind, null=null) | Variable(kind=kind, null=null):
                found += (Attr, numbers.setdefault(each.id, len(numbers)), kind, null)
            case Literal(value, kind):
                any_value = plain and value is not None and isinstance(kind, _PLAIN)
                found += (Literal, kind, any_value or repr(value), type(value).__name__)
            case Call():
                found += (Call, find(each.name).build, each.kind, each.null, each.distinct)
                found += (each.name, each.ignore_nulls, len(each.args), each.where is None)
            case Cast(_, kind, mode):
                found += (Cast, kind, mode)
            case Lambda(params):
                found += (Lambda, *[numbers.setdefault(p.id, len(numbers)) for p in params])
            case _:
                return None
        inner = not values and isinstance(each, Call) and each.name in _OF_TYPES
        todo.extend([(child, inner) for child in each.children])
    return tuple(found)


_UNCHECKED = ("window", "generator", "grouping")


def _checkable(expr: Expr) -> bool:
    if holds(expr, PythonCall, Query, Outer, Over):
        return False
    return kinds_in(expr).isdisjoint(_UNCHECKED)


_FOLDED = (t.BooleanType, t.IntegralType, t.DoubleType, t.StringType, t.DateType, t.DecimalType)


def constant(expr: Expr, settings: Settings) -> Literal | None:
    """The value of an expression over literals, for types whose values are plain; None where it
    has none: an error of a value is for the run to say, if it comes to that."""
    if not isinstance(expr.type, _FOLDED) or not _checkable(expr):
        return None
    if isinstance(expr, Call) and kind_of(expr) != "scalar":
        return None
    shape = shape_of(expr, settings, values=True)
    if shape is None:
        return _computed(expr, settings)
    if shape not in _constants:
        if len(_constants) >= _MOST_SHAPES:
            _constants.clear()
        _constants[shape] = _computed(expr, settings)
    return _constants[shape]


_constants: dict[Hashable, Literal | None] = {}


def _computed(expr: Expr, settings: Settings) -> Literal | None:
    try:
        found = pl.select(build(expr, settings).alias("x"))["x"]
    except pl.exceptions.PolarsError:
        return None
    if len(found) != 1 or found.dtype != to_polars(expr.type):
        return None
    return Literal(found[0], expr.type)

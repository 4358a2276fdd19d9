"""The table of functions: for each its arguments, its result type, and how Polars computes it.

A module of this folder fills it with the decorators below:

    @scalar("upper", "ucase", takes=(TEXT,), gives=t.STRING)
    def upper(at: At, text: pl.Expr) -> pl.Expr:
        return text.str.to_uppercase()

`takes` says what each argument is coerced to, `rest` the same for any number of further ones,
`least` how many are needed. `gives` is the result's type, or finds it from the coerced arguments'
types. The built expression must have exactly that type: `planner/columns/typing.py` checks it on no
rows.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common, implied
from planner.columns.expressions import Expr, Lambda, Literal


class Mismatch(Exception):
    """Arguments that a function does not take; `code` is Spark's error class."""

    def __init__(self, message: str, code: str = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Settings:
    """What of the session's settings decides answers."""

    ansi: bool = True
    zone: str = "UTC"
    case_sensitive: bool = False
    partition: int = field(default=0, compare=False)  # of the task
    user: str = field(default="", compare=False)
    database: str = field(default="default", compare=False)
    now: int | None = field(default=None, compare=False)  # microseconds since 1970, of the query


@dataclass(frozen=True)
class At:
    """What a builder may ask: the types of arguments and result, the values of those that are
    literals (None for the others), and the settings."""

    type: t.DataType
    types: tuple[t.DataType, ...]
    values: tuple[Any, ...]
    settings: Settings
    args: tuple[Expr, ...] = ()
    ignore_nulls: bool = False
    reach: Callable[[pl.Expr], pl.Expr] = lambda found: found  # `over` a partition, or nothing

    @property
    def ansi(self) -> bool:
        return self.settings.ansi


Build = Callable[..., pl.Expr]
Gives = t.DataType | Callable[[Sequence[t.DataType]], t.DataType]
Typed = tuple[tuple[Expr, ...], t.DataType, bool]
Resolve = Callable[[Sequence[Expr], Settings], Typed]


@dataclass(frozen=True)
class Kind:
    """A kind of argument: `to` gives the type it is coerced to, or None if it is refused."""

    says: str
    to: Callable[[t.DataType], t.DataType | None]


@dataclass(frozen=True)
class Function:
    """An entry of the table."""

    name: str
    resolve: Resolve
    build: Build


@dataclass(frozen=True)
class Aggregate(Function):
    """A function of many rows. `build` is the whole of it. Where it can be had in steps, `partial`
    gives the states of some rows (each a Polars aggregation), `merge` those of more states of each,
    `final` the value; `states` their types, in that order. Where not, `whole` says why.

    `constants` are the places of arguments that are parameters and must stay literals: the other
    arguments are columns of rows. With `skips` a row whose arguments are all NULL counts for
    nothing, so that FILTER may make them NULL; without, the rows themselves are left out."""

    partial: Callable[..., tuple[pl.Expr, ...]] | None = None
    merge: Callable[..., tuple[pl.Expr, ...]] | None = None
    final: Build | None = None
    whole: str = ""
    states: Callable[[At], tuple[t.DataType, ...]] | None = None
    constants: tuple[int, ...] = ()
    skips: bool = True


@dataclass(frozen=True)
class Generator(Function):
    """A function that makes rows: its type is an array of structs of its output columns. With
    `outer` there is a row of NULLs where it makes none."""

    outer: bool = False


@dataclass(frozen=True)
class WindowOnly(Function):
    """A function that needs the order of its window: row_number, lag, …

    It is built over sorted rows: `build(at, place, *args)`, place as in functions/windows.py."""


@dataclass(frozen=True)
class Grouping(Function):
    """What tells of grouping sets; grouping.py replaces it, it is never built."""


TABLE: dict[str, Function] = {}
INNER: dict[str, Function] = {}  # what the engine puts in the place of others, and nobody can write


def find(name: str) -> Function:
    """The entry of a function, an inner one too.

    Raises
    ------
    Mismatch
        There is none; the message has the nearest names.
    """
    found = TABLE.get(name.lower()) or INNER.get(name)
    if found is None:
        near = ", ".join(difflib.get_close_matches(name.lower(), TABLE, 3))
        hint = f"; did you mean {near}?" if near else ""
        raise Mismatch(f"there is no function {name}{hint}", "UNRESOLVED_ROUTINE")
    return found


# ---- kinds of arguments --------------------------------------------------------------------------


def _one_of(*kinds: type[t.DataType]) -> Callable[[t.DataType], t.DataType | None]:
    return lambda found: found if isinstance(found, (*kinds, t.NullType)) else None


def _text(found: t.DataType) -> t.DataType | None:
    atomic = isinstance(found, (t.AtomicType, t.NullType)) and not isinstance(found, t.BinaryType)
    return t.STRING if atomic else None


def _to(*order: t.DataType) -> Callable[[t.DataType], t.DataType | None]:
    """To the first of `order`, from numbers, text and NULL."""

    def to(found: t.DataType) -> t.DataType | None:
        if found in order:
            return found
        return order[0] if isinstance(found, (t.NumericType, t.StringType, t.NullType)) else None

    return to


def _number(found: t.DataType) -> t.DataType | None:
    if isinstance(found, (t.StringType, t.NullType)):
        return t.DOUBLE
    return found if isinstance(found, t.NumericType) else None


def _whole(found: t.DataType) -> t.DataType | None:
    if isinstance(found, t.IntegralType):
        return found
    return t.LONG if isinstance(found, (t.NumericType, t.StringType, t.NullType)) else None


def _day(found: t.DataType) -> t.DataType | None:
    times = (t.DateType, t.TimestampType, t.TimestampNTZType, t.StringType, t.NullType)
    return t.DATE if isinstance(found, times) else None


def _instant(found: t.DataType) -> t.DataType | None:
    if isinstance(found, (t.TimestampType, t.TimestampNTZType)):
        return found
    return t.TIMESTAMP if isinstance(found, (t.DateType, t.StringType, t.NullType)) else None


ANY = Kind("anything", lambda found: found)
TEXT = Kind("text", _text)
BOOL = Kind(
    "a boolean", lambda found: t.BOOLEAN if found in (t.BOOLEAN, t.NULL, t.STRING) else None
)
NUMBER = Kind("a number", _number)
WHOLE = Kind("a whole number", _whole)
INT = Kind("a whole number", _to(t.INT))
LONG = Kind("a whole number", _to(t.LONG))
REAL = Kind("a number", _to(t.DOUBLE))
BYTES = Kind("bytes or text", lambda k: t.BINARY if k in (t.STRING, t.BINARY, t.NULL) else None)
DAY = Kind("a date", _day)
INSTANT = Kind("a timestamp", _instant)
ARRAY = Kind("an array", _one_of(t.ArrayType))
MAP = Kind("a map", _one_of(t.MapType))
STRUCT = Kind("a struct", _one_of(t.StructType))
FUNCTION = Kind("a function", lambda found: found)


# ---- filling the table ---------------------------------------------------------------------------


def coerced(
    name: str, args: Sequence[Expr], takes: Sequence[Kind], rest: Kind | None, least: int | None
) -> tuple[Expr, ...]:
    """The arguments as the kinds want them. Raises Mismatch."""
    needed = len(takes) if least is None else least
    if len(args) < needed or (rest is None and len(args) > len(takes)):
        wanted = str(needed) if needed == len(takes) and rest is None else f"at least {needed}"
        raise Mismatch(
            f"{name} takes {wanted} arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    found: list[Expr] = []
    for place, arg in enumerate(args):
        kind = takes[place] if place < len(takes) else rest
        assert kind is not None
        if isinstance(arg, Lambda):
            found.append(arg)
            continue
        to = kind.to(arg.type)
        if to is None:
            raise Mismatch(
                f"argument {place + 1} of {name} must be {kind.says}, and is "
                f"{arg.type.simpleString()}"
            )
        found.append(implied(arg, to))
    return tuple(found)


def resolver(
    name: str,
    takes: Sequence[Kind],
    gives: Gives,
    rest: Kind | None = None,
    least: int | None = None,
    alike: bool = False,
    null: bool | None = None,
) -> Resolve:
    """The usual way to type a call. With `alike` all arguments become one type."""

    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        found = coerced(name, args, takes, rest, least)
        if alike:
            one = common(arg.type for arg in found)
            if one is None:
                kinds = ", ".join(arg.type.simpleString() for arg in found)
                raise Mismatch(
                    f"the arguments of {name} must be of one type, and are {kinds}",
                    "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
                )
            found = tuple(implied(arg, one) for arg in found)
        kind = gives if isinstance(gives, t.DataType) else gives([arg.type for arg in found])
        nullable = any(arg.nullable for arg in found) if null is None else null
        return found, kind, nullable

    return resolve


def first_type(types: Sequence[t.DataType]) -> t.DataType:
    """The type of the first argument."""
    return types[0]


def _enter(names: Sequence[str], make: Callable[[str], Function]) -> None:
    for name in names:
        if name in TABLE:
            raise ValueError(f"the function {name} is in the table already")
        TABLE[name] = make(name)


def scalar(
    *names: str,
    takes: Sequence[Kind] = (),
    gives: Gives = first_type,
    resolve: Resolve | None = None,
    **more: Any,
) -> Callable[[Build], Build]:
    """Enter a function of one row."""

    def enter(build: Build) -> Build:
        how = resolve or resolver(names[0], takes, gives, **more)
        _enter(names, lambda name: Function(name, how, build))
        return build

    return enter


def aggregate(
    *names: str,
    takes: Sequence[Kind] = (ANY,),
    gives: Gives = first_type,
    resolve: Resolve | None = None,
    partial: Callable[..., tuple[pl.Expr, ...]] | None = None,
    merge: Callable[..., tuple[pl.Expr, ...]] | None = None,
    final: Build | None = None,
    whole: str = "",
    states: Callable[[At], tuple[t.DataType, ...]] | None = None,
    constants: tuple[int, ...] = (),
    skips: bool = True,
    **more: Any,
) -> Callable[[Build], Build]:
    """Enter an aggregate; the decorated function is the whole of it."""
    if (partial is None) == (not whole) or (partial is None) != (states is None):
        raise ValueError(f"{names[0]} needs steps and their types, or why it has none")

    def enter(build: Build) -> Build:
        how = resolve or resolver(names[0], takes, gives, **more)
        steps = (partial, merge, final, whole, states, constants, skips)
        _enter(names, lambda name: Aggregate(name, how, build, *steps))
        return build

    return enter


def window(
    *names: str,
    takes: Sequence[Kind] = (),
    gives: Gives = t.INT,
    resolve: Resolve | None = None,
    **more: Any,
) -> Callable[[Build], Build]:
    """Enter a function that is only for windows. It is built over rows sorted in window order."""

    def enter(build: Build) -> Build:
        how = resolve or resolver(names[0], takes, gives, **more)
        _enter(names, lambda name: WindowOnly(name, how, build))
        return build

    return enter


def generator(*names: str, resolve: Resolve, outer: bool = False) -> Callable[[Build], Build]:
    """Enter a generator; the decorated function gives a list of structs of its columns."""

    def enter(build: Build) -> Build:
        _enter(names, lambda name: Generator(name, resolve, build, outer))
        return build

    return enter


def value_of(expr: Expr) -> Any:
    """The value of a literal; None for anything else."""
    return expr.value if isinstance(expr, Literal) else None

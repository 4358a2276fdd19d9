"""Decimals as whole numbers of 64 bits, where it is known between which values they lie.

A decimal is stored as a whole number of 128 bits, its units: 1.25 as 125. Sums and products of
these take twice to four times as long as those of 64 bits, and have to be checked for their digits.
What lies between known values may need neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from planner.columns import types as t
from planner.columns.coercion import widened
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.columns.functions.units import SUMS

_LEAST, _MOST = -(2**63), 2**63 - 1
_DIGITS = 18  # that 64 bits hold

Limits = tuple[int, int]
Known = Callable[[Attr], Limits | None]


@dataclass(frozen=True)
class Units:
    """`whole` is a bigint, the units of a value, and lies between `low` and `high`."""

    whole: Expr
    low: int
    high: int


def scale_of(kind: t.DataType) -> int:
    """The digits behind the point of a number's type."""
    return kind.scale if isinstance(kind, t.DecimalType) else 0


def in_units(expr: Expr, known: Known) -> Units | None:
    """The units of a decimal or whole number; None if 64 bits may be too few for it or for a step
    on the way, or where it would have to be checked.

    Examples
    --------
    >>> price = Attr("price", t.DecimalType(15, 2))
    >>> found = in_units(Call("+", (price, price), kind=t.DecimalType(16, 2)), lambda a: (0, 500))
    >>> found.low, found.high
    (0, 1000)
    """
    kind = expr.type
    if not isinstance(kind, t.DecimalType | t.IntegralType):
        return None
    found = _through(expr, known) or _as_it_is(expr, known)
    limits = _limits(kind)
    if found is None or not _within(found, (max(limits[0], _LEAST), min(limits[1], _MOST))):
        return None
    return found


def _limits(kind: t.DataType) -> Limits:
    """The units that values of a type may have."""
    if isinstance(kind, t.DecimalType):
        return 1 - 10**kind.precision, 10**kind.precision - 1
    assert isinstance(kind, t.IntegralType)
    return -(2 ** (kind.bits - 1)), 2 ** (kind.bits - 1) - 1


def _within(found: Units, limits: Limits) -> bool:
    return limits[0] <= found.low and found.high <= limits[1]


def _as_it_is(expr: Expr, known: Known) -> Units | None:
    kind = expr.type
    if isinstance(expr, Literal):
        value = 0 if expr.value is None else int(Decimal(expr.value).scaleb(scale_of(kind)))
        return Units(Literal(None if expr.value is None else value, t.LONG), value, value)
    low, high = _limits(kind)
    bounds = known(expr) if isinstance(expr, Attr) else None
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    if isinstance(kind, t.DecimalType):
        return Units(Call("#units", (expr,), kind=t.LONG), low, high)
    return Units(expr if kind == t.LONG else Cast(expr, t.LONG), low, high)


def _through(expr: Expr, known: Known) -> Units | None:
    """What is made of other numbers, made of their units."""
    if isinstance(expr, Cast):
        inner = in_units(expr.child, known)
        return None if inner is None else _lifted(inner, expr.child.type, expr.type)
    if not isinstance(expr, Call):
        return None
    name, args = expr.name, expr.args
    if name in ("case_when", "when", "if", "iff"):
        return _chosen(expr, known)
    if name not in ("+", "-", "*") or len(args) != 2:
        return None
    sides = [in_units(arg, known) for arg in args]
    if sides[0] is None or sides[1] is None:
        return None
    if name == "*":
        if scale_of(expr.type) != sum(scale_of(arg.type) for arg in args):
            return None
        return _joined("#times", sides[0], sides[1])
    if scale_of(expr.type) != max(scale_of(arg.type) for arg in args):
        return None
    a, b = (
        _lifted(side, arg.type, expr.type)
        for side, arg in zip((sides[0], sides[1]), args, strict=True)
    )
    if a is None or b is None:
        return None
    return _joined("#plus" if name == "+" else "#minus", a, b)


def _joined(name: str, a: Units, b: Units) -> Units | None:
    pairs = product((a.low, a.high), (b.low, b.high))
    ends = [{"#plus": x + y, "#minus": x - y, "#times": x * y}[name] for x, y in pairs]
    found = Units(Call(name, (a.whole, b.whole), kind=t.LONG), min(ends), max(ends))
    return found if _within(found, (_LEAST, _MOST)) else None


def _lifted(found: Units, old: t.DataType, new: t.DataType) -> Units | None:
    """Units of one type as those of another that has all the digits."""
    more = scale_of(new) - scale_of(old)
    if more < 0:
        return None
    if more == 0:
        return found
    unit = 10**more
    if isinstance(found.whole, Literal):
        value = found.whole.value
        more_of_it = replace(found.whole, value=value and value * unit)
        return Units(more_of_it, found.low * unit, found.high * unit)
    if more > _DIGITS:
        return None
    return _joined("#times", found, Units(Literal(unit, t.LONG), unit, unit))


def _chosen(expr: Call, known: Known) -> Units | None:
    """case_when(condition, value, …, otherwise?) and if."""
    args: list[Expr] = list(expr.args)
    places = [*range(1, len(args), 2), *([len(args) - 1] if len(args) % 2 else [])]
    values = [in_units(args[place], known) for place in places]
    ends = []
    for place, value in zip(places, values, strict=True):
        same = value and _lifted(value, args[place].type, expr.type)
        if not same:
            return None
        args[place] = same.whole
        ends.append(same)
    low, high = min(each.low for each in ends), max(each.high for each in ends)
    return Units(replace(expr, args=tuple(args), kind=t.LONG), low, high)


# ---- sums ----------------------------------------------------------------------------------------


def summed_in_units(values: Sequence[Alias], known: Known, rows: int | None) -> tuple[Alias, ...]:
    """Aggregates, those of them that are sums and averages made of units where that is possible.

    Parameters
    ----------
    values : sequence of Alias
        Of aggregate calls.
    known : function
        Between which units the values of a column lie; None if that is not known.
    rows : int or None
        How many rows there are at most.
    """
    return tuple(replace(value, child=_summed(value.child, known, rows)) for value in values)


def _summed(call: Expr, known: Known, rows: int | None) -> Expr:
    if not isinstance(call, Call) or call.name not in SUMS or call.distinct:
        return call
    (arg,) = call.args
    room: t.DataType = t.LONG  # the type of the sum, of an average too
    if isinstance(arg.type, t.DecimalType):
        room = widened(arg.type, 10, 0)
    elif not arg.type == t.LONG == call.type:
        return call
    found = in_units(arg, known)
    if found is None:
        return call
    most = min(_MOST, _limits(room)[1])
    short = rows is not None and rows * max(-found.low, found.high) <= most
    if room == t.LONG and not short:
        return call
    bits = Literal(64 if short else 128, t.INT)
    args = (found.whole, Literal(None, arg.type), bits)
    return replace(call, name=f"#{call.name}", args=args)

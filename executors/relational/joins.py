"""Joins as Polars queries: equal keys, residual conditions, and the kinds that Polars lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from planner.columns import types as t
from planner.columns.building import build
from planner.columns.conditions import equal_keys, same_keys
from planner.columns.expressions import Attr, Call, Expr, attributes
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import Settings
from planner.query import logical as l

_ROW, _OTHER, _COUNT = "#row", "#other row", "#rows found"
_TWO_ROWS = "a subquery that stands for one value gave more than one row"
_OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!=", "<>": "<>"}


class _Keys:
    """The columns of one side that a join compares; what is computed becomes a column first, as
    Polars tells keys apart by their names. So does one that is compared twice: with `nulls_equal`
    Polars 2.1 fails on it where there is a join by comparison below."""

    def __init__(self, frame: pl.LazyFrame, prefix: str, settings: Settings) -> None:
        self.names: list[str] = []
        self._frame, self._prefix, self._settings = frame, prefix, settings
        self._more: list[pl.Expr] = []

    def add(self, key: Expr) -> None:
        """Compare a typed expression."""
        if isinstance(key, Attr) and key.column not in self.names:
            self.names.append(key.column)
        else:
            self.made(build(key, self._settings))

    def made(self, key: pl.Expr) -> None:
        """Compare a computed value."""
        self.names.append(f"{self._prefix}{len(self.names)}")
        self._more.append(key.alias(self.names[-1]))

    def frame(self) -> pl.LazyFrame:
        """The side with all its keys."""
        return self._frame.with_columns(self._more) if self._more else self._frame


@dataclass(frozen=True, eq=False)
class _Sides:
    """The two inputs, what must be equal, and the rest of the condition."""

    node: l.Join
    left: pl.LazyFrame
    right: pl.LazyFrame
    equal: Sequence[tuple[Expr, Expr]]  # never true of NULLs
    same: Sequence[tuple[Expr, Expr]]  # <=>
    rest: Sequence[Expr]
    settings: Settings

    def build(self, expr: Expr) -> pl.Expr:
        return build(expr, self.settings)

    @property
    def keyed(self) -> bool:
        return bool(self.equal or self.same)

    def together(self, how: str) -> pl.LazyFrame:
        """Polars' join on the equal keys; all pairs of rows if there are none."""
        if not self.keyed:
            return self.left.join(self.right, how="cross", maintain_order="left_right")
        pairs = [*self.equal, *self.same]
        on_left = _Keys(self.left, "#left key ", self.settings)
        on_right = _Keys(self.right, "#right key ", self.settings)
        for a, b in pairs:
            on_left.add(a)
            on_right.add(b)
        if self.same:  # all keys are compared by <=> then: keep NULLs of the others apart
            for a, b in self.equal:
                if a.nullable and b.nullable:
                    on_left.made(self.build(a).is_null().cast(pl.Int8))
                    on_right.made(self.build(b).is_null().cast(pl.Int8) * 2)
        return on_left.frame().join(
            on_right.frame(),
            how=how,  # type: ignore[arg-type]
            left_on=on_left.names,
            right_on=on_right.names,
            nulls_equal=bool(self.same),
            coalesce=None if how in ("semi", "anti") else False,
        )

    def matching(self) -> pl.LazyFrame:
        """The pairs of rows for which the whole condition is true."""
        found = self.together("inner")
        return found.filter(*map(self.build, self.rest)) if self.rest else found


def joined(
    node: l.Join, left: pl.LazyFrame, right: pl.LazyFrame, settings: Settings
) -> pl.LazyFrame:
    """The rows of a join, with the columns of `node.output`."""
    columns = [attr.column for attr in node.output]
    if node.kind == "right":
        turned = l.Join(node.right, node.left, "left", node.condition)
        return joined(turned, right, left, settings).select(columns)
    sides = _sides(node, left, right, settings)
    return _KINDS[node.kind](sides).select(columns)


def _sides(node: l.Join, left: pl.LazyFrame, right: pl.LazyFrame, settings: Settings) -> _Sides:
    equal, rest = equal_keys(node)
    same, rest = same_keys(rest, node.left.output, node.right.output)
    if node.kind in ("left", "semi", "anti", "single", "inner"):
        # What only the right side must be can be asked of it before.
        of_right = set(node.right.output)
        own = [p for p in rest if (used := attributes(p).keys()) and used <= of_right]
        if own:
            rest = [part for part in rest if part not in own]
            right = right.filter(*(build(part, settings) for part in own))
    return _Sides(node, left, right, _once_each(equal), _once_each(same), rest, settings)


def _once_each(pairs: Sequence[tuple[Expr, Expr]]) -> list[tuple[Expr, Expr]]:
    """The pairs, each once: Polars refuses to join twice by the same."""
    return list(dict.fromkeys(pairs))


def _numbered(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The rows with their numbers, by which they are found again. They are computed once for all
    who use them: computed again they could come in another order."""
    return frame.with_row_index(name).cache()


# ---- the kinds -----------------------------------------------------------------------------------


def _inner(at: _Sides) -> pl.LazyFrame:
    return at.matching()


def _left(at: _Sides) -> pl.LazyFrame:
    if at.keyed and not at.rest:
        return at.together("left")
    at = replace(at, left=_numbered(at.left, _ROW))
    found = at.matching().cache()
    lonely = at.left.join(found.select(_ROW), on=_ROW, how="anti")
    return pl.concat([found, lonely], how="diagonal")


def _full(at: _Sides) -> pl.LazyFrame:
    if at.keyed and not at.rest:
        return at.together("full")
    at = replace(at, left=_numbered(at.left, _ROW), right=_numbered(at.right, _OTHER))
    found = at.matching().cache()
    on_left = at.left.join(found.select(_ROW), on=_ROW, how="anti")
    on_right = at.right.join(found.select(_OTHER), on=_OTHER, how="anti")
    return pl.concat([found, on_left, on_right], how="diagonal")


def _semi(at: _Sides) -> pl.LazyFrame:
    return _having(at, True)


def _anti(at: _Sides) -> pl.LazyFrame:
    return _having(at, False)


def _having(at: _Sides, some: bool) -> pl.LazyFrame:
    """The rows of the left side that have a match, or that have none."""
    if at.keyed and not at.rest:
        return at.together("semi" if some else "anti")
    if not at.keyed and not at.rest:
        return _if_rows(at, some)
    by_extremes = _compared(at, some)
    if by_extremes is not None:
        return by_extremes
    left = _numbered(at.left, _ROW)
    found = replace(at, left=left).matching().select(_ROW)
    return left.join(found, on=_ROW, how="semi" if some else "anti")


def _if_rows(at: _Sides, some: bool) -> pl.LazyFrame:
    """All rows of the left side or none, as the right side has rows."""
    count = at.right.select(pl.len().alias(_COUNT))
    return at.left.join(count, how="cross").filter((pl.col(_COUNT) > 0) == some)


def _compared(at: _Sides, some: bool) -> pl.LazyFrame | None:
    """Where the rest is one comparison of the sides, the least and greatest value of each key tell
    whether there is a match: none of the pairs of rows need be made."""
    if len(at.rest) != 1 or not at.equal or at.same:
        return None
    part = at.rest[0]
    if not isinstance(part, Call) or part.name not in _OPPOSITE:
        return None
    sign, (a, b) = part.name, part.args
    of_left, of_right = set(at.node.left.output), set(at.node.right.output)
    if attributes(a).keys() <= of_right and attributes(b).keys() <= of_left:
        sign, a, b = _OPPOSITE[sign], b, a
    plain = isinstance(b.type, t.IntegralType | t.DecimalType | t.DateType | t.StringType)
    if not plain or not (attributes(a).keys() <= of_left and attributes(b).keys() <= of_right):
        return None
    value, keys = at.build(b), [f"#key {place}" for place in range(len(at.equal))]
    extremes = at.right.group_by(
        at.build(of).alias(key) for key, (_, of) in zip(keys, at.equal, strict=True)
    ).agg(value.min().alias("#least"), value.max().alias("#most"))
    own = _Keys(at.left, "#left key ", at.settings)
    for of, _ in at.equal:
        own.add(of)
    found = own.frame().join(extremes, how="left", left_on=own.names, right_on=keys, coalesce=False)
    mine, least, most = at.build(a), pl.col("#least"), pl.col("#most")
    match sign:
        case "<":
            true = mine < most
        case "<=":
            true = mine <= most
        case ">":
            true = mine > least
        case ">=":
            true = mine >= least
        case _:
            true = (mine != least) | (mine != most)
    return found.filter(true if some else ~true.fill_null(False))


def _null_aware_anti(at: _Sides) -> pl.LazyFrame:
    """NOT IN: with a NULL on the right nothing is left; a NULL on the left is left only if the
    right side has no rows."""
    if len(at.equal) != 1 or at.rest or at.same:
        raise TypeError(f"a null-aware anti join is on one pair, not {at.node.condition!r}")
    value, other = (at.build(each) for each in at.equal[0])
    counts = at.right.select(pl.len().alias(_COUNT), other.is_null().sum().alias("#nulls found"))
    empty = pl.col(_COUNT) == 0
    kept = empty | ((pl.col("#nulls found") == 0) & value.is_not_null())
    left = at.left.join(counts, how="cross").filter(kept)
    return replace(at, left=left).together("anti")


def _single(at: _Sides) -> pl.LazyFrame:
    """A left join in which a second match is an error."""
    names = [attr.column for attr in at.node.right.output]
    counted = [pl.len().alias(_COUNT), *(pl.col(name).first() for name in names)]
    if not at.keyed and not at.rest:
        return _once(at.left.join(at.right.select(counted), how="cross"), names)
    if at.rest:
        at = replace(at, left=_numbered(at.left, _ROW))
        found = at.matching().group_by(_ROW).agg(counted)
        return _once(at.left.join(found, on=_ROW, how="left"), names)
    keys = [at.build(b).alias(f"#key {n}") for n, (_, b) in enumerate((*at.equal, *at.same))]
    right = at.right.group_by(keys).agg(counted)
    return _once(replace(at, right=right).together("left"), names)


def _once(found: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    many = pl.col(_COUNT) > 1
    code = "SCALAR_SUBQUERY_TOO_MANY_ROWS"
    return found.with_columns(
        raise_where(many, code, _TWO_ROWS, pl.col(name)).alias(name) for name in names
    )


def _cross(at: _Sides) -> pl.LazyFrame:
    return _inner(at)


_KINDS = {
    "inner": _inner,
    "cross": _cross,
    "left": _left,
    "full": _full,
    "semi": _semi,
    "anti": _anti,
    "null-aware anti": _null_aware_anti,
    "single": _single,
}

assert set(_KINDS) | {"right"} == set(l.JOINS)

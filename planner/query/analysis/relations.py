"""Relations side by side: joins with their conditions, USING, names of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.columns.conditions import conjunction, conjuncts, has_outer
from planner.columns.expressions import Alias, Attr, Call, Expr, attributes
from planner.columns.functions.registry import Settings
from planner.columns.typing import AnalysisError, Scope, bind
from planner.query import logical as l
from planner.query.analysis.filenames import asks_for_files
from planner.query.analysis.subqueries import has_query, with_sides
from planner.query.analysis.timewindows import has_time_window
from planner.query.decorrelate import decorrelated


@dataclass(frozen=True)
class Relation:
    """What FROM gives: a plan, the columns that `*` stands for, and those that only a qualified
    name finds (the other side's keys of a USING)."""

    plan: l.Plan
    attrs: tuple[Attr, ...]
    hidden: tuple[Attr, ...] = ()

    def scope(self, settings: Settings, outer: Scope | None = None) -> Scope:
        """The names that it gives."""
        return Scope(self.attrs, settings, outer, hidden=self.hidden)


def relation(plan: l.Plan) -> Relation:
    """All columns of a plan."""
    return Relation(plan, plan.output)


def called(found: Relation, name: str, columns: Sequence[str] = ()) -> Relation:
    """A relation under the name of an alias, its columns perhaps as well.

    Raises AnalysisError where the number of columns is another.
    """
    plan: l.Plan = found.plan
    if columns:
        if len(columns) != len(found.attrs):
            raise AnalysisError(
                f"{name} names {len(columns)} columns, and there are {len(found.attrs)}",
                "ASSIGNMENT_ARITY_MISMATCH",
            )
        pairs = zip(found.attrs, columns, strict=True)
        plan = l.Project(plan, tuple(Alias(attr, column) for attr, column in pairs))
    elif plan.output != found.attrs:
        plan = l.Project(plan, found.attrs)
    return relation(l.Known(plan, (name,)))


@dataclass(frozen=True)
class On:
    """How a join pairs rows: by a condition, by columns of both, or by all columns of one name."""

    condition: Expr | None = None
    using: tuple[str, ...] = ()
    natural: bool = False


def joined(
    left: Relation,
    right: Relation,
    kind: str,
    on: On,
    settings: Settings,
    outer: Scope | None = None,
) -> Relation:
    """Two relations side by side. `kind` is one of `logical.JOINS`.

    Raises AnalysisError for names that are not there, and conditions that are no boolean.
    """
    if on.natural:
        there = {_fold(attr.name, settings) for attr in right.attrs}
        shared = [attr.name for attr in left.attrs if _fold(attr.name, settings) in there]
        on = On(using=tuple(shared))
    if on.using:
        return _using(left, right, kind, on.using, settings)
    condition = on.condition
    hidden = (*left.hidden, *right.hidden)
    if condition is not None:
        both = Scope((*left.attrs, *right.attrs), settings, outer, hidden=hidden)
        condition = bind(condition, both)
        if asks_for_files([condition]) or has_time_window([condition]):
            raise NotImplementedError(
                "the file or the window of time of a row in the condition of a join; select it "
                "before the join"
            )
        if condition.type.typeName() not in ("boolean", "void"):
            raise AnalysisError(
                f"the condition of a join must be a boolean, and is "
                f"{condition.type.simpleString()}",
                "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
            )
    sides = left.plan, right.plan
    if condition is not None and has_query(condition):
        one, other, condition = with_sides(*sides, condition, settings)
        sides = one, other
    if kind == "inner" and condition is None:
        kind = "cross"
    if kind == "cross" and condition is not None:
        kind = "inner"
    made = l.Join(*sides, kind, condition)
    return _of_output(made, (*left.attrs, *right.attrs), hidden)


def _of_output(made: l.Plan, attrs: Sequence[Attr], hidden: Sequence[Attr]) -> Relation:
    """The columns as the plan has them: some may be NULL now, some are gone."""
    if not hidden and made.output == attrs:
        return Relation(made, made.output)
    found = {attr: attr for attr in made.output}
    return Relation(
        made,
        tuple(found[attr] for attr in attrs if attr in found),
        tuple(found[attr] for attr in hidden if attr in found),
    )


def _fold(name: str, settings: Settings) -> str:
    return name if settings.case_sensitive else name.lower()


def _key(side: Relation, name: str, settings: Settings) -> Attr:
    found = [a for a in side.attrs if _fold(a.name, settings) == _fold(name, settings)]
    if len(found) == 1:
        return found[0]
    if found:
        raise AnalysisError(f"{name} is the name of two columns of a side", "AMBIGUOUS_REFERENCE")
    names = ", ".join(attr.name for attr in side.attrs)
    raise AnalysisError(
        f"there is no column {name} to join by; the side has {names}",
        "UNRESOLVED_USING_COLUMN_FOR_JOIN",
    )


def _using(
    left: Relation, right: Relation, kind: str, names: Sequence[str], settings: Settings
) -> Relation:
    pairs = [(_key(left, name, settings), _key(right, name, settings)) for name in names]
    nothing = Scope((), settings)
    condition = conjunction([bind(Call("=", pair), nothing, check=False) for pair in pairs])
    made: l.Plan = l.Join(left.plan, right.plan, "inner" if kind == "cross" else kind, condition)
    keys = [pair[1] if kind == "right" else pair[0] for pair in pairs]
    merged = {attr for pair in pairs for attr in pair}
    if kind == "full":
        wholes = [
            Alias(bind(Call("coalesce", pair), nothing, check=False), pair[0].name)
            for pair in pairs
        ]
        made = l.Project(made, (*made.output, *wholes))
        keys = [whole.attr for whole in wholes]
    rest = [attr for attr in (*left.attrs, *right.attrs) if attr not in merged]
    gone = [attr for attr in merged if attr not in keys]
    return _of_output(made, (*keys, *rest), (*left.hidden, *right.hidden, *gone))


def lateral(left: Relation, right: Relation, kind: str, on: On, settings: Settings) -> Relation:
    """A subquery for each row of the left side; it may use that row's columns as `Outer`."""
    if kind not in ("inner", "cross", "left"):
        raise AnalysisError(f"a lateral join cannot be {kind}", "UNSUPPORTED_FEATURE.LATERAL_JOIN")
    found = decorrelated(right.plan, left.plan)
    inside = Relation(found.plan, right.attrs)
    own = None
    if on.condition is not None:
        both = Scope((*left.attrs, *right.attrs), settings, hidden=left.hidden)
        own = bind(on.condition, both)
    parts = [*found.conditions, *conjuncts(own)]
    how = kind if kind == "left" else "inner" if parts else "cross"
    made = l.Join(left.plan, inside.plan, how, conjunction(parts) if parts else None)
    return _of_output(made, (*left.attrs, *right.attrs), left.hidden)


# ---- FROM a, b, c WHERE … ------------------------------------------------------------------------


def connected(plan: l.Plan, condition: Expr) -> tuple[l.Plan, list[Expr]]:
    """Tables that a comma puts side by side, joined by the equalities of WHERE instead of as all
    pairs; and the rest of the condition."""
    factors = _factors(plan)
    parts = conjuncts(condition)
    if len(factors) == 1:
        return plan, parts
    rest = [part for part in parts if has_query(part) or has_outer(part) or not attributes(part)]
    parts = [part for part in parts if part not in rest]
    for place, factor in enumerate(factors):
        own = [part for part in parts if attributes(part).keys() <= factor.there]
        if own:
            factors[place] = l.Filter(factor, conjunction(own))
            parts = [part for part in parts if part not in own]
    found = factors.pop(0)
    while factors:
        place = next((n for n, each in enumerate(factors) if _linked(found, each, parts)), 0)
        factor = factors.pop(place)
        there = found.there | factor.there
        on = [part for part in parts if attributes(part).keys() <= there]
        parts = [part for part in parts if part not in on]
        found = l.Join(found, factor, "inner" if on else "cross", conjunction(on) if on else None)
    return found, [*parts, *rest]


def _factors(plan: l.Plan) -> list[l.Plan]:
    found: list[l.Plan] = []
    while isinstance(plan, l.Join) and plan.kind == "cross" and plan.condition is None:
        found.append(plan.right)
        plan = plan.left
    return [plan, *reversed(found)]


def _linked(a: l.Plan, b: l.Plan, parts: Sequence[Expr]) -> bool:
    """Whether an equality links two plans."""
    of_a, of_b = a.there, b.there
    for part in parts:
        if isinstance(part, Call) and part.name in ("=", "==", "<=>"):
            x, y = (attributes(arg).keys() for arg in part.args)
            if x and y and ((x <= of_a and y <= of_b) or (x <= of_b and y <= of_a)):
                return True
    return False

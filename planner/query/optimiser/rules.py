"""The optimiser: rules one after the other. Each is pure, and none is needed for the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.optimiser.collapse import collapse
from planner.query.optimiser.columns import columns
from planner.query.optimiser.fold import folding
from planner.query.optimiser.imply import imply
from planner.query.optimiser.infer import infer
from planner.query.optimiser.joinorder import joinorder
from planner.query.optimiser.limits import limits
from planner.query.optimiser.needless import needless
from planner.query.optimiser.push import push
from planner.query.optimiser.reuse import reuse
from planner.query.optimiser.semis import semis
from planner.query.optimiser.sideways import sideways


@dataclass(frozen=True)
class Rule:
    """A name, and what it does to a plan under the session's settings."""

    name: str
    of: Callable[[Settings], Callable[[l.Plan], l.Plan]]


def _always(rule: Callable[[l.Plan], l.Plan]) -> Callable[[Settings], Callable[[l.Plan], l.Plan]]:
    return lambda settings: rule


RULES = (
    Rule("needless", _always(needless)),
    Rule("collapse", _always(collapse)),
    Rule("fold", folding),
    Rule("imply", _always(imply)),
    Rule("push", _always(push)),
    Rule("infer", _always(infer)),
    Rule("push again", _always(push)),
    Rule("joinorder", _always(joinorder)),
    Rule("semis", _always(semis)),
    Rule("sideways", _always(sideways)),
    Rule("limits", _always(limits)),
    Rule("reuse", _always(reuse)),
    Rule("columns", _always(columns)),
    Rule("needless again", _always(needless)),
)


def optimise(
    plan: l.Plan,
    settings: Settings = Settings(),  # noqa: B008 - it is frozen
    upto: str | None = None,
    without: Collection[str] = (),
) -> l.Plan:
    """The plan after the rules.

    Parameters
    ----------
    plan : Plan
        A typed plan, subqueries made into joins.
    settings : Settings
        The session's.
    upto : str, optional
        The name of the last rule to apply; all of them if None.
    without : names
        Rules to leave out.

    Raises
    ------
    KeyError
        There is no rule of that name.
    """
    names = [rule.name for rule in RULES]
    unknown = {*without, *([upto] if upto else [])} - set(names)
    if unknown:
        raise KeyError(f"no rule {sorted(unknown)}; there are {', '.join(names)}")
    settled: dict[str, l.Plan] = {}  # what a rule left, which it would leave again
    for rule in RULES:
        what = rule.name.removesuffix(" again")
        if rule.name not in without and settled.get(what) is not plan:
            plan = settled[what] = rule.of(settings)(plan)
        if rule.name == upto:
            break
    return plan

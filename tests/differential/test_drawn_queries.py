"""Random queries have one answer: in one task, in stages, whatever rule is left out, and DuckDB's.

The queries are the same in every run. To look for more of them:
`DRAWN_QUERIES=2000 python -m pytest tests/differential --hypothesis-seed=7`.
"""

from __future__ import annotations

import os

from drawn_answers import Both, Way
from drawn_queries import Drawn, queries
from hypothesis import HealthCheck, given, settings

from planner.query.optimiser.rules import RULES

MANY = int(os.environ.get("DRAWN_QUERIES", "0"))
drawn = settings(
    max_examples=MANY or 18,
    derandomize=not MANY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = tuple(rule.name for rule in RULES)
STAGED = tuple(Way(partitions, broadcast) for partitions in (1, 3) for broadcast in (False, True))
ADAPTED = (Way(3, adaptive=True), Way(3, adaptive=True, split=True), Way(3))


@drawn
@given(query=queries())
def test_one_task_and_stages(both: Both, query: Drawn) -> None:
    both.check(query.text, (Way(), *STAGED), query.ordered)


@drawn
@given(query=queries())
def test_any_rule_may_be_left_out(both: Both, query: Drawn) -> None:
    both.check(query.text, (Way(without=(name,)) for name in NAMES), query.ordered)


@drawn
@given(query=queries())
def test_all_rules_may_be_left_out(both: Both, query: Drawn) -> None:
    both.check(query.text, (Way(without=NAMES), Way(3, without=NAMES)), query.ordered)


@drawn
@given(query=queries())
def test_measured_sizes_change_no_answer(both: Both, query: Drawn) -> None:
    both.check(query.text, ADAPTED, query.ordered)

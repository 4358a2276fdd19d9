"""What drawn queries found once."""

from __future__ import annotations

import pytest
from drawn_answers import Both, Way, differ

from planner.query.optimiser.rules import RULES

NONE = tuple(rule.name for rule in RULES)
WAYS = (Way(), Way(1), Way(3), Way(3, broadcast=True), Way(without=NONE), Way(3, without=NONE))

# Rows come out of a join in any order; a join that asks for more than equality numbers them.
_SIDE = "(SELECT a.k, a.f FROM lot a JOIN few b ON a.k = b.k)"
NUMBERED = {
    "left": f"SELECT x.k, x.f, y.f FROM {_SIDE} x LEFT JOIN few y ON x.k = y.k AND x.f <= y.f",
    "right": f"SELECT x.k, x.f, y.f FROM few y RIGHT JOIN {_SIDE} x ON x.k = y.k AND x.f <= y.f",
    "full": f"SELECT x.f, y.f FROM {_SIDE} x FULL JOIN {_SIDE} y ON x.k = y.k AND x.f < y.f",
    "semi": f"SELECT x.k, x.f FROM {_SIDE} x SEMI JOIN few y ON x.k = y.k AND x.f <= y.f",
    "anti": f"SELECT x.k, x.f FROM {_SIDE} x ANTI JOIN few y ON x.k = y.k AND x.f <= y.f",
}


@pytest.mark.parametrize("kind", NUMBERED)
def test_rows_of_a_join_are_found_again_in_another_join(both: Both, kind: str) -> None:
    text = NUMBERED[kind]
    expected = both.expected(text)
    for _ in range(12):
        assert not differ(both.answer(text, Way()), expected, ordered=False)


_SOME = "(SELECT a.k, a.f, a.n FROM lot a JOIN lot b ON a.k = b.k LIMIT 7)"
AGAIN = {
    "correlated": f"SELECT count(*) FROM {_SOME} x "
    "WHERE (SELECT count(*) FROM few y WHERE y.f < x.f) >= 0",
    "rollup": f"SELECT max(c) FROM (SELECT count(*) AS c FROM {_SOME} GROUP BY ROLLUP(k))",
    "common": f"WITH x AS {_SOME} SELECT count(*) FROM x WHERE f IS NULL OR f IN (SELECT f FROM x)",
}


@pytest.mark.parametrize("name", AGAIN)
def test_places_that_stand_on_open_rows_see_the_same(both: Both, name: str) -> None:
    """Which seven rows a limit takes is open, but that they are seven is not."""
    for way in (Way(), Way(3)):
        for _ in range(12):
            assert both.answer(AGAIN[name], way) == [(7,)]


ONCE = {
    # the number of rows of a side without rows was divided by
    "an empty side of a join": "SELECT a.k, c.k FROM few a ANTI JOIN empty b ON a.k < b.k "
    "JOIN few c ON a.n = c.n JOIN lot d ON c.k = d.k",
    "an empty side of a semi join": "SELECT d.k FROM empty a SEMI JOIN few b ON a.k = b.k "
    "CROSS JOIN few c JOIN lot d ON c.k = d.k",
    # NOT IN had nothing to look up
    "a constant not in a query": "SELECT k FROM few WHERE 1 NOT IN (SELECT n FROM holes)",
    "a constant not in no rows": "SELECT k FROM few WHERE 1 NOT IN (SELECT n FROM empty)",
    "NULL not in no rows": "SELECT k FROM few WHERE CAST(NULL AS INT) NOT IN (SELECT n FROM empty)",
    "a column from further out": "SELECT k FROM few a WHERE EXISTS (SELECT 1 FROM lot b "
    "WHERE a.n NOT IN (SELECT c.n FROM whole c WHERE c.k = 2))",
    # a select of which only constants were left gave one row
    "constants beside columns in a union": "SELECT DATE '1969-12-31' AS a, "
    "c2 NOT IN (CAST(0 AS DECIMAL(10,2))) AS b, true AS c "
    "FROM (SELECT CAST(1.25 AS DECIMAL(10,2)) AS c2 FROM holes "
    "UNION ALL SELECT CAST(1.25 AS DECIMAL(10,2)) FROM whole) UNION ALL "
    "SELECT DATE '1969-12-31', nullif(true, CAST(NULL AS BOOLEAN)), t <> DATE '1969-12-31' "
    "FROM (SELECT d, t FROM whole x WHERE EXISTS "
    "(SELECT 1 FROM (SELECT d, b FROM single LIMIT 0) y WHERE x.d = y.d AND y.b) GROUP BY d, t)",
}


@pytest.mark.parametrize("name", ONCE)
def test_as_duckdb(both: Both, name: str) -> None:
    both.check(ONCE[name], WAYS)


# A subquery that the query around it contains: the aggregate is made of the join's own rows.
_OWN = "SELECT a.n, a.f FROM lot a JOIN files p ON p.k = a.k WHERE p.n > 0 AND a.f < "
CONTAINED = {
    "an average": _OWN + "(SELECT avg(b.f) FROM lot b WHERE b.k = p.k)",
    "the most": _OWN + "(SELECT max(b.f) FROM lot b WHERE b.k = a.k)",
    "different values": _OWN + "(SELECT count(DISTINCT b.n) FROM lot b WHERE b.k = p.k)",
    "a sum minds copies": _OWN + "(SELECT sum(b.n) FROM lot b WHERE b.k = p.k)",
    "fewer rows within": _OWN + "(SELECT avg(b.f) FROM lot b WHERE b.k = p.k AND b.n > 0)",
    "fewer rows around": _OWN + "(SELECT avg(b.f) FROM lot b WHERE b.k = p.k) AND a.n > 0",
    "by two columns": "SELECT a.n FROM lot a JOIN files p ON p.k = a.k AND p.n = a.n "
    "WHERE a.f < (SELECT max(b.f) FROM lot b WHERE b.k = p.k)",
    "of a join": "SELECT a.n FROM lot a JOIN few c ON a.n = c.n JOIN files p ON p.k = a.k "
    "WHERE p.n > 0 AND a.f <= (SELECT max(b.f) FROM lot b JOIN few d ON b.n = d.n WHERE b.k = p.k)",
}


@pytest.mark.parametrize("name", CONTAINED)
def test_a_subquery_contained_in_the_query_around_it(both: Both, name: str) -> None:
    both.check(CONTAINED[name], WAYS)


SAME = {
    "a filter": "SELECT x.k, y.n FROM lot x JOIN lot y ON x.k = y.n WHERE x.f > 0 AND y.f > 0",
    "groups": "WITH g AS (SELECT k, max(f) AS m FROM lot GROUP BY k) "
    "SELECT x.k, y.m FROM g x LEFT JOIN g y ON x.k = y.k + 1",
    "under other names": "SELECT x.a, y.b FROM (SELECT n AS a, f FROM files WHERE k = 1) x "
    "JOIN (SELECT n AS b, f FROM files WHERE k = 1) y ON x.f = y.f",
    "three times": "SELECT count(*) FROM (SELECT k FROM lot WHERE n > 0 UNION ALL "
    "SELECT k FROM lot WHERE n > 0 UNION ALL SELECT k FROM lot WHERE n > 0)",
}


@pytest.mark.parametrize("name", SAME)
def test_equal_parts_are_one(both: Both, name: str) -> None:
    both.check(SAME[name], WAYS)

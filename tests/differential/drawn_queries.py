"""Random queries, as text that Spark and DuckDB understand alike.

A relation is the text of a SELECT and its columns, each with a kind: 'int', 'float', 'text',
'bool', 'dec', 'date', or 'near' for fractions whose last digits hang on the order of the rows;
those are made by the outermost SELECT only. Numbers stay small, and nothing in a query can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from drawn_tables import KINDS, TABLES
from hypothesis import strategies as st

ALL = ("int", "float", "text", "bool", "dec", "date")
_NULL = {
    "int": "CAST(NULL AS BIGINT)",
    "float": "CAST(NULL AS DOUBLE)",
    "text": "CAST(NULL AS STRING)",
    "bool": "CAST(NULL AS BOOLEAN)",
    "dec": "CAST(NULL AS DECIMAL(10,2))",
    "date": "CAST(NULL AS DATE)",
}
_CONSTANTS = {
    "int": ("1", "0", "2", "-1", "3", "7"),
    "float": ("CAST(1.5 AS DOUBLE)", "CAST(0 AS DOUBLE)", "CAST('NaN' AS DOUBLE)", "-2.25e0"),
    "text": ("'a'", "''", "'b'", "'ab'", "'ü'"),
    "bool": ("true", "false"),
    "dec": ("CAST(1.25 AS DECIMAL(10,2))", "CAST(0 AS DECIMAL(10,2))", "CAST(2 AS DECIMAL(5,1))"),
    "date": ("DATE '2020-01-03'", "DATE '1969-12-31'", "DATE '2020-03-01'"),
}
_COMPARED = ("=", "<", ">", "<=", ">=", "<>")


@dataclass(frozen=True)
class Column:
    """A column as expressions call it, and its kind."""

    text: str
    kind: str


@dataclass(frozen=True)
class Relation:
    """A SELECT (or a table's name) and its columns, under their bare names."""

    text: str
    columns: tuple[Column, ...]
    limited: bool = False


@dataclass(frozen=True)
class Drawn:
    """A query; `ordered` if the order of its rows is fixed."""

    text: str
    ordered: bool

    def __repr__(self) -> str:
        return f"({'ordered' if self.ordered else 'bag'}) {self.text}"


@dataclass
class Drawing:
    """One query being drawn."""

    draw: Callable[[Any], Any]
    names: int = 0
    known: list[Relation] = field(default_factory=list)  # WITH
    budget: int = 5  # relations that may still be made
    around: list[Column] = field(default_factory=list)  # columns of the queries around

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def one(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def number(self, least: int, most: int) -> int:
        return int(self.draw(st.integers(least, most)))

    def chance(self, percent: int) -> bool:
        """True so often; shrinks to False."""
        return self.number(0, 99) >= 100 - percent

    # ---- values ----------------------------------------------------------------------------------

    def column(self, kind: str, scope: Sequence[Column]) -> str:
        """A column of the scope; a constant if there is none of the kind."""
        found = [each.text for each in scope if each.kind == kind]
        return self.one(found) if found else self.one(_CONSTANTS[kind])

    def value(self, kind: str, scope: Sequence[Column], depth: int = 2) -> str:
        """An expression of a kind."""
        if depth <= 0 or self.chance(45):
            if self.chance(15):
                return self.one((*_CONSTANTS[kind], _NULL[kind]))
            return self.column(kind, scope)
        if self.chance(35):
            return self._any_kind(kind, scope, depth - 1)
        return getattr(self, f"_{kind}")(scope, depth - 1)

    def _any_kind(self, kind: str, scope: Sequence[Column], depth: int) -> str:
        def more() -> str:
            return self.value(kind, scope, depth)

        match self.number(0, 5):
            case 0:
                return f"coalesce({more()}, {more()})"
            case 1:
                return f"CASE WHEN {self.condition(scope, depth)} THEN {more()} ELSE {more()} END"
            case 2:
                return f"CASE WHEN {self.condition(scope, depth)} THEN {more()} END"
            case 3:
                return f"nullif({more()}, {more()})"
            case 4 if kind != "bool":
                return f"greatest({more()}, {more()})"
            case 5 if kind != "bool":
                return f"least({more()}, {more()}, {more()})"
        return more()

    def _int(self, scope: Sequence[Column], depth: int) -> str:
        a = self.value("int", scope, depth)
        match self.number(0, 7):
            case 0:
                return f"({a} + {self.value('int', scope, depth)})"
            case 1:
                return f"({a} - {self.value('int', scope, depth)})"
            case 2:
                return f"(({a} * {self.value('int', scope, depth)}) % 97)"
            case 3:
                return f"abs({a})"
            case 4:
                return f"({a} % {self.one((2, 3, 5))})"
            case 5:
                return f"length({self.value('text', scope, depth)})"
            case 6:
                return f"year({self.value('date', scope, depth)})"
        return f"CAST({self.value('bool', scope, depth)} AS INT)"

    def _float(self, scope: Sequence[Column], depth: int) -> str:
        a = self.value("float", scope, depth)
        match self.number(0, 4):
            case 0:
                return f"({a} + {self.value('float', scope, depth)})"
            case 1:
                return f"({a} - {self.value('float', scope, depth)})"
            case 2:
                return f"(- {a})"
            case 3:
                return f"({a} * CAST(0.5 AS DOUBLE))"
        return f"CAST({self.value('int', scope, depth)} AS DOUBLE)"

    def _text(self, scope: Sequence[Column], depth: int) -> str:
        a = self.value("text", scope, depth)
        match self.number(0, 7):
            case 0:
                return f"({a} || {self.value('text', scope, depth)})"
            case 1:
                return f"upper({a})"
            case 2:
                return f"lower({a})"
            case 3:
                return f"substring({a}, {self.number(1, 3)}, {self.number(0, 2)})"
            case 4:
                return f"trim({a})"
            case 5:
                return f"replace({a}, 'a', {self.one(_CONSTANTS['text'])})"
            case 6:
                return f"CAST({self.value('int', scope, depth)} AS STRING)"
        return f"concat({a}, {self.one(_CONSTANTS['text'])})" if a.startswith("'") else f"({a})"

    def _dec(self, scope: Sequence[Column], depth: int) -> str:
        a = self.value("dec", scope, depth)
        match self.number(0, 2):
            case 0:
                return f"({a} + {self.value('dec', scope, depth)})"
            case 1:
                return f"({a} - {self.value('dec', scope, depth)})"
        return f"(- {a})"

    def _date(self, scope: Sequence[Column], depth: int) -> str:
        return self._any_kind("date", scope, depth)

    def _bool(self, scope: Sequence[Column], depth: int) -> str:
        return self.condition(scope, depth)

    def kind(self, scope: Sequence[Column]) -> str:
        """A kind that the scope has, most often of a key that fits others."""
        return "int" if self.chance(40) else self.one(scope).kind

    def condition(self, scope: Sequence[Column], depth: int = 2) -> str:
        """Something true, false or NULL, without a subquery."""
        return f"({self._condition(scope, depth)})"

    def _condition(self, scope: Sequence[Column], depth: int) -> str:
        most = 10 if depth > 0 else 5
        kind = self.one(scope).kind
        match self.number(0, most):
            case 0 | 1:
                a = self.column(kind, scope)
                return f"{a} {self.one(_COMPARED)} {self.one(_CONSTANTS[kind])}"
            case 2:
                other = self.one(("int", "float", "dec")) if kind in ("int", "float") else kind
                a, b = self.column(kind, scope), self.column(other, scope)
                return f"{a} {self.one(_COMPARED)} {b}"
            case 3:
                return f"{self.column(kind, scope)} IS {self.one(('', 'NOT '))}NULL"
            case 4:
                items = [self.one(_CONSTANTS[kind]) for _ in range(self.number(1, 3))]
                items += [_NULL[kind]] if self.chance(15) else []
                a = self.column(kind, scope)
                return f"{a} {self.one(('', 'NOT '))}IN ({', '.join(items)})"
            case 5:
                return self.column("bool", scope)
            case 6:
                a, b = self.value(kind, scope, depth - 1), self.value(kind, scope, depth - 1)
                return f"{a} {self.one(_COMPARED)} {b}"
            case 7:
                a, b = self.condition(scope, depth - 1), self.condition(scope, depth - 1)
                return f"{a} {self.one(('OR', 'AND'))} {b}"
            case 8:
                return f"NOT {self.condition(scope, depth - 1)}"
            case 9:
                a, b = self.value(kind, scope, depth - 1), self.value(kind, scope, depth - 1)
                return f"{a} IS {self.one(('', 'NOT '))}DISTINCT FROM {b}"
        pattern = self.one(("'a%'", "'%b'", "'%a%'", "'_'", "''"))
        return f"{self.value('text', scope, depth - 1)} LIKE {pattern}"

    # ---- subqueries ------------------------------------------------------------------------------

    def subquery_condition(self, scope: Sequence[Column]) -> str:
        """A condition with a subquery, which may look at the scope."""
        return f"({self._subquery_condition(scope)})"

    def _subquery_condition(self, scope: Sequence[Column]) -> str:
        inner, alias = self.dependent(scope), self.name("q")
        own = self.seen(inner, alias)
        where = f" WHERE {self._tied(own, scope)}" if self.chance(65) else ""
        source = f"FROM {self.source(inner, alias)}{where}"
        match self.number(0, 5):
            case 0 | 1:
                return f"{self.one(('', 'NOT '))}EXISTS (SELECT 1 {source})"
            case 5:
                return self._in_pairs(scope)
        kind, value = self.total(own)
        a = self.column(kind, scope)
        return f"{a} {self.one(_COMPARED)} (SELECT {value} {source})"

    def _in_pairs(self, scope: Sequence[Column]) -> str:
        """Two values in a query of two columns; DuckDB has it for queries that stand alone."""
        inner, alias = self.base(), self.name("q")
        own = self.seen(inner, alias)
        kinds = self.kind(own), self.kind(own)
        values = ", ".join(self.value(kind, scope, 1) for kind in kinds)
        columns = ", ".join(self.column(kind, own) for kind in kinds)
        return f"({values}) IN (SELECT {columns} FROM {self.source(inner, alias)})"

    def dependent(self, scope: Sequence[Column]) -> Relation:
        """A relation that may look at the scope of the query around it."""
        before = self.around
        self.around = [*before, *scope] if self.chance(35) else []
        found = self.relation(1)
        self.around = before
        return found

    def scalar(self, scope: Sequence[Column]) -> tuple[str, str]:
        """(kind, a subquery that stands for one value)."""
        inner, alias = self.dependent(scope), self.name("q")
        own = self.seen(inner, alias)
        where = f" WHERE {self._tied(own, scope)}" if self.chance(65) else ""
        kind, value = self.total(own)
        return kind, f"(SELECT {value} FROM {self.source(inner, alias)}{where})"

    def _tied(self, own: Sequence[Column], scope: Sequence[Column]) -> str:
        """A condition that ties the rows of a subquery to the outer row."""
        kind = self.kind(own)
        sign = "=" if self.chance(70) else self.one(_COMPARED)
        tie = f"{self.column(kind, own)} {sign} {self.column(kind, scope)}"
        if self.chance(30):
            tie += f" AND {self.condition(own, 1)}"
        if self.chance(20):
            tie += f" AND {self.condition([*own, *scope], 0)}"
        return tie

    def total(self, scope: Sequence[Column]) -> tuple[str, str]:
        """(kind, an aggregate)."""
        which = self.number(0, 9)
        kind = self.one(ALL)
        distinct = self.one(("", "", "DISTINCT "))
        found: tuple[str, str]
        match which:
            case 0:
                found = "int", "count(*)"
            case 1 | 2:
                found = "int", f"count({distinct}{self.value(kind, scope, 1)})"
            case 3:
                found = kind, f"min({self.value(kind, scope, 1)})"
            case 4:
                found = kind, f"max({self.value(kind, scope, 1)})"
            case 5 | 6:
                found = "int", f"sum({distinct}{self.value('int', scope, 1)})"
            case 7:
                found = "float", f"sum({distinct}{self.value('float', scope, 1)})"
            case 8:
                found = "dec", f"sum({distinct}{self.value('dec', scope, 1)})"
            case _:
                every = self.one(("bool_and", "bool_or"))
                found = "bool", f"{every}({self.value('bool', scope, 1)})"
        kind, text = found
        if self.chance(20):
            text += f" FILTER (WHERE {self.condition(scope, 1)})"
        return kind, f"CAST({text} AS BIGINT)" if kind == "int" else text

    # ---- relations -------------------------------------------------------------------------------

    def seen(self, relation: Relation, alias: str) -> list[Column]:
        """Its columns, as those say who call it `alias`."""
        return [Column(f"{alias}.{each.text}", each.kind) for each in relation.columns]

    def source(self, relation: Relation, alias: str) -> str:
        text = relation.text
        return f"({text}) {alias}" if " " in text else f"{text} {alias}"

    def base(self) -> Relation:
        if self.known and self.chance(40):
            return self.one(self.known)
        name = self.one(list(TABLES))
        return Relation(name, tuple(Column(c, kind) for c, kind in KINDS.items()))

    def relation(self, depth: int) -> Relation:
        """A table, or what a SELECT makes of tables."""
        if depth <= 0 or self.budget <= 0 or self.chance(50):
            return self.base()
        self.budget -= 1
        match self.number(0, 9):
            case 0 | 1 | 2:
                return self.selected(depth)
            case 3 | 4 | 5:
                return self.grouped(depth)
            case 6:
                return self.windowed(depth)
            case 7 | 8:
                return self.combined(depth)
        return self.first_rows(depth)

    def joined(self, depth: int) -> tuple[str, list[Column]]:
        """(what stands after FROM, its columns)."""
        relation, alias = self.relation(depth - 1), self.name("q")
        text, scope = self.source(relation, alias), self.seen(relation, alias)
        for _ in range(self.one((0, 0, 1, 1, 1, 2, 3) if depth > 1 else (0, 0, 0, 1, 2))):
            if self.chance(4) and self.budget > 0:
                other, alias = self.dependent(scope), self.name("q")
                if " " in other.text:
                    text += f" CROSS JOIN LATERAL {self.source(other, alias)}"
                    scope = [*scope, *self.seen(other, alias)]
                    continue
            other, alias = self.relation(depth - 1), self.name("q")
            own = self.seen(other, alias)
            kind = self.one(
                ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS")
            )
            if kind == "CROSS":
                limited = self.one(("few", "single", "holes", "empty"))
                other = Relation(limited, tuple(Column(c, k) for c, k in KINDS.items()))
                text += f" CROSS JOIN {self.source(other, alias)}"
                scope = [*scope, *self.seen(other, alias)]
                continue
            text += f" {kind} {self.source(other, alias)} ON {self._on(scope, own)}"
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                scope = [*scope, *own]
        return text, scope

    def _on(self, left: Sequence[Column], right: Sequence[Column]) -> str:
        kind = self.kind(right)
        parts = []
        if self.chance(15):  # numbers of two kinds
            one, other = self.draw(st.permutations(("int", "float", "dec")))[:2]
            parts.append(f"{self.column(one, left)} = {self.column(other, right)}")
        elif self.chance(90):
            a, b = self.column(kind, left), self.column(kind, right)
            if self.chance(15):
                a = self.value(kind, left, 1)
            if self.chance(10):
                parts.append(f"{a} IS NOT DISTINCT FROM {b}")
            else:
                parts.append(f"{a} = {b}")
        if self.chance(25):
            kind = self.kind(right)
            parts.append(f"{self.column(kind, left)} = {self.column(kind, right)}")
        if not parts or self.chance(35):
            kind = self.one(ALL)
            sign = self.one(_COMPARED)
            parts.append(f"{self.column(kind, left)} {sign} {self.column(kind, right)}")
        if self.chance(20):
            parts.append(self.condition([*left, *right, *self.around], 1))
        return " AND ".join(parts)

    def where(self, scope: Sequence[Column]) -> str:
        if self.around and self.chance(50):
            return f" WHERE {self._tied(scope, self.around)}"
        if self.chance(55):
            return ""
        parts = [self.condition(scope) for _ in range(self.one((1, 1, 2)))]
        if self.chance(35):
            parts = []
        if (not parts or self.chance(20)) and self.budget > 0:
            parts.append(self.subquery_condition(scope))
            if self.chance(15):
                parts = [" OR ".join(parts)]
        return " WHERE " + " AND ".join(parts) if parts else ""

    def _made(self, columns: Sequence[tuple[str, str]]) -> tuple[str, tuple[Column, ...]]:
        """(what stands after SELECT, its columns) of (kind, text)."""
        names = [self.name("c") for _ in columns]
        text = ", ".join(f"{c} AS {n}" for (_, c), n in zip(columns, names, strict=True))
        made = tuple(Column(n, kind) for (kind, _), n in zip(columns, names, strict=True))
        return text, made

    def selected(self, depth: int, top: bool = False) -> Relation:
        source, scope = self.joined(depth)
        where = self.where(scope)
        columns = []
        for _ in range(self.number(1, 4)):
            if self.chance(10) and self.budget > 0:
                columns.append(self.scalar(scope))
            elif self.chance(50):
                found = self.one(scope)
                columns.append((found.kind, found.text))
            else:
                kind = self.one(ALL)
                columns.append((kind, self.value(kind, scope)))
        if top and self.chance(30):
            a, b = self.value("float", scope, 1), self.value("int", scope, 1)
            columns.append(("near", f"({a} / nullif({b}, 0))"))
        text, made = self._made(columns)
        distinct = "DISTINCT " if self.chance(20) else ""
        return Relation(f"SELECT {distinct}{text} FROM {source}{where}", made)

    def grouped(self, depth: int, top: bool = False) -> Relation:
        source, scope = self.joined(depth)
        where = self.where(scope)
        keys: list[tuple[str, str]] = []
        for _ in range(self.number(0, 3)):
            found = self.one(scope)
            if self.chance(25):
                found = Column(self.value(found.kind, scope, 1), found.kind)
            if found.text not in [text for _, text in keys] and self._is_key(found.text):
                keys.append((found.kind, found.text))
        values = [self.total(scope) for _ in range(self.number(0 if keys else 1, 3))]
        if top and self.chance(30):
            values.append(("near", self._near(scope)))
        sets = self.one(("", "", "ROLLUP", "CUBE", "SETS")) if keys else ""
        group = self._groups([text for _, text in keys], sets) if keys else ""
        if sets and self.chance(40):
            values.append(("int", f"grouping({self.one(keys)[1]})"))
        text, made = self._made([*keys, *values])
        having = ""
        if self.chance(20):
            kind, total = self.total(scope)
            having = f" HAVING {total} {self.one(_COMPARED)} {self.one(_CONSTANTS[kind])}"
        if sets:  # of no rows Spark makes none, DuckDB the grand total
            having += " AND count(*) > 0" if having else " HAVING count(*) > 0"
        return Relation(f"SELECT {text} FROM {source}{where}{group}{having}", made)

    def _is_key(self, text: str) -> bool:
        """Constants are no keys: a number would be a place in the select list."""
        return "q" in text

    def _near(self, scope: Sequence[Column]) -> str:
        which = self.one(("avg", "avg", "stddev_samp", "var_pop"))
        distinct = "DISTINCT " if which == "avg" and self.chance(25) else ""
        kind = self.one(("int", "float")) if which == "avg" else "int"
        return f"{which}({distinct}{self.value(kind, scope, 1)})"

    def _groups(self, keys: list[str], sets: str) -> str:
        listed = ", ".join(keys)
        if not sets:
            return f" GROUP BY {listed}"
        if sets != "SETS":
            return f" GROUP BY {sets}({listed})"
        subsets = [[key for key in keys if self.chance(50)] for _ in range(self.number(1, 3))]
        all_ = ", ".join(f"({', '.join(subset)})" for subset in [keys, *subsets])
        return f" GROUP BY GROUPING SETS ({all_})"

    def combined(self, depth: int) -> Relation:
        """A set operation of two relations, cut to the same kinds of columns."""
        left, right = self.relation(depth - 1), self.relation(depth - 1)
        kinds = [self.one(ALL) for _ in range(self.number(1, 3))]
        sides = []
        made: tuple[Column, ...] = ()
        for relation in (left, right):
            alias = self.name("q")
            scope = self.seen(relation, alias)
            text, columns = self._made([(kind, self.value(kind, scope, 1)) for kind in kinds])
            where = f" WHERE {self.condition(scope)}" if self.chance(30) else ""
            sides.append(f"SELECT {text} FROM {self.source(relation, alias)}{where}")
            made = made or columns
        how = self.one(("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"))
        return Relation(f"{sides[0]} {how} {sides[1]}", made)

    def order(self, scope: Sequence[Column]) -> str:
        """By all columns, so that only equal rows may change places."""
        return self._sorted(self.draw(st.permutations(list(scope))))

    def _sorted(self, keys: Sequence[Column]) -> str:
        return ", ".join(
            f"{key.text} {self.one(('ASC', 'DESC'))} NULLS {self.one(('FIRST', 'LAST'))}"
            for key in keys
        )

    def first_rows(self, depth: int) -> Relation:
        """Sorted by all columns, some rows of it."""
        relation, alias = self.relation(depth - 1), self.name("q")
        scope = self.seen(relation, alias)
        text, made = self._made([(each.kind, each.text) for each in scope])
        limit = f" LIMIT {self.one((3, 0, 1, 7))}"
        offset = f" OFFSET {self.number(0, 4)}" if self.chance(50) else ""
        source = self.source(relation, alias)
        return Relation(
            f"SELECT {text} FROM {source} ORDER BY {self.order(scope)}{limit}{offset}", made
        )

    # ---- windows ---------------------------------------------------------------------------------

    def windowed(self, depth: int, top: bool = False) -> Relation:
        relation, alias = self.relation(depth - 1), self.name("q")
        scope = self.seen(relation, alias)
        where = self.where(scope)
        columns = [(each.kind, each.text) for each in scope if self.chance(60)]
        # Which of equal rows comes first is open, and two orders may choose differently.
        columns += [self.over_ordered(scope)] if self.chance(50) else []
        columns += [self.over(scope, top) for _ in range(self.number(0 if columns else 1, 2))]
        text, made = self._made(columns)
        return Relation(f"SELECT {text} FROM {self.source(relation, alias)}{where}", made)

    def over(self, scope: Sequence[Column], top: bool) -> tuple[str, str]:
        """(kind, a window function that is the same for rows that are equal)."""
        parts = self._parts(scope)
        kind, total = self.plain_total(scope)
        match self.number(0, 4):
            case 0:
                name = self.one(("rank()", "dense_rank()"))
                return "int", f"{name} OVER ({parts}ORDER BY {self.some_order(scope)})"
            case 1 if top:
                name = self.one(("percent_rank()", "cume_dist()"))
                return "near", f"{name} OVER ({parts}ORDER BY {self.some_order(scope)})"
            case 2:
                return kind, f"{total} OVER ({parts}ORDER BY {self.some_order(scope)})"
            case 3:
                ints = [each for each in scope if each.kind == "int"]
                if ints:
                    order = self._sorted([self.one(ints)])
                    return kind, f"{total} OVER ({parts}ORDER BY {order} RANGE {self.frame()})"
        return kind, f"{total} OVER ({parts.strip()})"

    def over_ordered(self, scope: Sequence[Column]) -> tuple[str, str]:
        """(kind, a window function for which it counts which of equal rows comes first)."""
        parts, order, kind = self._parts(scope), self.order(scope), self.one(scope).kind
        a = self.value(kind, scope, 1)
        match self.number(0, 4):
            case 0:
                name = self.one(("row_number()", "ntile(3)"))
                return "int", f"{name} OVER ({parts}ORDER BY {order})"
            case 1:
                name = self.one(("lag", "lead"))
                return kind, f"{name}({a}, {self.number(1, 2)}) OVER ({parts}ORDER BY {order})"
            case 2:
                name = self.one(("first_value", "last_value"))
                return kind, f"{name}({a}) OVER ({parts}ORDER BY {order} ROWS {self.frame()})"
        kind, total = self.plain_total(scope)
        return kind, f"{total} OVER ({parts}ORDER BY {order} ROWS {self.frame()})"

    def _parts(self, scope: Sequence[Column]) -> str:
        keys = dict.fromkeys(self.one(scope).text for _ in range(self.one((0, 1, 1, 2))))
        return f"PARTITION BY {', '.join(keys)} " if keys else ""

    def plain_total(self, scope: Sequence[Column]) -> tuple[str, str]:
        """(kind, an aggregate without DISTINCT, FILTER and cast)."""
        kind = self.one(ALL)
        match self.number(0, 6):
            case 0:
                return "int", "count(*)"
            case 1:
                return "int", f"count({self.value(kind, scope, 1)})"
            case 2:
                return kind, f"min({self.value(kind, scope, 1)})"
            case 3:
                return kind, f"max({self.value(kind, scope, 1)})"
            case 4:
                return "float", f"sum({self.value('float', scope, 1)})"
            case 5:
                return "dec", f"sum({self.value('dec', scope, 1)})"
        return "int", f"sum({self.value('int', scope, 1)})"

    def some_order(self, scope: Sequence[Column]) -> str:
        keys = dict.fromkeys(self.one(scope) for _ in range(self.number(1, 2)))
        return self._sorted(list(keys))

    def frame(self) -> str:
        """BETWEEN … AND …, never empty from its form."""
        edges = [
            "UNBOUNDED PRECEDING",
            "2 PRECEDING",
            "1 PRECEDING",
            "CURRENT ROW",
            "1 FOLLOWING",
            "2 FOLLOWING",
            "UNBOUNDED FOLLOWING",
        ]
        first = self.number(0, 5)
        last = self.number(max(first, 1), 6)
        return f"BETWEEN {edges[first]} AND {edges[last]}"

    # ---- the whole -------------------------------------------------------------------------------

    def query(self) -> Drawn:
        """A query with what it needs before it."""
        common = []
        for _ in range(self.one((0, 0, 0, 1, 2))):
            relation = self.relation(2)
            if " " in relation.text:
                name = self.name("w")
                common.append(f"{name} AS ({relation.text})")
                self.known.append(Relation(name, relation.columns))
        begin = f"WITH {', '.join(common)} " if common else ""
        made: Relation
        match self.number(0, 9):
            case 0 | 1 | 2:
                made = self.selected(2, top=True)
            case 3 | 4 | 5:
                made = self.grouped(2, top=True)
            case 6:
                made = self.windowed(2, top=True)
            case 7:
                made = self.combined(2)
            case _:
                return Drawn(begin + self.first_rows(2).text, True)
        return Drawn(begin + made.text, False)


@st.composite
def queries(draw: Callable[[Any], Any]) -> Drawn:
    """A query."""
    return Drawing(draw).query()

"""Sums of decimals as sums of 64-bit whole numbers: where they may be, and that they are exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from contexts import make_context
from hypothesis import given, settings
from hypothesis import strategies as some
from pyarrow import parquet

from executors.formats.scanning import Reading
from executors.formats.scanning import scan as scan_files
from executors.relational.errors import QueryError, translated
from executors.relational.extents import Extents
from executors.relational.fragments import query
from minispark.errors import AnalysisException
from minispark.sql import SparkSession
from minispark.sql import functions as F  # noqa: N812
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.columns.functions.registry import Settings
from planner.columns.units import Limits, in_units, summed_in_units
from planner.query import logical as l
from planner.query.fragment import Input, flatten

PRICE = Attr("price", t.DecimalType(15, 2))
TAX = Attr("tax", t.DecimalType(15, 2))
N = Attr("n", t.LONG)
SMALL = Attr("small", t.INT)
ONE = Literal(Decimal(1), t.DecimalType(15, 2))
LIMITS: dict[Attr, Limits] = {PRICE: (-100, 10_000), TAX: (0, 8), N: (0, 7)}


def call(name: str, *args: Expr, kind: t.DataType) -> Call:
    return Call(name, args, kind=kind)


def decimal(precision: int, scale: int) -> t.DecimalType:
    return t.DecimalType(precision, scale)


def shown(expr: Expr) -> str:
    if isinstance(expr, Attr):
        return expr.name
    if isinstance(expr, Literal):
        return str(expr.value)
    if isinstance(expr, Cast):
        return f"cast {shown(expr.child)}"
    assert isinstance(expr, Call)
    return f"({expr.name.removeprefix('#')} {' '.join(map(shown, expr.args))})"


MORE = call("-", ONE, TAX, kind=decimal(16, 2))
CHOICE = call(
    "case_when",
    call(">", TAX, ONE, kind=t.BOOLEAN),
    Cast(PRICE, decimal(17, 4)),
    Cast(TAX, decimal(17, 4)),
    kind=decimal(17, 4),
)


@pytest.mark.parametrize(
    ("expr", "text", "limits"),
    [
        (PRICE, "(units price)", (-100, 10_000)),
        (N, "n", (0, 7)),
        (SMALL, "cast small", (-(2**31), 2**31 - 1)),
        (ONE, "100", (100, 100)),
        (Literal(None, PRICE.kind), "None", (0, 0)),
        (MORE, "(minus 100 (units tax))", (92, 100)),
        (call("*", PRICE, MORE, kind=decimal(32, 4)),
         "(times (units price) (minus 100 (units tax)))", (-10_000, 1_000_000)),
        (Cast(N, decimal(20, 0)), "n", (0, 7)),
        (Cast(PRICE, decimal(20, 5)), "(times (units price) 1000)", (-100_000, 10_000_000)),
        (call("+", PRICE, Cast(N, decimal(20, 0)), kind=decimal(23, 2)),
         "(plus (units price) (times n 100))", (-100, 10_700)),
        (CHOICE, "(case_when (> tax 1) (times (units price) 100) (times (units tax) 100))",
         (-10_000, 1_000_000)),
        (call("+", N, N, kind=t.LONG), "(plus n n)", (0, 14)),
    ],
)  # fmt: skip
def test_units(expr: Expr, text: str, limits: Limits) -> None:
    found = in_units(expr, LIMITS.get)
    assert found is not None and found.whole.type == t.LONG
    assert (shown(found.whole), (found.low, found.high)) == (text, limits)


@pytest.mark.parametrize(
    "expr",
    [
        Attr("wide", decimal(19, 0)),  # of which nothing is known
        Attr("real", t.DOUBLE),
        Attr("text", t.STRING),
        call("*", PRICE, Attr("p", PRICE.kind), kind=decimal(31, 4)),
        Cast(PRICE, decimal(3, 2)),  # 100.00 does not fit
        Cast(PRICE, t.DOUBLE),
        call("/", PRICE, TAX, kind=decimal(38, 20)),
    ],
)
def test_what_has_none(expr: Expr) -> None:
    assert in_units(expr, LIMITS.get) is None


@pytest.mark.parametrize(
    "expr",
    [
        call("*", PRICE, TAX, kind=decimal(15, 3)),  # digits are cut
        Cast(PRICE, decimal(12, 1)),
        call("round", PRICE, kind=decimal(14, 1)),
    ],
)
def test_what_is_computed_as_it_is(expr: Expr) -> None:
    """Numbers with fewer digits than were computed are rounded, and checked."""
    found = in_units(expr, LIMITS.get)
    assert found is not None and found.whole == Call("#units", (expr,), kind=t.LONG)
    assert found.high == 10**expr.type.precision - 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "arg", "kind", "rows", "found"),
    [
        ("sum", PRICE, decimal(25, 2), 1000, "#sum 64"),
        ("sum", PRICE, decimal(25, 2), (2**63 - 1) // 10_000, "#sum 64"),
        ("sum", PRICE, decimal(25, 2), 2**63 // 10_000 + 1, "#sum 128"),
        ("sum", PRICE, decimal(25, 2), None, "#sum 128"),
        ("avg", PRICE, decimal(19, 6), 1000, "#avg 64"),
        ("try_sum", N, t.LONG, 1000, "#try_sum 64"),
        ("sum", N, t.LONG, None, "sum"),
        ("sum", SMALL, t.LONG, 1, "sum"),  # 64 bits as it is
        ("sum", Attr("n", t.LONG), t.LONG, 1, "#sum 64"),
        ("sum", Attr("n", t.LONG), t.LONG, 2, "sum"),
        ("sum", Attr("d", decimal(1, 0)), decimal(11, 0), 10**10, "#sum 64"),
        ("sum", Attr("d", decimal(1, 0)), decimal(11, 0), 10**12, "#sum 128"),  # of 13 digits
        ("max", PRICE, PRICE.kind, 1, "max"),
    ],
)  # fmt: skip
def test_which_sums(name: str, arg: Attr, kind: t.DataType, rows: int | None, found: str) -> None:
    known = {**LIMITS}
    if arg.name == "n" and arg is not N:
        known[arg] = (-(2**62), 2**62)
    (made,) = summed_in_units([Alias(Call(name, (arg,), kind=kind), "x")], known.get, rows)
    call_ = made.child
    assert isinstance(call_, Call) and call_.type == kind
    bits = f" {call_.args[2].value}" if len(call_.args) > 1 else ""  # type: ignore[attr-defined]
    assert call_.name + bits == found


def test_what_could_overflow_is_checked() -> None:
    product_ = call("*", Attr("n", t.LONG), N, kind=t.LONG)
    found = in_units(product_, LIMITS.get)
    assert found is not None and found.whole is product_


def test_a_sum_of_distinct_values_stays() -> None:
    call_ = Call("sum", (PRICE,), distinct=True, kind=decimal(25, 2))
    (made,) = summed_in_units([Alias(call_, "x")], LIMITS.get, 1)
    assert made.child is call_


# ---- what is known of a task's columns -----------------------------------------------------------


def extents(plan: l.Plan, *sides: Sequence[Any]) -> tuple[Any, int | None]:
    """(limits of a plan's columns by name, rows)."""
    fragment = flatten(plan, Settings())
    found, last = Extents(fragment.nodes, sides), len(fragment.nodes) - 1
    return {attr.name: found.of(last)(attr) for attr in plan.output}, found.rows(last)


def written(folder: Path, table: pa.Table, **how: Any) -> l.Scan:
    parquet.write_table(table, folder / f"{len(list(folder.iterdir()))}.parquet", **how)
    return scan_files("parquet", [str(folder)], None, Reading())


TABLE = pa.table(
    {
        "k": pa.array([3, None, -5], pa.int32()),
        "price": pa.array([Decimal("1.50"), None, Decimal("0.25")], pa.decimal128(9, 2)),
        "name": ["a", None, "b"],
        "real": [0.5, 1.5, None],
        "none": pa.array([None] * 3, pa.int64()),
    }
)


def test_of_files(tmp_path: Path) -> None:
    """With room for what is lost where numbers are written as binary fractions."""
    scan = written(tmp_path, TABLE, row_group_size=2)
    found, rows = extents(written(tmp_path, TABLE) if scan else scan)
    assert rows == 6
    assert found == {
        "k": (-7, 5),
        "price": (23, 152),
        "name": None,
        "real": None,
        "none": (0, 0),
    }


def test_of_a_group_that_does_not_tell(tmp_path: Path) -> None:
    written(tmp_path, TABLE)
    scan = written(tmp_path, TABLE, write_statistics=["price"])
    found, _ = extents(scan)
    assert scan.spans and found["k"] is None and found["price"] is not None


def test_of_a_file_without_the_column(tmp_path: Path) -> None:
    written(tmp_path, TABLE)
    found, _ = extents(written(tmp_path, TABLE.drop(["k"])))
    assert found["k"] is None and found["price"] is not None


def test_of_more_groups_than_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executors.formats.footers._ALL_GROUPS", 2)
    monkeypatch.setattr("executors.formats.footers._GROUPS", 1)
    found, rows = extents(written(tmp_path, TABLE, row_group_size=2))
    assert rows == 3 and found["k"] is not None
    found, _ = extents(written(tmp_path, TABLE, row_group_size=1))
    assert set(found.values()) == {None}


def test_of_more_files_than_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executors.formats.parquet._FOOTERS", 1)
    assert extents(written(tmp_path, TABLE))[0]["k"] is not None
    found, rows = extents(written(tmp_path, TABLE))
    assert found["k"] is None and rows is None


def rows_of(**columns: pa.Array) -> tuple[l.Table, tuple[Attr, ...]]:
    kinds = {"int64": t.LONG, "int32": t.INT, "decimal128(9, 2)": decimal(9, 2)}
    attrs = tuple(Attr(name, kinds[str(each.type)]) for name, each in columns.items())
    return l.Table(attrs, pa.table(columns)), attrs


def test_through_nodes() -> None:
    left, (k, v) = rows_of(k=pa.array([1, 2, None]), v=pa.array([-4, 9, 0], pa.int32()))
    right, (j,) = rows_of(j=pa.array([5, 6]))
    both = l.Join(left, right, "left", call("=", k, j, kind=t.BOOLEAN))
    assert extents(both) == ({"k": (1, 2), "v": (-4, 9), "j": (5, 6)}, 3 * 2 + 3 + 2)
    semi = l.Join(left, right, "semi", call("=", k, j, kind=t.BOOLEAN))
    assert extents(semi) == ({"k": (1, 2), "v": (-4, 9)}, 3)
    sum_ = Alias(call("+", k, j, kind=t.LONG), "sum")
    made = l.Project(l.Filter(both, call(">", k, j, kind=t.BOOLEAN)), (sum_, v))
    assert extents(made) == ({"sum": (6, 8), "v": (-4, 9)}, 11)
    grouped = l.Aggregate(made, (v,), (Alias(call("max", sum_.attr, kind=t.LONG), "m"),))
    assert extents(grouped) == ({"v": (-4, 9), "m": None}, 11)
    drawn = l.Sample(left, 0.0, 3.0, 1, replacement=True)
    assert extents(drawn) == ({"k": (1, 2), "v": (-4, 9)}, None)
    attrs = (Attr("u", t.LONG),)
    union = l.Union((l.Project(left, (k,)), right), attrs)
    assert extents(union) == ({"u": (1, 6)}, 5)
    assert extents(l.Aggregate(l.Filter(left, Literal(False, t.BOOLEAN)), (), ()))[1] == 3


def test_of_inputs() -> None:
    attrs = (Attr("k", t.LONG), Attr("price", decimal(9, 2)), Attr("real", t.DOUBLE))
    one = pa.table(
        {
            "0": pa.array([7, 1]),
            "1": pa.array([Decimal("-0.07"), None], pa.decimal128(9, 2)),
            "2": [1.0, 2.0],
        }
    )
    none = one.slice(0, 0)
    long = pa.concat_tables([one] * 40_000)
    ends = {"k": (1, 7), "price": (-7, -7), "real": None}
    assert extents(Input(attrs, 0), [one, none]) == (ends, 2)
    assert extents(Input(attrs, 0), [long]) == ({**ends, "price": None}, 80_000)  # would take long
    assert extents(Input(attrs, 0), []) == ({"k": (0, 0), "price": (0, 0), "real": None}, 0)


# ---- answers -------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["auto", "never"])
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """As one task, and in stages."""
    context = make_context("inline[2]", request)
    session = SparkSession.builder.getOrCreate()
    session.conf.set("minispark.sql.singleNode", request.param)
    yield session
    session.conf.unset("minispark.sql.singleNode")
    context.stop()


def digits(precision: int, scale: int) -> some.SearchStrategy[Decimal | None]:
    top = 10**precision - 1
    ends = some.sampled_from([top, -top, 0])
    whole = some.one_of(some.integers(-top, top), some.integers(-999, 999), ends)
    return some.one_of(some.none(), whole.map(lambda n: Decimal(n).scaleb(-scale)))


def half_up(sum_: Decimal, count: int, places: int) -> Decimal:
    top = abs(int(sum_.scaleb(places))) * 2 + count
    return Decimal(top // (2 * count)).scaleb(-places).copy_sign(sum_)


@settings(max_examples=60, deadline=None)
@given(data=some.data(), precision=some.sampled_from([3, 9, 15, 17, 18]), keys=some.integers(1, 3))
def test_sums_are_exact(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    data: some.DataObject,
    precision: int,
    keys: int,
) -> None:
    rows = data.draw(
        some.lists(some.tuples(digits(precision, 2), digits(4, 3), some.integers(0, keys)))
    )
    kinds = [pa.decimal128(precision, 2), pa.decimal128(4, 3), pa.int64()]
    columns = [pa.array(c, k) for c, k in zip(list(zip(*rows, strict=True)) or [[]] * 3, kinds)]  # noqa: B905
    path = str(tmp_path_factory.mktemp("units") / "t.parquet")
    size = data.draw(some.integers(1, 4))
    parquet.write_table(pa.table(columns, names=["a", "b", "k"]), path, row_group_size=size)
    frame = spark.read.parquet(path).groupBy("k")
    found = frame.agg(
        F.sum("a"), F.avg("a"), F.sum(F.col("a") * (1 - F.col("b"))), F.sum("k"), F.try_sum("b")
    ).collect()
    wanted = {}
    for key in {key for *_, key in rows}:
        own = [(a, b) for a, b, k in rows if k == key]
        values = [a for a, _ in own if a is not None]
        products = [a * (1 - b) for a, b in own if a is not None and b is not None]
        others = [b for _, b in own if b is not None]
        wanted[key] = (
            sum(values) if values else None,
            half_up(sum(values, Decimal(0)), len(values), 6) if values else None,
            sum(products) if products else None,
            key * len(own),
            sum(others) if others else None,
        )
    assert {row[0]: tuple(row)[1:] for row in found} == wanted


def test_sums_beyond_64_bits(spark: SparkSession, tmp_path: Path) -> None:
    """Of values that fit, and whose sum does not."""
    top = Decimal(10**18 - 1)
    table = pa.table(
        {"d": pa.array([top] * 30, pa.decimal128(18, 0)), "n": [2**62] * 15 + [-(2**62)] * 15}
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    frame = spark.read.parquet(str(tmp_path))
    (row,) = frame.agg(F.sum("d"), F.avg("d"), F.sum("n")).collect()
    assert tuple(row) == (30 * top, top, 0)
    assert frame.where("n > 0").agg(F.try_sum("n")).collect()[0][0] is None
    with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW.*use try_sum"):
        frame.where("n > 0").agg(F.sum("n")).collect()


def test_what_the_task_computes(tmp_path: Path) -> None:
    """Nothing of 128 bits but the last cast, where it is known to be enough."""
    scan = written(tmp_path, TABLE)
    price, k = scan.attrs[1], scan.attrs[0]
    sum_ = Alias(Call("sum", (price,), kind=decimal(19, 2)), "s")

    def plan(below: l.Plan) -> str:
        grouped = l.Aggregate(below, (k,), (sum_,))
        return query(flatten(grouped, Settings()), [], 0).explain(optimized=False)

    known = plan(scan)
    assert ".to_physical().strict_cast(Int64)" in known and "Decimal(38" not in known
    unknown = plan(l.Sample(scan, 0.0, 2.0, 1, replacement=True))
    assert ".strict_cast(Int64)" in unknown and "Int128).sum" in unknown


def test_sums_that_do_not_fit_are_told_by_their_cast() -> None:
    frame = pl.LazyFrame({"n": [2**62, 2**62]})
    with pytest.raises(QueryError, match="ARITHMETIC_OVERFLOW.*use try_sum"), translated():
        frame.select(pl.col("n").cast(pl.Int128).sum().cast(pl.Int64)).collect(engine="streaming")


@pytest.mark.parametrize("name", ["#sum", "#units", "#times"])
def test_nobody_can_write_them(spark: SparkSession, name: str) -> None:
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.sql(f"SELECT `{name}`(1)")
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.range(1).select(F.call_function(name, F.col("id")))
    assert name not in [each.name for each in spark.catalog.listFunctions()]

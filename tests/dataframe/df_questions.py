"""Questions put to DataFrames: the same lines run here and, once, on PySpark (see df_answers.json).

Each is a name and a function of `s` (a namespace: spark, F, T, Row, Window, and the frames below).
"""

import contextlib
import datetime as dt
import io
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pandas as pd

DAY = dt.date(2024, 2, 29)
NOON = dt.datetime(2024, 2, 29, 12, 0, 1, 250000)


def frames(spark: Any, F: Any, T: Any, Row: Any, Window: Any) -> SimpleNamespace:
    """What the questions use."""
    s = SimpleNamespace(spark=spark, F=F, T=T, Row=Row, Window=Window)
    s.people = spark.createDataFrame(
        [("Ann", 30, 1.5), ("Bob", None, 2.5), ("Cid", 41, None), (None, 7, 0.0)],
        "name string, age int, score double",
    )
    s.pets = spark.createDataFrame(
        [("Ann", "cat"), ("Ann", "dog"), ("Cid", "ape"), ("Zoe", "bee")], "name string, pet string"
    )
    s.one = spark.createDataFrame([(1,)], "x int")
    s.wide = spark.createDataFrame(
        [
            (True, 1, 2, 3, 4, 1.5, 2.5, Decimal("12.30"), "a\nb", b"\x01\xff", DAY, NOON, NOON),
            (None,) * 13,
        ],
        "b boolean, i1 tinyint, i2 smallint, i4 int, i8 bigint, f float, d double, "
        "c decimal(6,2), s string, y binary, day date, at timestamp, wall timestamp_ntz",
    )
    s.deep = spark.createDataFrame(
        [
            (1, [1, None, 3], {"a": 1.0, "b": None}, Row(p=1, q="x"), [Row(k=1), None]),
            (2, [], {}, Row(p=None, q=None), []),
            (3, None, None, None, None),
        ],
        "id int, xs array<int>, m map<string,double>, st struct<p:int,q:string>, "
        "rs array<struct<k:int>>",
    )
    s.sales = spark.createDataFrame(
        [("n", "q1", 10), ("n", "q2", 20), ("s", "q1", 5), ("s", "q3", 7), ("s", "q1", 1)],
        "area string, quarter string, amount int",
    )
    return s


def shown(df: Any, *args: Any, **named: Any) -> str:
    """What show prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        df.show(*args, **named)
    return out.getvalue()


def tree(df: Any, *args: Any) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        df.printSchema(*args)
    return out.getvalue()


def rows(df: Any) -> list[Any]:
    """Types, then rows in an order of their own."""
    return [df.dtypes, sorted(map(repr, df.collect()))]


def ordered(df: Any) -> list[Any]:
    return [df.dtypes, [repr(row) for row in df.collect()]]


def make(s: Any, data: Any, *args: Any, **named: Any) -> list[Any]:
    df = s.spark.createDataFrame(data, *args, **named)
    return [
        df.schema.simpleString(),
        [f.nullable for f in df.schema],
        list(map(repr, df.collect())),
    ]


def plus_one(series: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for each in series:
        yield each + 1


def mean_of(values: pd.Series) -> float:
    return float(values.mean())


def _join_using(how: str, s: Any) -> list[Any]:
    return rows(s.people.join(s.pets, ["name"], how))


ASK: dict[str, Any] = {
    # ---- making
    "make tuples": lambda s: make(s, [(1, "a"), (2, None)]),
    "make names": lambda s: make(s, [(1, "a"), (2, None)], ["n", "w"]),
    "make fewer names": lambda s: make(s, [(1, "a")], ["n"]),
    "make dicts": lambda s: make(s, [{"b": 1, "a": "x"}, {"a": "y", "c": 2.5}]),
    "make rows": lambda s: make(s, [s.Row(b=1, a="x"), s.Row(b=2, a=None)]),
    "make lists": lambda s: make(s, [[1, 2.5], [3, 4.5]]),
    "make atoms": lambda s: make(s, [1, 2], "int"),
    "make atoms typed": lambda s: make(s, ["a", "b"], s.T.StringType()),
    "make atoms bare": lambda s: make(s, [1, 2]),
    "make nested": lambda s: make(s, [(1, [1, 2], {"a": 1}, s.Row(x=1, y=[2.0]), (1, "b"))]),
    "make times": lambda s: make(s, [(DAY, NOON, dt.timedelta(days=1, seconds=2))]),
    "make zoned": lambda s: make(
        s, [(NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=2))),)], "t timestamp"
    ),
    "make decimals": lambda s: make(s, [(Decimal("1.5"), True, b"ab", bytearray(b"c"))]),
    "make merged": lambda s: make(s, [(1, "a"), (2.5, 3)]),
    "make merged list": lambda s: make(s, [([1, 2.5],), ([None],)]),
    "make merged text": lambda s: make(s, [("a",), (3,)]),
    "make merged text last": lambda s: make(s, [(3,), ("a",)]),
    "make strings of things": lambda s: make(
        s, [(True,), (1.0,), ([1, "a"],), ({"a": 1},), (Decimal("1.50"),), (DAY,)], "a string"
    ),
    "make int and bool": lambda s: make(s, [(1,), (True,)]),
    "make all null": lambda s: make(s, [(None,)], ["a"]),
    "make none": lambda s: make(s, []),
    "make none typed": lambda s: make(s, [], "a int, b string"),
    "make wrong type": lambda s: make(s, [("x",)], "a int"),
    "make wrong range": lambda s: make(s, [(300,)], "a tinyint"),
    "make int as double": lambda s: make(s, [(1,)], "a double"),
    "make null in not null": lambda s: make(
        s, [(None,)], s.T.StructType([s.T.StructField("a", s.T.IntegerType(), False)])
    ),
    "make wrong length": lambda s: make(s, [(1, 2)], "a int"),
    "make unverified": lambda s: make(s, [(1.0,)], "a double", verifySchema=False),
    "make decimal scale": lambda s: make(
        s, [(Decimal("1.25"),), (Decimal("3"),)], "a decimal(5,1)"
    ),
    "make dict with schema": lambda s: make(s, [{"a": 1}, {"b": "x"}], "a int, b string"),
    "make row with schema": lambda s: make(s, [s.Row(b="x", a=1)], "b string, a int"),
    "make struct of dict": lambda s: make(s, [({"p": 1},)], "st struct<p:int,q:string>"),
    "make int too wide": lambda s: make(s, [(2**63,)]),
    "make string of int": lambda s: make(s, [(5,)], "a string"),
    "make not null list": lambda s: make(s, [([1],)], "a array<int not null>"),
    # ---- types
    "ddl": lambda s: [
        s.T._parse_datatype_string(text).simpleString()
        for text in (
            "a int",
            "a int, b array<struct<x:int,y:map<string,decimal(10,2)>>>",
            "int",
            "struct<a:int,b:string>",
            "a: int, b: string",
            "a long not null comment 'it''s'",
            "`odd name` string",
            "x varchar(5), y char(3)",
            "map<string,array<bigint>>",
            "decimal",
            "t timestamp_ltz, u timestamp_ntz",
            "i interval day to second",
        )
    ],
    "ddl wrong": lambda s: s.T._parse_datatype_string("a blah"),
    "json": lambda s: s.T.StructType.fromJson(s.deep.schema.jsonValue()) == s.deep.schema,
    "json text": lambda s: s.deep.schema.json(),
    "struct repr": lambda s: repr(s.deep.schema),
    "row": lambda s: [
        repr(s.Row(a=1, b=s.Row(c=2))),
        s.Row(a=1, b=s.Row(c=2)).asDict(True),
        repr(s.Row("x", "y")),
        repr(s.Row("x", "y")(1, 2)),
        repr(s.Row(1, "b")),
        "a" in s.Row(a=1),
        s.Row(a=1) == (1,),
        s.Row(a=1)["a"],
        s.Row(count=1)["count"],
    ],
    "row missing": lambda s: s.Row(a=1).b,
    "row missing key": lambda s: s.Row(a=1)["b"],
    "row both": lambda s: s.Row(1, a=1),
    # ---- showing
    "show people": lambda s: shown(s.people),
    "show wide": lambda s: shown(s.wide),
    "show deep": lambda s: shown(s.deep, truncate=False),
    "show deep cut": lambda s: shown(s.deep, 20, 10),
    "show two": lambda s: shown(s.people, 2),
    "show vertical": lambda s: shown(s.people, vertical=True),
    "show vertical cut": lambda s: shown(s.people, 1, 3, True),
    "show long": lambda s: shown(
        s.spark.createDataFrame([("a" * 30, "é日本" * 12)], "a string, long_column_name string")
    ),
    "show none": lambda s: shown(s.people.where("age > 100")),
    "show zero": lambda s: shown(s.people, 0),
    "show no columns": lambda s: shown(s.people.select()),
    "show doubles": lambda s: shown(
        s.spark.createDataFrame(
            [(x,) for x in (0.1, 1e10, 1e-5, -0.0, float("nan"), float("inf"), 123456789.125, 1e7)],
            "d double",
        ),
        truncate=False,
    ),
    "show intervals": lambda s: shown(
        s.spark.createDataFrame([(dt.timedelta(days=1, seconds=2, microseconds=3),)], ["i"]),
        truncate=False,
    ),
    "show times": lambda s: shown(
        s.spark.createDataFrame(
            [(dt.datetime(1, 1, 1),), (dt.datetime(2020, 1, 1, 1, 2, 3, 400000),)], ["t"]
        ),
        truncate=False,
    ),
    "tree": lambda s: tree(s.deep),
    "tree one": lambda s: tree(s.deep, 1),
    "tree wide": lambda s: tree(s.wide),
    "frame repr": lambda s: [repr(s.people), repr(s.deep)],
    "collect wide": lambda s: ordered(s.wide),
    "collect deep": lambda s: ordered(s.deep),
    "asDict deep": lambda s: repr(s.deep.first().asDict(True)),
    # ---- columns
    "column reprs": lambda s: [
        str(c)
        for c in (
            s.F.col("a"),
            s.F.lit(1),
            s.F.lit("x"),
            s.F.lit(None),
            s.F.col("a") + 1,
            1 - s.F.col("a"),
            -s.F.col("a"),
            ~s.F.col("a"),
            s.F.col("a") == 1,
            s.F.col("a") != 1,
            (s.F.col("a") > 1) & (s.F.col("b") <= 2) | s.F.col("c"),
            s.F.col("a").isNull(),
            s.F.col("a").isNotNull(),
            s.F.col("a").isin(1, 2),
            s.F.col("a").between(1, 2),
            s.F.col("a").like("x%"),
            s.F.col("a").cast("int"),
            s.F.col("a").alias("b"),
            s.F.col("a").asc(),
            s.F.col("a").desc(),
            s.F.col("a").desc_nulls_last(),
            s.F.col("a").getItem(0),
            s.F.col("a").getField("f"),
            s.F.col("a")["k"],
            s.F.when(s.F.col("a") > 1, 2).otherwise(3),
            s.F.upper("a"),
            s.F.sum("a"),
            s.F.count("*"),
            s.F.countDistinct("a", "b"),
            s.F.col("a").substr(1, 2),
            s.F.col("a") ** 2,
            2 ** s.F.col("a"),
            s.F.col("a") % 2,
            s.F.col("a").eqNullSafe(1),
            s.F.col("a.b"),
            s.F.row_number().over(s.Window.partitionBy("a").orderBy("b")),
            s.F.expr("a + 1"),
            s.F.col("*"),
        )
    ],
    "column names": lambda s: (
        s.people.select(
            "name",
            s.people.age + 1,
            1 - s.people["age"],
            -s.people.age,
            s.people.age.cast("string"),
            (s.people.age + 1).cast("string"),
            s.people.age.isNull(),
            s.people.age.isin(1, 2),
            s.people.age.between(1, 2),
            s.people.name.like("A%"),
            s.people.age == 1,
            s.people.age != 1,
            s.people.age.eqNullSafe(1),
            s.F.lit("x"),
            s.F.lit(1.5),
            s.F.lit(None),
            s.F.lit(True),
            s.F.lit(DAY),
            s.F.when(s.people.age > 1, "a").when(s.people.age < 0, "b").otherwise("c"),
            s.F.upper("name"),
            s.F.coalesce("age", s.F.lit(0)),
            s.people.name.substr(1, 2),
            s.people.age % 2,
            s.people.age / 2,
            ~(s.people.age > 1),
        ).columns
    ),
    "aggregate names": lambda s: (
        s.people.agg(
            s.F.sum("age"),
            s.F.count("*"),
            s.F.count(s.F.lit(1)),
            s.F.countDistinct("age"),
            s.F.avg("age"),
            s.F.mean("age"),
            s.F.min("name"),
            s.F.max(s.people.age + 1),
            s.F.sum_distinct("age"),
        ).columns
    ),
    "deep names": lambda s: (
        s.deep.select(
            "st.p", s.deep.st.q, s.deep.st["p"], s.deep.xs[0], s.deep.m["a"], "st.*", s.deep.rs.k
        ).columns
    ),
    "column operators": lambda s: ordered(
        s.people.select(
            (s.people.age + 1).alias("a"),
            (10 - s.people.age).alias("b"),
            (s.people.age * 2.5).alias("c"),
            (s.people.age / 4).alias("d"),
            (s.people.age % 4).alias("e"),
            (-s.people.age).alias("f"),
            (s.people.age > 10).alias("g"),
            (~(s.people.age > 10)).alias("h"),
            s.people.age.between(7, 30).alias("i"),
            s.people.age.isin([7, 30]).alias("j"),
            s.people.age.eqNullSafe(None).alias("k"),
            (s.people.name == "Ann").alias("l"),
            (s.people.name != s.F.lit("Ann")).alias("m"),
        ).orderBy("a")
    ),
    "column texts": lambda s: ordered(
        s.people.select(
            s.people.name.startswith("A"),
            s.people.name.endswith("b"),
            s.people.name.contains("i"),
            s.people.name.like("_n%"),
            s.people.name.rlike("^[AB]"),
            s.people.name.ilike("a%"),
            s.people.name.substr(2, 2),
            s.people.name.substr(s.F.lit(1), s.F.lit(1)),
        )
    ),
    "column bits": lambda s: ordered(
        s.people.select(
            s.people.age.bitwiseAND(6), s.people.age.bitwiseOR(1), s.people.age.bitwiseXOR(3)
        )
    ),
    "column fields": lambda s: ordered(
        s.deep.select(
            s.deep.st.withField("z", s.F.lit(9)).alias("w"),
            s.deep.st.dropFields("p").alias("d"),
            s.deep.xs.getItem(0).alias("x") if False else s.deep.id,
        )
    ),
    "column bool": lambda s: bool(s.people.age > 1),
    "column iter": lambda s: list(s.people.age),
    "column in": lambda s: 1 in s.people.age,
    "try cast": lambda s: ordered(s.people.select(s.people.name.try_cast("int").alias("n"))),
    "power": lambda s: ordered(s.people.select(s.people.age**2, 2**s.people.score)),
    "alias metadata": lambda s: (
        s.people.select(s.people.age.alias("n", metadata={"k": 1})).schema["n"].metadata
    ),
    # ---- frames
    "select": lambda s: rows(s.people.select("name", s.people.age)),
    "select list": lambda s: rows(s.people.select(["name", "age"])),
    "select star": lambda s: rows(s.people.select("*", (s.people.age + 1).alias("n"))),
    "select missing": lambda s: s.people.select("nme"),
    "attribute missing": lambda s: s.people.nme,
    "item missing": lambda s: s.people["nme"],
    "item index": lambda s: rows(s.people.select(s.people[0], s.people[2])),
    "item condition": lambda s: rows(s.people[s.people.age > 10]),
    "item list": lambda s: rows(s.people[["age", "name"]]),
    "selectExpr": lambda s: rows(s.people.selectExpr("name", "age + 1 as n", "score * 2")),
    "case": lambda s: rows(s.people.select("NAME", "Age")),
    "withColumn": lambda s: rows(s.people.withColumn("n", s.people.age + 1)),
    "withColumn replace": lambda s: rows(s.people.withColumn("AGE", s.people.age + 1)),
    "withColumns": lambda s: rows(
        s.people.withColumns({"a": s.F.col("age") + 1, "age": s.F.lit(0)})
    ),
    "withColumn not column": lambda s: s.people.withColumn("a", 1),
    "renamed": lambda s: s.people.withColumnRenamed("age", "years").columns,
    "renamed missing": lambda s: s.people.withColumnRenamed("nope", "years").columns,
    "renamed several": lambda s: (
        s.people.withColumnsRenamed({"age": "a", "NAME": "n", "x": "y"}).columns
    ),
    "drop": lambda s: s.people.drop("age", "nope").columns,
    "drop column": lambda s: s.people.drop(s.people.age).columns,
    "filter text": lambda s: rows(s.people.filter("age > 10 and name is not null")),
    "filter column": lambda s: rows(s.people.where(s.people.age > 10)),
    "filter wrong": lambda s: s.people.filter(s.people.age + 1),
    "filter type": lambda s: s.people.filter(5),
    "toDF": lambda s: s.people.toDF("a", "b", "c").columns,
    "toDF wrong": lambda s: s.people.toDF("a"),
    "colRegex": lambda s: s.people.select(s.people.colRegex("`(name|age)`")).columns,
    "columns": lambda s: [s.people.columns, s.people.dtypes, s.people.schema.simpleString()],
    "transform": lambda s: s.people.transform(lambda df, n: df.limit(n), 1).count(),
    "metadata": lambda s: s.people.withMetadata("age", {"a": 1}).schema["age"].metadata,
    "to": lambda s: rows(
        s.people.to(s.T.StructType.fromDDL("score double, name string"))
        if hasattr(s.T.StructType, "fromDDL")
        else s.people
    ),
    # ---- actions
    "count": lambda s: [s.people.count(), s.people.isEmpty(), s.people.where("1=0").isEmpty()],
    "first": lambda s: repr(s.people.orderBy("age").first()),
    "head": lambda s: [repr(s.people.head()), repr(s.people.head(2)), repr(s.people.head(1))],
    "head none": lambda s: [s.people.where("1=0").head(), s.people.where("1=0").head(1)],
    "take": lambda s: repr(s.people.take(2)),
    "tail": lambda s: repr(s.people.tail(2)),
    "iterator": lambda s: [repr(r) for r in s.people.toLocalIterator()],
    "toJSON": lambda s: s.people.toJSON().collect(),
    "limit offset": lambda s: ordered(s.people.orderBy("age").offset(1).limit(2)),
    "limit negative": lambda s: s.people.limit(-1),
    "pandas": lambda s: [
        [str(t) for t in s.people.toPandas().dtypes],
        s.people.toPandas().to_dict("list")["name"],
    ],
    "rdd": lambda s: sorted(s.people.rdd.map(lambda r: repr(r)).collect()),
    # ---- groups
    "group count": lambda s: rows(s.sales.groupBy("area").count()),
    "group sum": lambda s: rows(s.sales.groupBy("area").sum("amount")),
    "group sum all": lambda s: rows(s.sales.groupBy("area").sum()),
    "group avg none": lambda s: rows(s.sales.groupBy().avg()),
    "group dict": lambda s: rows(s.sales.groupBy("area").agg({"amount": "max", "*": "count"})),
    "group columns": lambda s: rows(
        s.sales.groupBy("area", s.sales.quarter).agg(
            s.F.sum("amount").alias("s"), s.F.count("*"), s.F.max("amount") - s.F.min("amount")
        )
    ),
    "group expression": lambda s: rows(s.sales.groupBy(s.sales.amount % 2).count()),
    "group alias": lambda s: rows(s.sales.groupBy((s.sales.amount % 2).alias("odd")).count()),
    "group ordinal": lambda s: rows(s.sales.groupBy(1).count()),
    "group text sum": lambda s: s.sales.groupBy("area").sum("quarter"),
    "group repr": lambda s: repr(s.sales.groupBy("area")),
    "agg": lambda s: rows(s.sales.agg(s.F.sum("amount"), s.F.avg("amount"))),
    "agg dict": lambda s: rows(s.sales.agg({"amount": "sum"})),
    "agg none": lambda s: s.sales.groupBy("area").agg(),
    "agg outside": lambda s: s.sales.groupBy("area").agg(s.sales.quarter),
    "where of agg": lambda s: s.sales.where(s.F.sum("amount") > 1),
    "rollup": lambda s: rows(s.sales.rollup("area", "quarter").agg(s.F.sum("amount"))),
    "cube": lambda s: rows(s.sales.cube("area", "quarter").count()),
    "groupingSets": lambda s: rows(
        s.sales.groupingSets([["area"], ["quarter"], []], "area", "quarter").sum("amount")
    ),
    "grouping": lambda s: rows(
        s.sales.rollup("area").agg(s.F.grouping("area").alias("g"), s.F.sum("amount"))
    ),
    "pivot": lambda s: rows(s.sales.groupBy("area").pivot("quarter").sum("amount")),
    "pivot values": lambda s: rows(
        s.sales.groupBy("area")
        .pivot("quarter", ["q1", "q9"])
        .agg(s.F.sum("amount"), s.F.count("amount").alias("n"))
    ),
    "distinct": lambda s: rows(s.sales.select("area").distinct()),
    "dropDuplicates": lambda s: rows(s.sales.dropDuplicates(["area"]).select("area")),
    "dropDuplicates wrong": lambda s: s.sales.dropDuplicates("area"),
    # ---- joins
    "join name": lambda s: rows(s.people.join(s.pets, "name")),
    **{
        f"join using {how}": partial(_join_using, how)
        for how in (
            "inner",
            "left",
            "left_outer",
            "right",
            "outer",
            "full",
            "semi",
            "leftanti",
            "cross",
        )
    },  # fmt: skip
    "join column": lambda s: rows(s.people.join(s.pets, s.people.name == s.pets.name, "left")),
    "join columns": lambda s: rows(
        s.people.join(s.pets, [s.people.name == s.pets.name, s.pets.pet != "cat"])
    ),
    "join nothing": lambda s: s.people.join(s.pets).count(),
    "join how": lambda s: s.people.join(s.pets, "name", "sideways"),
    "join missing": lambda s: s.people.join(s.pets, "age"),
    "join ambiguous": lambda s: s.people.join(s.pets, s.people.name == s.pets.name).select("name"),
    "join then side": lambda s: rows(
        s.people.join(s.pets, s.people.name == s.pets.name, "right").select(
            s.people.name, s.pets.name.alias("n2"), "pet"
        )
    ),
    "join using then side": lambda s: rows(
        s.people.join(s.pets, "name", "right").select("name", s.people.name, s.pets.name)
    ),
    "join drop": lambda s: (
        s.people.join(s.pets, s.people.name == s.pets.name).drop(s.pets.name).columns
    ),
    "crossJoin": lambda s: s.people.crossJoin(s.pets).count(),
    "self join names": lambda s: rows(s.pets.join(s.pets, "name")),
    "self join trivial": lambda s: s.pets.join(s.pets, s.pets.name == s.pets.name).count(),
    "self join alias": lambda s: rows(
        s.pets.alias("a")
        .join(s.pets.alias("b"), s.F.col("a.name") == s.F.col("b.name"))
        .select("a.name", "b.pet")
    ),
    "self join filtered": lambda s: (
        s.pets.join(s.pets.where("pet = 'cat'"), "name").select(s.pets.pet).count()
    ),
    "self join ambiguous": lambda s: (
        lambda cats: s.pets.join(cats, s.pets.name == cats.name).select(cats.pet)
    )(s.pets.where("pet = 'cat'")),
    "self join less": lambda s: (lambda cats: s.pets.join(cats, s.pets.pet < cats.pet).count())(
        s.pets.where("pet = 'cat'")
    ),
    "alias columns": lambda s: rows(s.people.alias("p").select("p.name", s.F.col("p.age"))),
    "foreign column": lambda s: s.people.select(s.pets.pet),
    # ---- order, sets
    "orderBy": lambda s: ordered(s.people.orderBy("age")),
    "orderBy desc": lambda s: ordered(s.people.orderBy(s.people.age.desc())),
    "orderBy ascending": lambda s: ordered(s.people.orderBy("age", ascending=False)),
    "orderBy several": lambda s: ordered(
        s.sales.orderBy(["area", "amount"], ascending=[False, True])
    ),
    "orderBy nulls": lambda s: ordered(s.people.sort(s.F.desc_nulls_first("age"))),
    "orderBy ordinal": lambda s: ordered(s.people.orderBy(2)),
    "orderBy hidden": lambda s: ordered(s.people.select("name").orderBy("age")),
    "union": lambda s: rows(s.people.union(s.people)),
    "union widths": lambda s: s.people.union(s.pets),
    "union types": lambda s: rows(s.one.union(s.spark.createDataFrame([(2.5,)], "y double"))),
    "unionByName": lambda s: rows(s.pets.unionByName(s.pets.select("pet", "name"))),
    "unionByName missing": lambda s: rows(s.pets.unionByName(s.people, allowMissingColumns=True)),
    "unionByName wrong": lambda s: s.pets.unionByName(s.people),
    "intersect": lambda s: rows(s.sales.select("area").intersect(s.sales.select("area").limit(1))),
    "intersectAll": lambda s: rows(s.sales.select("area").intersectAll(s.sales.select("area"))),
    "subtract": lambda s: rows(s.sales.select("quarter").subtract(s.one.selectExpr("'q1'"))),
    "exceptAll": lambda s: rows(s.sales.select("quarter").exceptAll(s.one.selectExpr("'q1'"))),
    # ---- nothing and statistics
    "fillna": lambda s: rows(s.people.na.fill(0)),
    "fillna text": lambda s: rows(s.people.fillna("?")),
    "fillna dict": lambda s: rows(s.people.na.fill({"age": 1, "name": "?"})),
    "fillna subset": lambda s: rows(s.people.na.fill(2.7, ["age"])),
    "fillna bool": lambda s: rows(s.wide.select("b").na.fill(True)),
    "dropna": lambda s: rows(s.people.dropna()),
    "dropna all": lambda s: rows(s.people.na.drop("all", subset=["age", "score"])),
    "dropna thresh": lambda s: rows(s.people.na.drop(thresh=3)),
    "dropna how": lambda s: s.people.na.drop("some"),
    "replace": lambda s: rows(s.people.na.replace("Ann", "Eve")),
    "replace list": lambda s: rows(s.people.replace([30, 41], [1, 2], "age")),
    "replace dict": lambda s: rows(s.people.replace({"Ann": None, "Bob": "x"})),
    "describe": lambda s: ordered(s.people.describe()),
    "describe one": lambda s: ordered(s.people.describe("age")),
    "summary": lambda s: ordered(s.people.summary()),
    "summary some": lambda s: ordered(s.people.select("age").summary("count", "25%", "max")),
    "corr": lambda s: round(s.sales.withColumn("b", s.sales.amount * 2).corr("amount", "b"), 9),
    "cov": lambda s: round(s.sales.withColumn("b", s.sales.amount * 2).cov("amount", "b"), 9),
    "crosstab": lambda s: rows(s.sales.crosstab("area", "quarter")),
    "quantile": lambda s: s.sales.approxQuantile("amount", [0.0, 0.5, 1.0], 0.0),
    "quantiles": lambda s: s.people.approxQuantile(["age", "score"], [0.5], 0.0),
    "freqItems": lambda s: [
        s.sales.freqItems(["area"], 0.4).columns,
        sorted(s.sales.freqItems(["area"], 0.4).first()[0]),
    ],
    "unpivot": lambda s: rows(s.people.unpivot("name", ["age", "score"], "what", "value")),
    "unpivot rest": lambda s: rows(
        s.people.select("name", "age").melt(["name"], None, "what", "value")
    ),
    "transpose": lambda s: rows(s.sales.limit(2).select("quarter", "amount").transpose("quarter")),
    "randomSplit": lambda s: sum(p.count() for p in s.spark.range(100).randomSplit([1.0, 2.0], 3)),
    "sample none": lambda s: s.people.sample(0.0).count(),
    "sample wrong": lambda s: s.people.sample(-0.5).count(),
    # ---- windows
    "row_number": lambda s: rows(
        s.sales.withColumn(
            "n", s.F.row_number().over(s.Window.partitionBy("area").orderBy("amount"))
        )
    ),
    "running": lambda s: rows(
        s.sales.withColumn("n", s.F.sum("amount").over(s.Window.orderBy("amount")))
    ),
    "rowsBetween": lambda s: rows(
        s.sales.withColumn(
            "n",
            s.F.sum("amount").over(
                s.Window.partitionBy("area").orderBy("amount").rowsBetween(-1, s.Window.currentRow)
            ),
        )
    ),
    "window aggregate": lambda s: rows(
        s.sales.select(
            "area",
            (s.sales.amount / s.F.sum("amount").over(s.Window.partitionBy("area"))).alias("p"),
        )
    ),
    # ---- python
    "udf": lambda s: rows(
        s.people.select(s.F.udf(lambda x: None if x is None else x + 1, "int")("age").alias("u"))
    ),
    "udf text": lambda s: rows(s.people.select(s.F.udf(lambda x: f"<{x}>")("name"))),
    "udf nested": lambda s: rows(
        s.deep.select(
            s.F.udf(lambda st, xs: [st.p, xs] if st else None, "struct<a:int,b:array<int>>")(
                "st", "xs"
            ).alias("u")
        )
    ),
    "udf times": lambda s: rows(
        s.wide.select(
            s.F.udf(lambda a, b, c, d: f"{a!r} {b!r} {c!r} {d!r}")("day", "at", "c", "y").alias("u")
        )
    ),
    "udf wrong type": lambda s: rows(s.people.select(s.F.udf(lambda x: 1, "string")("name"))),
    "udf in where": lambda s: rows(s.people.where(s.F.udf(lambda x: x == 30, "boolean")("age"))),
    "udf float for int": lambda s: rows(s.one.select(s.F.udf(lambda x: 1.5, "int")("x"))),
    "udf int for double": lambda s: rows(s.one.select(s.F.udf(lambda x: 1, "double")("x"))),
    "udf text for int": lambda s: rows(s.one.select(s.F.udf(lambda x: "a", "int")("x"))),
    "udf raises": lambda s: rows(s.one.select(s.F.udf(lambda x: 1 // 0, "int")("x"))),
    "udf name": lambda s: s.one.select(s.F.udf(abs, "int")("x"), s.F.udf(lambda x: x)("x")).columns,
    "pandas_udf iterator": lambda s: rows(
        s.people.select(s.F.pandas_udf(plus_one, "double")("score").alias("u"))
    ),
    "pandas_udf aggregate": lambda s: rows(
        s.sales.groupBy("area").agg(s.F.pandas_udf(mean_of, "double")("amount").alias("u"))
    ),
    "pandas_udf two": lambda s: rows(
        s.people.select(s.F.pandas_udf(lambda a, b: a + b, "double")("score", "age").alias("u"))
    ),
    "applyInArrow": lambda s: rows(
        s.sales.groupBy("area").applyInArrow(
            lambda x: x.slice(0, 1).select(["area"]), "area string"
        )
    ),
    "udf constant": lambda s: rows(s.one.select(s.F.udf(lambda: 3, "int")().alias("c"))),
    "pandas_udf": lambda s: rows(
        s.people.select(s.F.pandas_udf(lambda x: x + 1.0, "double")("score").alias("u"))
    ),
    "mapInPandas": lambda s: rows(
        s.people.mapInPandas(lambda it: (x[["name"]] for x in it), "name string")
    ),
    "mapInArrow": lambda s: rows(
        s.people.mapInArrow(lambda it: (x.select(["age"]) for x in it), "age int")
    ),
    "applyInPandas": lambda s: rows(
        s.sales.groupBy("area").applyInPandas(
            lambda k, x: x[["area"]].head(1).assign(t=int(x.amount.sum()), k=k[0]),
            "area string, t long, k string",
        )
    ),
    "cogroup": lambda s: rows(
        s.people.groupBy("name")
        .cogroup(s.pets.groupBy("name"))
        .applyInPandas(lambda a, b: a[["name"]].head(1).assign(n=len(b)), "name string, n long")
    ),
    "range": lambda s: ordered(s.spark.range(1, 10, 3)),
    "range names": lambda s: s.spark.range(3).toDF("n").dtypes,
    "rdd toDF": lambda s: rows(s.spark.sparkContext.parallelize([(1, "a")]).toDF(["n", "w"])),
    "createDataFrame rdd": lambda s: rows(
        s.spark.createDataFrame(s.spark.sparkContext.parallelize([(1, "a")]), "n int, w string")
    ),
    "view": lambda s: (
        s.people.createOrReplaceTempView("people"),
        rows(s.spark.table("people").select("people.name")),
    )[1],
    "view twice": lambda s: (
        s.people.createOrReplaceTempView("v1"),
        s.people.createTempView("v1"),
    ),
    "table missing": lambda s: s.spark.table("nowhere"),
    "divide by zero": lambda s: s.people.select(s.people.age / 0).collect(),
    "bad cast": lambda s: s.people.select(s.people.name.cast("int")).collect(),
    "overflow": lambda s: s.people.select(s.people.age + 2147483647).collect(),
    "upper of int array": lambda s: s.deep.select(s.F.upper("xs")),
    "plus text": lambda s: s.people.select(s.people.age + s.F.array("age")),
    "same semantics": lambda s: [
        s.people.select("age").sameSemantics(s.people.select("age")),
        s.people.select("age").sameSemantics(s.people.select("name")),
    ],
    "isLocal": lambda s: s.people.isStreaming,
}


def ask(s: SimpleNamespace, question: Any) -> Any:
    """The answer as JSON can hold it: a value, or the names of the error's classes."""
    try:
        found = question(s)
        return {"value": _plain(found)}
    except Exception as error:  # the error is the answer
        names = [c.__name__ for c in type(error).__mro__ if c.__name__ not in _DULL]
        condition = getattr(error, "getCondition", lambda: None)()
        return {"error": names[0], "condition": condition, "bases": names}


_DULL = {"object", "BaseException", "Exception"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)

"""Statistics of columns: describe, corr, crosstab, quantiles, …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from minispark.errors import IllegalArgumentException, PySparkTypeError, PySparkValueError
from minispark.sql.column import Column
from minispark.sql.dataframe.core import Core
from minispark.sql.errors import translated
from minispark.sql.literals import literal
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal
from planner.query import logical as l
from planner.query.analysis import requests

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame

_ALL = ("count", "mean", "stddev", "min", "25%", "50%", "75%", "max")
_PLAIN = {"count", "mean", "stddev", "min", "max", "count_distinct", "approx_count_distinct"}


class Statistics(Core):
    """Statistics of columns."""

    @property
    def stat(self) -> DataFrameStatFunctions:
        """Methods about statistics.

        >>> spark.range(3).stat.approxQuantile("id", [0.5], 0.0)
        [1.0]
        """
        return DataFrameStatFunctions(self)  # type: ignore[arg-type]

    def describe(self, *cols: Any) -> Self:
        """Count, mean, standard deviation, least and greatest of columns, as text.

        >>> spark.range(3).describe().first()
        Row(summary='count', id='3')
        """
        names = [name for col in cols for name in (col if isinstance(col, list) else [col])]
        chosen = [self._find(name) for name in names] if names else self._described()
        return self._summed(chosen, _ALL[:4] + _ALL[7:])

    def summary(self, *statistics: str) -> Self:
        """As describe, with quartiles; or the statistics that are named ("count", "37%", …).

        >>> spark.range(3).summary("min", "50%").collect()
        [Row(summary='min', id='0'), Row(summary='50%', id='1')]
        """
        given = [each for s in statistics for each in (s if isinstance(s, list) else [s])]
        return self._summed(self._described(), tuple(given) or _ALL)

    def _described(self) -> list[Attr]:
        return [a for a in self._output if isinstance(a.kind, t.NumericType | t.StringType)]

    def _summed(self, chosen: list[Attr], wanted: tuple[str, ...]) -> Self:
        """One row of all statistics, then a row for each."""
        for word in wanted:
            if word not in _PLAIN and not word.endswith("%"):
                raise IllegalArgumentException(
                    f"{word} is no statistic: use one of {', '.join(_PLAIN)}, or 25%",
                    "UNRECOGNIZED_STATISTIC",
                )
        values = [
            Alias(self._bound(_statistic(attr, word)), f"{word} {attr.name}")
            for word in wanted
            for attr in chosen
        ]
        with translated():
            below = requests.aggregate(self._plan, [], values, self._scope())
        found = iter(below.output)
        attrs = [Attr("summary", t.STRING, False)]
        attrs += [Attr(attr.name, t.STRING, True) for attr in chosen]
        rows = tuple((Literal(word, t.STRING), *(next(found) for _ in chosen)) for word in wanted)
        return self._with(l.Expand(below, rows, tuple(attrs)))

    def corr(self, col1: str, col2: str, method: str | None = None) -> float:
        """Pearson's correlation of two columns.

        >>> df = spark.range(3).withColumn("b", F.col("id") * 2)
        >>> round(df.corr("id", "b"), 6)
        1.0
        """
        if method not in (None, "pearson"):
            raise PySparkValueError(
                f"only pearson's correlation is there, not {method!r}", "VALUE_NOT_ALLOWED"
            )
        return self._one("corr", col1, col2)

    def cov(self, col1: str, col2: str) -> float:
        """The sample covariance of two columns; 0 of fewer than two rows."""
        return self._one("covar_samp", col1, col2, without=0.0)

    def _one(self, word: str, *cols: str, without: float = float("nan")) -> float:
        """A number of two columns; NULL counts as 0 here, as in PySpark, not in the aggregates."""
        values = [Cast(self._numeric(name), t.DOUBLE, "asked") for name in cols]
        args = tuple(Call("coalesce", (value, Literal(0.0, t.DOUBLE))) for value in values)
        found = self.select(Column(Call(word, args))).first()[0]  # type: ignore[attr-defined]
        return without if found is None else float(found)

    def _numeric(self, name: Any) -> Attr:
        """A column of numbers by its name."""
        if not isinstance(name, str):
            raise PySparkTypeError(
                f"the name of a column is a str, and not {type(name).__name__}: {name!r}",
                "NOT_EXPECTED_TYPE",
            )
        attr = self._find(name)
        if not isinstance(attr.kind, t.NumericType):
            raise IllegalArgumentException(
                f"{name} is {attr.kind.simpleString()}, and this is for columns of numbers"
            )
        return attr

    def crosstab(self, col1: str, col2: str) -> DataFrame:
        """How often each pair of values occurs: values of `col1` down, of `col2` across.

        >>> df = spark.createDataFrame([("a", "x"), ("a", "y"), ("b", "x")], ["p", "q"])
        >>> df.crosstab("p", "q").orderBy("p_q").first()
        Row(p_q='a', x=1, y=1)
        """
        texts = [
            Alias(
                Call("coalesce", (Cast(self._find(c), t.STRING, "asked"), literal("null"))),
                f"{col1}_{col2}" if at == 0 else "#",
            )
            for at, c in enumerate((col1, col2))
        ]
        frame = self.select(*map(Column, texts))  # type: ignore[attr-defined]
        found: DataFrame = frame.groupBy(f"{col1}_{col2}").pivot("#").count()
        return found.fillna(0)

    def freqItems(self, cols: Any, support: float | None = None) -> DataFrame:
        """The values that occur in at least a share `support` (1 %) of the rows, in an array.

        >>> df = spark.createDataFrame([(1,), (1,), (2,)], ["n"])
        >>> df.freqItems(["n"], 0.5).first()
        Row(n_freqItems=[1])
        """
        if not isinstance(cols, list | tuple):
            raise PySparkTypeError("cols must be a list of names", "NOT_EXPECTED_TYPE")
        share = 0.01 if support is None else support
        if not 1e-4 <= share <= 1:
            raise IllegalArgumentException(f"support is from 0.0001 to 1, and not {share}")
        total = self.count()  # type: ignore[attr-defined]
        row, fields = [], []
        for name in cols:
            attr = self._find(name)
            counted = self.groupBy(Column(attr)).count().collect()  # type: ignore[attr-defined]
            row.append([key for key, times in counted if times >= share * total])
            fields.append(t.StructField(f"{name}_freqItems", t.ArrayType(attr.kind, attr.null)))
        return self._session.createDataFrame([tuple(row)], t.StructType(fields))

    def approxQuantile(self, col: Any, probabilities: Any, relativeError: float) -> Any:
        """The values at quantiles of a column, or of each of several; NULL and NaN do not count.

        Parameters
        ----------
        col : str or list of str
            Columns of numbers.
        probabilities : list of float
            Which quantiles, from 0 to 1.
        relativeError : float
            How far off a rank may be, as a share of the rows; here it never is.

        Examples
        --------
        >>> spark.range(5).approxQuantile("id", [0.0, 0.5, 1.0], 0.0)
        [0.0, 2.0, 4.0]
        """
        names = [col] if isinstance(col, str) else list(col)
        if not isinstance(probabilities, list | tuple) or not all(
            isinstance(p, float | int) and 0 <= p <= 1 for p in probabilities
        ):
            raise PySparkTypeError(
                f"probabilities must be a list of numbers from 0 to 1, not {probabilities!r}",
                "NOT_EXPECTED_TYPE",
            )
        if relativeError < 0:
            raise PySparkValueError("relativeError must not be negative", "NEGATIVE_VALUE")
        found = []
        for name in names:
            attr = self._numeric(name)
            real = Column(Cast(attr, t.DOUBLE, "asked")).alias("x")
            frame = self.select(real).dropna().orderBy("x")  # type: ignore[attr-defined]
            values = frame.toArrow().column(0)
            found.append(
                [values[_rank(p, len(values))].as_py() for p in probabilities]
                if len(values)
                else []
            )
        return found[0] if isinstance(col, str) else found

    def sampleBy(self, col: Any, fractions: dict[Any, float], seed: int | None = None) -> Self:
        """About a fraction of the rows of each value of a column.

        >>> spark.range(10).sampleBy(F.col("id") % 2, {0: 1.0}, seed=1).count()
        5
        """
        if not isinstance(fractions, dict):
            raise PySparkTypeError("fractions must be a dict", "NOT_EXPECTED_TYPE")
        (key,) = self._exprs([col])
        parts: Self | None = None
        for at, (value, fraction) in enumerate(fractions.items()):
            mine = self.where(Column(Call("=", (key, literal(value)))))  # type: ignore[attr-defined]
            chosen = mine.sample(False, float(fraction), None if seed is None else seed + at)
            parts = chosen if parts is None else parts.union(chosen)  # type: ignore[attr-defined]
        return self.limit(0) if parts is None else parts  # type: ignore[attr-defined]


def _rank(share: float, count: int) -> int:
    """The place of a quantile among `count` sorted values."""
    return min(count - 1, max(0, -int(-share * count // 1) - 1))


def _statistic(attr: Attr, word: str) -> Expr:
    """A statistic as text; of text that is no number, NULL."""
    if word == "count":
        found: Expr = Call("count", (attr,))
    elif word in ("min", "max"):
        found = Call(word, (attr,))
    elif word in ("count_distinct", "approx_count_distinct"):
        found = Call("count", (attr,), distinct=True)
    else:
        number: Expr = attr
        if isinstance(attr.kind, t.StringType):
            number = Cast(attr, t.DOUBLE, "try")
        if word.endswith("%"):
            share = Literal(float(word[:-1]) / 100, t.DOUBLE)
            found = Call("percentile_approx", (number, share, Literal(10000, t.INT)))
        else:
            found = Call({"mean": "avg"}.get(word, word), (number,))
    return Cast(found, t.STRING, "asked")


class DataFrameStatFunctions:
    """`df.stat`: methods about statistics."""

    def __init__(self, df: DataFrame) -> None:
        self.df = df

    def corr(self, col1: str, col2: str, method: str | None = None) -> float:
        """As DataFrame.corr."""
        return self.df.corr(col1, col2, method)

    def cov(self, col1: str, col2: str) -> float:
        """As DataFrame.cov."""
        return self.df.cov(col1, col2)

    def crosstab(self, col1: str, col2: str) -> DataFrame:
        """As DataFrame.crosstab."""
        return self.df.crosstab(col1, col2)

    def freqItems(self, cols: list[str], support: float | None = None) -> DataFrame:
        """As DataFrame.freqItems."""
        return self.df.freqItems(cols, support)

    def approxQuantile(self, col: Any, probabilities: Any, relativeError: float) -> Any:
        """As DataFrame.approxQuantile."""
        return self.df.approxQuantile(col, probabilities, relativeError)

    def sampleBy(self, col: Any, fractions: dict[Any, float], seed: int | None = None) -> DataFrame:
        """As DataFrame.sampleBy."""
        return self.df.sampleBy(col, fractions, seed)

"""Columns: expressions as users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from minispark.errors import PySparkTypeError, PySparkValueError
from minispark.sql.errors import analysed, parse_errors
from minispark.sql.literals import literal
from minispark.sql.shown import shown
from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Aliases,
    Call,
    Cast,
    Expr,
    InQuery,
    Name,
    Order,
    Over,
    Star,
)
from planner.query.logical import renewed

if TYPE_CHECKING:
    from minispark.sql.window import WindowSpec


class Column:
    """An expression over the columns of a DataFrame.

    Made by `df.name`, `df["name"]`, and the functions of `minispark.sql.functions`; operators and
    methods make larger ones of it.

    Examples
    --------
    >>> df = spark.createDataFrame([(2, "Ann"), (5, "Bob")], ["age", "name"])
    >>> df.select((df.age + 1).alias("next"), df.name.startswith("A").alias("a")).collect()
    [Row(next=3, a=True), Row(next=6, a=False)]
    """

    def __init__(self, expr: Any) -> None:
        self._expr: Expr = expr

    def _call(self, name: str, *others: Any) -> Column:
        return Column(Call(name, (self._expr, *(expr_of(other) for other in others))))

    def _reversed(self, name: str, other: Any) -> Column:
        return Column(Call(name, (expr_of(other), self._expr)))

    # ---- arithmetic ------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Column:
        return self._call("+", other)

    def __sub__(self, other: Any) -> Column:
        return self._call("-", other)

    def __mul__(self, other: Any) -> Column:
        return self._call("*", other)

    def __truediv__(self, other: Any) -> Column:
        return self._call("/", other)

    __div__ = __truediv__

    def __mod__(self, other: Any) -> Column:
        return self._call("%", other)

    def __pow__(self, other: Any) -> Column:
        return self._call("power", other)

    def __radd__(self, other: Any) -> Column:
        return self._reversed("+", other)

    def __rsub__(self, other: Any) -> Column:
        return self._reversed("-", other)

    def __rmul__(self, other: Any) -> Column:
        return self._reversed("*", other)

    def __rtruediv__(self, other: Any) -> Column:
        return self._reversed("/", other)

    __rdiv__ = __rtruediv__

    def __rmod__(self, other: Any) -> Column:
        return self._reversed("%", other)

    def __rpow__(self, other: Any) -> Column:
        return self._reversed("power", other)

    def __neg__(self) -> Column:
        return self._call("negative")

    # ---- comparison and logic --------------------------------------------------------------------

    def __eq__(self, other: object) -> Column:  # type: ignore[override]
        return self._call("=", other)

    def __ne__(self, other: object) -> Column:  # type: ignore[override]
        return self._call("!=", other)

    def __lt__(self, other: Any) -> Column:
        return self._call("<", other)

    def __le__(self, other: Any) -> Column:
        return self._call("<=", other)

    def __gt__(self, other: Any) -> Column:
        return self._call(">", other)

    def __ge__(self, other: Any) -> Column:
        return self._call(">=", other)

    def __and__(self, other: Any) -> Column:
        return self._call("and", other)

    def __or__(self, other: Any) -> Column:
        return self._call("or", other)

    def __rand__(self, other: Any) -> Column:
        return self._reversed("and", other)

    def __ror__(self, other: Any) -> Column:
        return self._reversed("or", other)

    def __invert__(self) -> Column:
        return self._call("not")

    __hash__ = None  # type: ignore[assignment]

    def eqNullSafe(self, other: Any) -> Column:
        """Whether both are equal, or both NULL; never NULL itself.

        >>> spark.range(1).select(F.lit(None).eqNullSafe(None).alias("same")).first()
        Row(same=True)
        """
        return self._call("<=>", other)

    def between(self, lowerBound: Any, upperBound: Any) -> Column:
        """Whether the value is at least the one and at most the other.

        >>> spark.range(5).where(F.col("id").between(1, 2)).count()
        2
        """
        return (self >= lowerBound) & (self <= upperBound)

    def isin(self, *cols: Any) -> Column:
        """Whether the value is one of these (or of one list or set of them).

        >>> spark.range(5).where(F.col("id").isin(1, 3, 9)).count()
        2
        """
        given: Any = cols
        if len(cols) == 1 and isinstance(cols[0], list | set | tuple | frozenset):
            given = cols[0]
        elif len(cols) == 1 and type(cols[0]).__name__ == "DataFrame":
            return Column(InQuery(renewed(cols[0]._plan), (self._expr,)))
        if not given:
            return Column(literal(False))
        return self._call("in", *given)

    def isNull(self) -> Column:
        """Whether the value is NULL."""
        return self._call("isnull")

    def isNotNull(self) -> Column:
        """Whether the value is not NULL."""
        return self._call("isnotnull")

    def isNaN(self) -> Column:
        """Whether the value is not a number."""
        return self._call("isnan")

    # ---- bits ------------------------------------------------------------------------------------

    def bitwiseAND(self, other: Any) -> Column:
        """The bits that both have."""
        return self._call("&", other)

    def bitwiseOR(self, other: Any) -> Column:
        """The bits that one of them has."""
        return self._call("|", other)

    def bitwiseXOR(self, other: Any) -> Column:
        """The bits in which they differ."""
        return self._call("^", other)

    # ---- text ------------------------------------------------------------------------------------

    def like(self, other: str) -> Column:
        """Whether the text fits a pattern: % is any text, _ any one character.

        >>> spark.range(1).select(F.lit("abc").like("a%")).first()[0]
        True
        """
        return self._call("like", other)

    def ilike(self, other: str) -> Column:
        """As `like`, in upper or lower case."""
        return self._call("ilike", other)

    def rlike(self, other: str) -> Column:
        """Whether a regular expression is found in the text."""
        return self._call("rlike", other)

    def contains(self, other: Any) -> Column:
        """Whether the text has another one in it."""
        return self._call("contains", other)

    def startswith(self, other: Any) -> Column:
        """Whether the text begins with another one."""
        return self._call("startswith", other)

    def endswith(self, other: Any) -> Column:
        """Whether the text ends with another one."""
        return self._call("endswith", other)

    def substr(self, startPos: Any, length: Any) -> Column:
        """The part of the text from a place (the first is 1), of a length.

        >>> spark.range(1).select(F.lit("spark").substr(2, 3).alias("s")).first()
        Row(s='par')
        """
        if type(startPos) is not type(length):
            raise PySparkTypeError(
                f"startPos and length must be of one type, not {type(startPos).__name__} and "
                f"{type(length).__name__}",
                "NOT_SAME_TYPE",
            )
        if not isinstance(startPos, int | Column):
            raise PySparkTypeError(
                f"startPos must be a number or a Column, not {type(startPos).__name__}",
                "NOT_EXPECTED_TYPE",
            )
        return self._call("substr", startPos, length)

    # ---- types and names -------------------------------------------------------------------------

    def cast(self, dataType: t.DataType | str) -> Column:
        """The value as another type.

        Parameters
        ----------
        dataType : DataType or str
            The type, or its name in SQL.

        Examples
        --------
        >>> spark.range(1).select(F.col("id").cast("string").alias("text")).first()
        Row(text='0')
        """
        return Column(Cast(self._expr, type_named(dataType), "asked"))

    astype = cast

    def try_cast(self, dataType: t.DataType | str) -> Column:
        """The value as another type, NULL where it cannot be."""
        return Column(Cast(self._expr, type_named(dataType), "try"))

    def alias(self, *alias: str, **kwargs: Any) -> Column:
        """The column under another name; a generator of several columns takes several names.

        Parameters
        ----------
        *alias : str
            The name, or names.
        metadata : dict, optional
            What to keep with the column (with one name only).
        """
        metadata = kwargs.pop("metadata", None)
        if kwargs:
            raise PySparkValueError(
                f"alias takes names and metadata, not {', '.join(kwargs)}",
                "UNEXPECTED_KEYWORD_ARGUMENT",
            )
        if len(alias) == 1:
            kept = None if metadata is None else tuple(metadata.items())
            return Column(Alias(self._expr, alias[0], metadata=kept))
        if metadata is not None:
            raise PySparkValueError(
                "metadata goes with one name, and there are several", "ONLY_ALLOWED_FOR_SINGLE_ARG"
            )
        return Column(Aliases(self._expr, tuple(alias)))

    name = alias

    # ---- parts of values -------------------------------------------------------------------------

    def getItem(self, key: Any) -> Column:
        """The element of an array (from 0), or the value of a map's key."""
        return self[key]

    def getField(self, name: Any) -> Column:
        """The field of a struct."""
        return self[name]

    def __getitem__(self, k: Any) -> Column:
        if isinstance(k, slice):
            if k.step is not None:
                raise PySparkValueError("a slice of a column has no step", "SLICE_WITH_STEP")
            return self.substr(k.start, k.stop)
        return self._call("get_item", k)

    def __getattr__(self, item: Any) -> Column:
        if item.startswith("__"):
            raise AttributeError(f"a Column has no attribute {item}")
        return self[item]

    def withField(self, fieldName: str, col: Column) -> Column:
        """The struct with a field added or replaced.

        >>> df = spark.range(1).select(F.struct("id").alias("s"))
        >>> df.select(df.s.withField("b", F.lit(2)).alias("s")).first()
        Row(s=Row(id=0, b=2))
        """
        if not isinstance(fieldName, str):
            raise PySparkTypeError(f"fieldName must be a str: {fieldName!r}", "NOT_EXPECTED_TYPE")
        if not isinstance(col, Column):
            raise PySparkTypeError(f"col must be a Column: {col!r}", "NOT_EXPECTED_TYPE")
        return self._call("with_field", fieldName, col)

    def dropFields(self, *fieldNames: str) -> Column:
        """The struct without some fields."""
        return self._call("drop_fields", *fieldNames)

    # ---- choices, windows, order -----------------------------------------------------------------

    def when(self, condition: Column, value: Any) -> Column:
        """After `functions.when`: another condition with its value."""
        call = self._expr
        if not isinstance(condition, Column):
            raise PySparkTypeError(
                f"a condition must be a Column: {condition!r}", "NOT_EXPECTED_TYPE"
            )
        if not isinstance(call, Call) or call.name != "case_when" or len(call.args) % 2:
            raise illegal("when() goes after functions.when(), and before otherwise()")
        return Column(Call("case_when", (*call.args, condition._expr, expr_of(value))))

    def otherwise(self, value: Any) -> Column:
        """After `when`: the value where no condition is true.

        >>> spark.range(2).select(F.when(F.col("id") > 0, "some").otherwise("none")).collect()[1][0]
        'some'
        """
        call = self._expr
        if not isinstance(call, Call) or call.name != "case_when" or len(call.args) % 2:
            raise illegal("otherwise() goes once, after functions.when()")
        return Column(Call("case_when", (*call.args, expr_of(value))))

    def over(self, window: WindowSpec) -> Column:
        """The function computed over a window of rows around each.

        >>> from minispark.sql import Window
        >>> spark.range(3).select(F.sum("id").over(Window.orderBy("id")).alias("s")).collect()
        [Row(s=0), Row(s=1), Row(s=3)]
        """
        if not hasattr(window, "_partition"):
            raise PySparkTypeError(f"window must be a WindowSpec: {window!r}", "NOT_EXPECTED_TYPE")
        return Column(Over(self._expr, window._partition, window._order, window._frame))

    def asc(self) -> Column:
        """A sort key, the smallest first, NULLs before them."""
        return Column(Order(self._expr, True))

    def desc(self) -> Column:
        """A sort key, the largest first, NULLs after the last."""
        return Column(Order(self._expr, False))

    def asc_nulls_first(self) -> Column:
        """A sort key, the smallest first, NULLs before them."""
        return Column(Order(self._expr, True, True))

    def asc_nulls_last(self) -> Column:
        """A sort key, the smallest first, NULLs at the end."""
        return Column(Order(self._expr, True, False))

    def desc_nulls_first(self) -> Column:
        """A sort key, the largest first, NULLs before them."""
        return Column(Order(self._expr, False, True))

    def desc_nulls_last(self) -> Column:
        """A sort key, the largest first, NULLs at the end."""
        return Column(Order(self._expr, False, False))

    def transform(self, f: Callable[[Column], Column]) -> Column:
        """`f` of the column, for chains."""
        return f(self)

    def outer(self) -> NoReturn:
        """Not there: a column of the query around a subquery."""
        raise NotImplementedError("Column.outer is not there; write the subquery in SQL")

    # ---- what a column is not --------------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise PySparkValueError(
            "a Column is no truth value: use & for and, | for or, ~ for not, with brackets around "
            "comparisons",
            "CANNOT_CONVERT_COLUMN_INTO_BOOL",
        )

    __nonzero__ = __bool__

    def __contains__(self, item: Any) -> NoReturn:
        raise PySparkValueError(
            "'in' asks nothing of a Column: use contains for text, array_contains for arrays",
            "CANNOT_APPLY_IN_FOR_COLUMN",
        )

    def __iter__(self) -> NoReturn:
        raise PySparkTypeError("a Column has no values before a query runs", "NOT_ITERABLE")

    def __repr__(self) -> str:
        return f"Column<'{shown(self._expr)}'>"


def illegal(message: str) -> Exception:
    """The error of an argument that makes no sense."""
    return analysed("IllegalArgumentException", message, None)


def expr_of(value: Any) -> Expr:
    """The expression of a column or a Python value."""
    return value._expr if isinstance(value, Column) else literal(value)


def named(value: Any) -> Expr:
    """The expression of a column, or of a name with dots, backquotes and stars."""
    return name_of(value) if isinstance(value, str) else expr_of(value)


def name_of(text: str) -> Expr:
    """A name as users write it: `a`, `t.a`, `` `odd.name` ``, `t.*`.

    >>> name_of("t.`a.b`")
    Name(parts=('t', 'a.b'))
    """
    parts: list[str] = []
    at = 0
    if text == "*":
        return Star()
    while at <= len(text):
        if text[at : at + 1] == "`":
            end = text.find("`", at + 1)
            while end > 0 and text[end + 1 : end + 2] == "`":
                end = text.find("`", end + 2)
            if end < 0 or text[end + 1 : end + 2] not in ("", "."):
                raise analysed(
                    "AnalysisException", f"{text!r} is no name", "INVALID_ATTRIBUTE_NAME_SYNTAX"
                )
            parts.append(text[at + 1 : end].replace("``", "`"))
            at = end + 2
        else:
            end = text.find(".", at)
            end = len(text) if end < 0 else end
            parts.append(text[at:end])
            at = end + 1
        if at > len(text):
            break
    if parts[-1] == "*" and len(parts) > 1:
        return Star(tuple(parts[:-1]))
    return Name(tuple(parts))


def type_named(kind: t.DataType | str) -> t.DataType:
    """A type, given as one or as SQL text."""
    if isinstance(kind, t.DataType):
        return kind
    if not isinstance(kind, str):
        raise PySparkTypeError(
            f"a type is a DataType or a str, not {type(kind).__name__}", "NOT_EXPECTED_TYPE"
        )
    with parse_errors():
        return t.parsed(kind)

"""`spark.read`: files as DataFrames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

import polars as pl
import pyarrow as pa

from executors.formats import csv, inferring, json, scanning
from minispark.dataset.core import Core as DatasetCore
from minispark.dataset.plans import by_partition
from minispark.errors import PySparkTypeError
from minispark.sql.errors import parse_errors
from minispark.sql.fileoptions import (
    ELSEWHERE,
    as_text,
    check_read,
    file_errors,
    folded,
    format_of,
    option_errors,
)
from planner.columns import types as t
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.site import call_site

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession

_TEXTS = l.FileSlice("<a dataset>")
_BATCH = 10_000


class DataFrameReader:
    """How files are read: `spark.read`.

    `make` is what turns a plan into a DataFrame of the session.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "people.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write("name,age\\nann,7\\n")
    >>> spark.read.csv(path, header=True, inferSchema=True).collect()
    [Row(name='ann', age=7)]
    """

    def __init__(self, spark: SparkSession, make: Callable[[l.Plan], Any]) -> None:
        self._spark = spark
        self._make = make
        self._format: str | None = None
        self._schema: t.StructType | None = None
        self._options: dict[str, str] = {}

    # ---- how -------------------------------------------------------------------------------------

    def format(self, source: str) -> Self:
        """The format: parquet (the default), csv, json, text or orc."""
        self._format = source
        return self

    def schema(self, schema: t.StructType | str) -> Self:
        """The columns, as a StructType or as SQL writes them ("a INT, b STRING")."""
        if isinstance(schema, t.StructType):
            self._schema = schema
        elif isinstance(schema, str):
            with parse_errors():
                found = t.StructType.fromDDL(schema)
            if not isinstance(found, t.StructType):
                found = t.StructType([t.StructField("value", found)])
            self._schema = found
        else:
            raise PySparkTypeError(
                f"schema is a StructType or a str, not {type(schema).__name__}",
                "NOT_EXPECTED_TYPE",
            )
        return self

    def option(self, key: str, value: Any) -> Self:
        """Set an option of the format; None unsets it."""
        if value is None:
            self._options.pop(key, None)
        else:
            self._options[key] = as_text(value)
        return self

    def options(self, **options: Any) -> Self:
        """Set options of the format."""
        for key, value in options.items():
            self.option(key, value)
        return self

    # ---- what ------------------------------------------------------------------------------------

    def load(
        self,
        path: str | list[str] | None = None,
        format: str | None = None,
        schema: t.StructType | str | None = None,
        **options: Any,
    ) -> Any:
        """A DataFrame of files.

        Parameters
        ----------
        path : str or list of str
            Files, folders or patterns; or the option `path`.
        format, schema, options
            As the methods of these names.

        Raises
        ------
        AnalysisException
            A path is not there, or the columns cannot be found.
        """
        if format is not None:
            self.format(format)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        given = path if path is not None else self._options.get("path", [])
        paths = list(given) if isinstance(given, list | tuple) else [given]
        for each in paths:
            if not isinstance(each, str | os.PathLike):
                raise PySparkTypeError(
                    f"a path is a str, or a list of them, and not {type(each).__name__}: {each!r}",
                    "NOT_EXPECTED_TYPE",
                )
        conf = self._spark.conf
        form = format_of(self._format or conf.get("spark.sql.sources.default", "parquet") or "")
        found = folded({k: v for k, v in self._options.items() if k.lower() != "path"})
        check_read(form, found)
        with file_errors(), option_errors():
            scan = scanning.scan(
                form, [str(each) for each in paths], self._schema, self._how(found)
            )
        object.__setattr__(scan, "site", call_site())
        return self._make(scan)

    def _how(self, options: dict[str, str]) -> scanning.Reading:
        conf = self._spark.conf

        def is_on(key: str, default: str) -> bool:
            return (conf.get(key, default) or default).lower() == "true"

        corrupt = conf.get("spark.sql.columnNameOfCorruptRecord", None)
        if corrupt is not None:
            options.setdefault("columnnameofcorruptrecord", corrupt)
        return scanning.Reading(
            options,
            self._spark._engine.settings,
            is_on("spark.sql.sources.partitionColumnTypeInference.enabled", "true"),
            is_on("spark.sql.parquet.mergeSchema", "false"),
            is_on("spark.sql.parquet.inferTimestampNTZ.enabled", "true"),
        )

    def _named(self, form: str, path: Any, schema: Any = None, **options: Any) -> Any:
        if path is None:
            raise PySparkTypeError(f"{form} needs a path, and was given None", "NOT_EXPECTED_TYPE")
        given = {key: value for key, value in options.items() if value is not None}
        return self.load(path, form, schema, **given)

    def table(self, tableName: str) -> Any:
        """The DataFrame of a view, as SparkSession.table."""
        return self._spark.table(tableName)

    def parquet(self, *paths: str, **options: Any) -> Any:
        """A DataFrame of Parquet files.

        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "numbers")
        >>> spark.range(3).write.parquet(folder)
        >>> spark.read.parquet(folder).columns
        ['id']
        """
        flat = [each for path in paths for each in (path if isinstance(path, list) else [path])]
        return self._named("parquet", flat, **options)

    def orc(
        self,
        path: str | list[str],
        mergeSchema: bool | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
    ) -> Any:
        """A DataFrame of ORC files."""
        if mergeSchema:
            raise NotImplementedError("DataFrameReader.orc(mergeSchema=True); give a schema")
        given = {k: v for k, v in locals().items() if k not in ("self", "path", "mergeSchema")}
        return self._named("orc", path, **given)

    def text(
        self,
        paths: str | list[str],
        wholetext: bool = False,
        lineSep: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
    ) -> Any:
        """A DataFrame of the lines of text files, in the column `value`."""
        given = {k: v for k, v in locals().items() if k not in ("self", "paths")}
        return self._named("text", paths, **given)

    def json(
        self,
        path: Any,
        schema: t.StructType | str | None = None,
        primitivesAsString: bool | str | None = None,
        prefersDecimal: bool | str | None = None,
        allowComments: bool | str | None = None,
        allowUnquotedFieldNames: bool | str | None = None,
        allowSingleQuotes: bool | str | None = None,
        allowNumericLeadingZero: bool | str | None = None,
        allowBackslashEscapingAnyCharacter: bool | str | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        multiLine: bool | str | None = None,
        allowUnquotedControlChars: bool | str | None = None,
        lineSep: str | None = None,
        samplingRatio: float | str | None = None,
        dropFieldIfAllNull: bool | str | None = None,
        encoding: str | None = None,
        locale: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
        allowNonNumericNumbers: bool | str | None = None,
        useUnsafeRow: bool | str | None = None,
    ) -> Any:
        """A DataFrame of files of JSON lines, or of a Dataset of such lines."""
        given = dict(locals())
        for name in ("self", "path", "schema", "useUnsafeRow"):
            del given[name]
        if isinstance(path, DatasetCore):
            return self._of_texts("json", path, schema, given)
        return self._named("json", path, schema, **given)

    def csv(
        self,
        path: Any,
        schema: t.StructType | str | None = None,
        sep: str | None = None,
        encoding: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        comment: str | None = None,
        header: bool | str | None = None,
        inferSchema: bool | str | None = None,
        ignoreLeadingWhiteSpace: bool | str | None = None,
        ignoreTrailingWhiteSpace: bool | str | None = None,
        nullValue: str | None = None,
        nanValue: str | None = None,
        positiveInf: str | None = None,
        negativeInf: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        maxColumns: str | int | None = None,
        maxCharsPerColumn: str | int | None = None,
        maxMalformedLogPerPartition: str | int | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        multiLine: bool | str | None = None,
        charToEscapeQuoteEscaping: str | None = None,
        samplingRatio: float | str | None = None,
        enforceSchema: bool | str | None = None,
        emptyValue: str | None = None,
        locale: str | None = None,
        lineSep: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
        unescapedQuoteHandling: str | None = None,
    ) -> Any:
        """A DataFrame of CSV files, or of a Dataset of such lines."""
        given = {k: v for k, v in locals().items() if k not in ("self", "path", "schema")}
        if isinstance(path, DatasetCore):
            return self._of_texts("csv", path, schema, given)
        return self._named("csv", path, schema, **given)

    # ---- datasets of lines -----------------------------------------------------------------------

    def _of_texts(self, form: str, texts: Any, schema: Any, options: dict[str, Any]) -> Any:
        """A DataFrame of a Dataset of strings, each a line of a file."""
        self.options(**{key: value for key, value in options.items() if value is not None})
        if schema is not None:
            self.schema(schema)
        given = folded(self._options)
        check_read(form, given)
        settings = self._how(given).settings
        with file_errors():
            if self._schema is not None:
                columns = self._schema
            elif form == "json":
                columns = inferring.of_texts(_series(texts.toLocalIterator()), given, settings)
            else:
                columns = inferring.of_csv_lines(_series(texts.toLocalIterator()), given, settings)
            free = t.nullable(columns)
            assert isinstance(free, t.StructType)
            header = None
            if form == "csv" and given.get("header") == "true":
                header = next(iter(texts.take(1)), None)
        parsing = Parsing(form, free, tuple(given.items()), settings, header)
        node = by_partition(texts._node, parsing)
        attrs = tuple(Attr(f.name, f.dataType, True) for f in free.fields)
        return self._make(l.Rows(attrs, node, site=call_site()))

    # ---- not there -------------------------------------------------------------------------------

    def xml(
        self,
        path: Any,
        rowTag: str | None = None,
        schema: t.StructType | str | None = None,
        excludeAttribute: bool | str | None = None,
        attributePrefix: str | None = None,
        valueTag: str | None = None,
        ignoreSurroundingSpaces: bool | str | None = None,
        rowValidationXSDPath: str | None = None,
        ignoreNamespace: bool | str | None = None,
        wildcardColName: str | None = None,
        encoding: str | None = None,
        inferSchema: bool | str | None = None,
        nullValue: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        multiLine: bool | str | None = None,
        samplingRatio: float | str | None = None,
        locale: str | None = None,
    ) -> NoReturn:
        """Not there."""
        raise NotImplementedError("DataFrameReader.xml is not there; use json or csv")

    def jdbc(
        self,
        url: str,
        table: str,
        column: str | None = None,
        lowerBound: int | str | None = None,
        upperBound: int | str | None = None,
        numPartitions: int | None = None,
        predicates: list[str] | None = None,
        properties: dict[str, str] | None = None,
    ) -> NoReturn:
        """Not there: JDBC needs a JVM."""
        raise NotImplementedError(f"DataFrameReader.jdbc; use {ELSEWHERE['jdbc']}")

    def changes(self, tableName: str) -> NoReturn:
        """Not there: a catalog."""
        raise NotImplementedError("DataFrameReader.changes: there is no catalog of tables")


def _series(texts: Iterable[Any]) -> Iterator[pl.Series]:
    """Lines some thousand at a time."""
    some: list[str] = []
    for text in texts:
        some.append(text.decode() if isinstance(text, bytes) else str(text))
        if len(some) == _BATCH:
            yield pl.Series(some, dtype=pl.String)
            some = []
    if some:
        yield pl.Series(some, dtype=pl.String)


@dataclass(frozen=True, slots=True)
class Parsing:
    """f(partition, lines) that gives Arrow tables of the columns, without the line `header`."""

    form: str
    columns: t.StructType
    options: tuple[tuple[str, str], ...]
    settings: Settings
    header: str | None = None

    def __call__(self, partition: int, lines: Iterator[Any]) -> Iterator[pa.Table]:
        options, names = dict(self.options), self.columns.names
        texts = _series(line for line in lines if self.header is None or line != self.header)
        if self.form == "json":
            found = json.made(texts, _TEXTS, self.columns, names, options, self.settings)
        else:
            options["header"] = "false"
            dialect = csv.Dialect.of(options)
            data = [f for f in self.columns.fields if f.name.lower() != dialect.corrupt.lower()]
            rows = csv.of_lines(texts, _TEXTS, dialect, len(data))
            found = csv.made(rows, _TEXTS, self.columns, names, options, self.settings)
        newest = pl.CompatLevel.newest()
        for frame in found:
            yield frame.select(names).to_arrow(compat_level=newest)

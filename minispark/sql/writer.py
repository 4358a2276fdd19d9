"""`df.write`: a DataFrame into files. A folder changes whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from executors.formats import commit, textual
from executors.formats.files import locate
from executors.formats.writing import Writing
from minispark.errors import AnalysisException, IllegalArgumentException
from minispark.sql import tables
from minispark.sql.fileoptions import (
    ELSEWHERE,
    as_text,
    check_written,
    file_errors,
    folded,
    format_of,
    option_errors,
)
from minispark.sql.warehouse import parts_of
from planner.columns import types as t
from planner.ops import Relational
from planner.plan import Narrow
from planner.query import logical as l
from planner.site import call_site

if TYPE_CHECKING:
    from minispark.sql.dataframe.core import Core

_MODES = {
    "error": "error",
    "errorifexists": "error",
    "default": "error",
    "append": "append",
    "overwrite": "overwrite",
    "ignore": "ignore",
}


class DataFrameWriter:
    """How and where a DataFrame is written: `df.write`.

    Examples
    --------
    >>> import os, tempfile
    >>> folder = os.path.join(tempfile.mkdtemp(), "numbers")
    >>> spark.range(3).write.mode("overwrite").parquet(folder)
    >>> spark.read.parquet(folder).count()
    3
    """

    def __init__(self, df: Core) -> None:
        self._df = df
        self._format: str | None = None
        self._mode = "error"
        self._options: dict[str, str] = {}
        self._parts: list[str] = []
        self._sorted: list[str] = []

    # ---- how -------------------------------------------------------------------------------------

    def mode(self, saveMode: str | None) -> Self:
        """What to do if there is something: 'append', 'overwrite', 'ignore' (nothing), or 'error'
        ('errorifexists', the default).

        Raises
        ------
        IllegalArgumentException
            It is none of these.
        """
        if saveMode is not None:
            if str(saveMode).lower() not in _MODES:
                raise AnalysisException(
                    f"the mode is overwrite, append, ignore, error, errorifexists or default, not "
                    f"{saveMode!r}",
                    "INVALID_SAVE_MODE",
                )
            self._mode = _MODES[saveMode.lower()]
        return self

    def format(self, source: str) -> Self:
        """The format: parquet, csv, json, text or orc."""
        self._format = source
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

    def partitionBy(self, *cols: str | list[str]) -> Self:
        """Write the rows of each value of these columns into a folder of its own, `name=value`."""
        first = cols[0] if len(cols) == 1 else None
        self._parts = [str(c) for c in (first if isinstance(first, list | tuple) else cols)]
        return self

    def sortBy(self, col: str | list[str] | tuple[str, ...], *cols: str | None) -> Self:
        """For bucketed tables only, as in Spark."""
        given = [*col, *cols] if isinstance(col, list | tuple) else [col, *cols]
        self._sorted = [str(each) for each in given]
        return self

    def bucketBy(
        self, numBuckets: int, col: str | list[str] | tuple[str, ...], *cols: str | None
    ) -> NoReturn:
        """Not there: buckets belong to tables of a catalog."""
        raise NotImplementedError(
            "DataFrameWriter.bucketBy is not there, as tables of a catalog are not; use "
            "partitionBy, or repartition before writing"
        )

    def clusterBy(self, *cols: str | list[str]) -> NoReturn:
        """Not there: clustering belongs to tables of a catalog."""
        raise NotImplementedError("DataFrameWriter.clusterBy is not there; use partitionBy")

    # ---- where -----------------------------------------------------------------------------------

    def save(
        self,
        path: str | None = None,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        **options: Any,
    ) -> None:
        """Write the rows.

        Parameters
        ----------
        path : str, optional
            A folder, on any file system that pyarrow or fsspec knows; or the option `path`.
        format, mode, partitionBy, options
            As the methods of these names.

        Raises
        ------
        AnalysisException
            There is something at `path` and the mode is 'error'; a column is not there or cannot
            be held by the format.
        """
        self.mode(mode).options(**options)
        if partitionBy is not None:
            self.partitionBy(*([partitionBy] if isinstance(partitionBy, str) else partitionBy))
        if format is not None:
            self.format(format)
        if self._sorted:
            raise AnalysisException("sortBy needs bucketBy", "SORT_BY_WITHOUT_BUCKETING")
        where = path if path is not None else self._options.get("path")
        if where is None:
            raise IllegalArgumentException("the write needs a path", "PATH_NOT_SPECIFIED")
        conf = self._df._session.conf
        form = format_of(self._format or conf.get("spark.sql.sources.default", "parquet") or "")
        with file_errors():
            self._save(str(where), form)

    def _save(self, path: str, form: str) -> None:
        plan, engine = self._df._plan, self._df._engine
        options = self._settled(form)
        columns = t.StructType([t.StructField(a.name, a.kind, a.null) for a in plan.output])
        folders = self._folders(columns)
        inner = [f for at, f in enumerate(columns.fields) if at not in folders]
        self._check(form, t.StructType(inner))
        if self._mode == "overwrite":
            with option_errors():
                self._refuse_own(plan, path)
        dynamic = options.pop("partitionoverwritemode", "static").lower() == "dynamic"
        with option_errors():
            job = commit.begin(path, self._mode, dynamic and bool(folders))
        if job is None:
            return
        writing = Writing(job, form, columns, folders, options, engine.settings)
        try:
            site = call_site()
            op = Relational(writing, site.method, splits=(0,))
            node = Narrow(engine.physical(plan), op, site=site)
            found = dict(self._df._session.sparkContext._session.run(node, site=node.site))
            written = [each for partition in sorted(found) for each in found[partition]]
        except BaseException:  # an interrupt too: no partial output stays
            commit.abandon(job)
            raise
        commit.publish(job, written)

    def _settled(self, form: str) -> dict[str, str]:
        """The options, with what the session's settings say where they are silent."""
        options, conf = folded(self._options), self._df._session.conf
        check_written(form, options)
        for name, key in (
            ("maxrecordsperfile", "spark.sql.files.maxRecordsPerFile"),
            ("partitionoverwritemode", "spark.sql.sources.partitionOverwriteMode"),
        ):
            value = conf.get(key, None)
            if value is not None:
                options.setdefault(name, value)
        own = {
            "parquet": [
                ("compression", "spark.sql.parquet.compression.codec"),
                ("outputtimestamptype", "spark.sql.parquet.outputTimestampType"),
            ],
            "orc": [("compression", "spark.sql.orc.compression.codec")],
        }
        for name, key in own.get(form, []):
            value = conf.get(key, None)
            if value is not None:
                options.setdefault(name, value)
        if form == "json":
            keep = conf.get("spark.sql.jsonGenerator.ignoreNullFields", None)
            if keep is not None:
                options.setdefault("ignorenullfields", keep)
        check_written(form, options)
        return options

    def _folders(self, columns: t.StructType) -> tuple[int, ...]:
        """The places of the columns that name folders."""
        sensitive = self._df._engine.settings.case_sensitive
        fold = str if sensitive else str.lower
        names = [fold(name) for name in columns.names]
        for name in names:
            if names.count(name) > 1:
                raise AnalysisException(
                    f"the column {name} is there twice: rename one", "COLUMN_ALREADY_EXISTS"
                )
        for part in self._parts:
            if fold(part) not in names:
                raise AnalysisException(
                    f"partitionBy: there is no column {part} in {', '.join(columns.names)}",
                    "PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA",
                )
        places = tuple(names.index(fold(part)) for part in self._parts)
        for place in places:
            kind = columns.fields[place].dataType
            if isinstance(kind, t.ArrayType | t.MapType | t.StructType):
                raise AnalysisException(
                    f"partitionBy: the column {columns.names[place]} is {kind.simpleString()}, "
                    "which cannot name a folder",
                    "INVALID_PARTITION_COLUMN_DATA_TYPE",
                )
        if places and len(places) == len(names):
            raise AnalysisException(
                "partitionBy names all columns: there would be none in the files",
                "ALL_PARTITION_COLUMNS_NOT_ALLOWED",
            )
        return places

    def _check(self, form: str, schema: t.StructType) -> None:
        if form != "text" and _empty(schema):
            raise AnalysisException(
                f"{form} files need at least one column, in every struct too",
                "EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE",
            )
        if form == "text" and len(schema) != 1:
            raise AnalysisException(
                f"text files hold one column, and there are {len(schema)}",
                "_LEGACY_ERROR_TEMP_1290",
            )
        wrong = textual.refused(form, schema)
        if wrong:
            kind = schema[wrong[0]].dataType.simpleString()
            raise AnalysisException(
                f"{form} cannot hold the column {wrong[0]}, which is {kind}",
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
            )

    def _refuse_own(self, plan: l.Plan, path: str) -> None:
        """Refuse to overwrite what the DataFrame is read from."""
        place, folder = locate(path)
        mine = place.opened(folder).rstrip("/")
        for node in l.walk(plan):
            if isinstance(node, l.Scan):
                for each in node.slices:
                    if each.path == mine or each.path.startswith(mine + "/"):
                        raise AnalysisException(
                            f"cannot overwrite {path}, which the DataFrame is read from: write "
                            "elsewhere, then rename",
                            "UNSUPPORTED_OVERWRITE.PATH",
                        )

    def parquet(
        self,
        path: str,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        compression: str | None = None,
    ) -> None:
        """Write Parquet files; compression is snappy unless told otherwise.

        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "numbers")
        >>> spark.range(4).write.parquet(folder, compression="zstd")
        >>> sorted(name for name in os.listdir(folder) if name == "_SUCCESS")
        ['_SUCCESS']
        """
        self._named("parquet", path, mode, partitionBy, compression=compression)

    def orc(
        self,
        path: str,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        compression: str | None = None,
    ) -> None:
        """Write ORC files."""
        self._named("orc", path, mode, partitionBy, compression=compression)

    def text(self, path: str, compression: str | None = None, lineSep: str | None = None) -> None:
        """Write a column of strings as lines."""
        self._named("text", path, compression=compression, lineSep=lineSep)

    def json(
        self,
        path: str,
        mode: str | None = None,
        compression: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        lineSep: str | None = None,
        encoding: str | None = None,
        ignoreNullFields: bool | str | None = None,
    ) -> None:
        """Write lines of JSON, an object a row; nulls are left out."""
        self._named(
            "json",
            path,
            mode,
            compression=compression,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            lineSep=lineSep,
            encoding=encoding,
            ignoreNullFields=ignoreNullFields,
        )

    def csv(
        self,
        path: str,
        mode: str | None = None,
        compression: str | None = None,
        sep: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        header: bool | str | None = None,
        nullValue: str | None = None,
        escapeQuotes: bool | str | None = None,
        quoteAll: bool | str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        ignoreLeadingWhiteSpace: bool | str | None = None,
        ignoreTrailingWhiteSpace: bool | str | None = None,
        charToEscapeQuoteEscaping: str | None = None,
        encoding: str | None = None,
        emptyValue: str | None = None,
        lineSep: str | None = None,
    ) -> None:
        """Write CSV files.

        >>> import glob, os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "numbers")
        >>> spark.range(2).write.csv(folder, header=True)
        >>> print(open(glob.glob(folder + "/part-00000*")[0]).readline().strip())
        id
        """
        given = {k: v for k, v in locals().items() if k not in ("self", "path", "mode")}
        self._named("csv", path, mode, **given)

    def _named(
        self,
        form: str,
        path: str,
        mode: str | None = None,
        parts: str | list[str] | None = None,
        **options: Any,
    ) -> None:
        given = {key: value for key, value in options.items() if value is not None}
        self.save(path, form, mode, parts, **given)

    # ---- tables ----------------------------------------------------------------------------------

    def saveAsTable(
        self,
        name: str,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        **options: Any,
    ) -> None:
        """Write the rows as a table that stays, below `spark.sql.warehouse.dir`.

        Parameters
        ----------
        name : str
            The table, perhaps with its database in front.
        format, mode, partitionBy, options
            As the methods of these names; with the option `path` the files are there, and stay
            when the table is dropped.

        Raises
        ------
        AnalysisException
            There is such a table and the mode is 'error'; or it does not fit what is appended.
        """
        self.mode(mode).options(**options)
        if partitionBy is not None:
            self.partitionBy(*([partitionBy] if isinstance(partitionBy, str) else partitionBy))
        if format is not None:
            self.format(format)
        if self._sorted:
            raise AnalysisException("sortBy needs bucketBy", "SORT_BY_WITHOUT_BUCKETING")
        tables.save(
            self._df,  # type: ignore[arg-type]
            parts_of(name),
            self._mode,
            self._format,
            self._parts,
            self._options,
        )

    def insertInto(self, tableName: str, overwrite: bool | None = None) -> None:
        """Write the rows into a table that is there, columns by position.

        Parameters
        ----------
        tableName : str
            The table.
        overwrite : bool, optional
            In the place of its rows.

        Raises
        ------
        AnalysisException
            There is no such table, or the columns do not fit.
        """
        if self._parts:
            raise AnalysisException(
                "insertInto and partitionBy do not go together: the table says how it is "
                "partitioned",
                "_LEGACY_ERROR_TEMP_1309",
            )
        over = self._mode == "overwrite" if overwrite is None else overwrite
        tables.insert_into(self._df, parts_of(tableName), over)  # type: ignore[arg-type]

    # ---- not there -------------------------------------------------------------------------------

    def jdbc(
        self,
        url: str,
        table: str,
        mode: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> NoReturn:
        """Not there: JDBC needs a JVM."""
        raise NotImplementedError(f"DataFrameWriter.jdbc; use {ELSEWHERE['jdbc']}")

    def xml(
        self,
        path: str,
        rowTag: str | None = None,
        mode: str | None = None,
        attributePrefix: str | None = None,
        valueTag: str | None = None,
        rootTag: str | None = None,
        declaration: bool | None = None,
        arrayElementName: str | None = None,
        nullValue: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        compression: str | None = None,
        encoding: str | None = None,
        validateName: bool | None = None,
    ) -> NoReturn:
        """Not there."""
        raise NotImplementedError("DataFrameWriter.xml is not there; use json")


def _empty(kind: t.StructType) -> bool:
    """Whether it has no fields, or a struct in it has none."""
    return not kind.fields or any(
        _empty(each.dataType) for each in kind.fields if isinstance(each.dataType, t.StructType)
    )

"""A task that writes its partition to files, aside."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from executors.formats import commit, textual
from executors.formats.codecs import create, end_for
from executors.formats.columns import SPARK_SCHEMA, for_files
from executors.formats.csv import flag
from executors.formats.files import Place
from executors.formats.listing import NOTHING
from executors.formats.plain import codec_of, escaped
from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.functions.registry import Settings

ENDS = {"csv": ".csv", "json": ".json", "text": ".txt"}
PARQUET = {  # option -> (pyarrow's name, end of the file's name)
    "none": ("none", ""),
    "uncompressed": ("none", ""),
    "snappy": ("snappy", ".snappy"),
    "gzip": ("gzip", ".gz"),
    "lz4": ("lz4", ".lz4hadoop"),
    "lz4_raw": ("lz4", ".lz4raw"),
    "brotli": ("brotli", ".br"),
    "zstd": ("zstd", ".zstd"),
}
ORC = {
    "none": ("uncompressed", ""),
    "uncompressed": ("uncompressed", ""),
    "snappy": ("snappy", ".snappy"),
    "zlib": ("zlib", ".zlib"),
    "lz4": ("lz4", ".lz4"),
    "zstd": ("zstd", ".zstd"),
}
_ESCAPED = frozenset("\"#%'*/:=?\\{[]^\x7f") | frozenset(map(chr, range(1, 32)))
_LINES = 1 << 16  # rows made text together


@dataclass(frozen=True)
class Writing:
    """f(partition, tables) of the task that writes. `columns` are all columns, those at the places
    `folders` name the folders and are not in the files; `options` have names in lower case."""

    job: commit.Job
    form: str
    columns: t.StructType
    folders: tuple[int, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    def __call__(self, partition: int, tables: Iterable[pa.Table]) -> Iterator[str]:
        place, folder, name = commit.attempt(self.job)
        names = [str(at) for at in range(len(self.columns.fields))]
        inner = [at for at in range(len(names)) if at not in self.folders]
        schema = t.StructType([self.columns.fields[at] for at in inner])
        files = _Files(self, place, folder, name, partition, schema)
        try:
            for table in tables:
                bare = table.rename_columns(names)
                for inside, rows in self._parted(bare, names, inner):
                    files.write(inside, rows)
            if not files.done and not files.open and partition == 0 and not self.folders:
                empty = pa.schema([(str(at), for_files(f.dataType)) for at, f in enumerate(schema)])
                files.write("", empty.empty_table())
            files.close()
        except BaseException:
            files.give_up()
            raise
        yield from files.done

    def _parted(
        self, table: pa.Table, names: list[str], inner: list[int]
    ) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each folder, with the folder's name."""
        if not self.folders:
            yield "", table
            return
        keys = [self.columns.fields[at] for at in self.folders]
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        texts = frame.select(
            cast(pl.col(names[at]), each.dataType, t.STRING, "ansi", self.settings).alias(names[at])
            for at, each in zip(self.folders, keys, strict=True)
        )
        labels = texts.select(
            pl.concat_str(
                [
                    pl.lit(escape(each.name) + "=")
                    + pl.col(column).fill_null("").map_elements(folder_of, pl.String)
                    for column, each in zip(texts.columns, keys, strict=True)
                ],
                separator="/",
            ).alias("label")
        )["label"]
        newest = pl.CompatLevel.newest()
        kept = frame.select([names[at] for at in inner]).with_columns(labels)
        for (label,), rows in kept.group_by("label", maintain_order=True):
            yield str(label), rows.drop("label").to_arrow(compat_level=newest)


def folder_of(text: str) -> str:
    """A value in the name of a folder."""
    return escape(text) if text else NOTHING


def escape(text: str) -> str:
    """Text as a part of a path, as Hive writes it.

    >>> escape("a/b=c d")
    'a%2Fb%3Dc d'
    """
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)


class _Files:
    """The files that one attempt writes, one open for each folder."""

    def __init__(
        self,
        how: Writing,
        place: Place,
        folder: str,
        attempt: str,
        partition: int,
        schema: t.StructType,
    ) -> None:
        self._how = how
        self._place = place
        self._folder = folder
        self._attempt = attempt
        self._partition = partition
        self._schema = schema
        self._most = int(how.options.get("maxrecordsperfile", "0"))
        self._counts: dict[str, int] = {}
        self.open: dict[str, _Sink] = {}
        self.done: list[str] = []

    def write(self, inside: str, rows: pa.Table) -> None:
        """Add rows to the file of a folder."""
        while True:
            sink = self.open.get(inside) or self._begin(inside)
            room = self._most - sink.rows if self._most > 0 else rows.num_rows
            sink.write(rows.slice(0, room))
            rows = rows.slice(min(room, rows.num_rows))
            if self._most > 0 and sink.rows >= self._most and rows.num_rows:
                self._end(inside)
                continue
            return

    def _begin(self, inside: str) -> _Sink:
        how, count = self._how, self._counts.get(inside, 0)
        self._counts[inside] = count + 1
        dash = "." if how.folders else "-"
        name = f"part-{self._partition:05d}-{how.job.name}{dash}c{count:03d}{end_of(how)}"
        target = posixpath.join(self._folder, inside, name)
        if inside:
            self._place.system.create_dir(posixpath.dirname(target), recursive=True)
        sink = _SINKS.get(how.form, _Lines)(how, self._place, target, self._schema)
        self.open[inside] = sink
        return sink

    def _end(self, inside: str) -> None:
        sink = self.open.pop(inside)
        sink.close()
        name = posixpath.basename(sink.target)
        self.done.append(posixpath.join(self._attempt, inside, name))

    def close(self) -> None:
        """End all files."""
        for inside in list(self.open):
            self._end(inside)

    def give_up(self) -> None:
        """Close what is open; nobody will look at it."""
        for sink in self.open.values():
            sink.give_up()


def end_of(how: Writing) -> str:
    """The end of the names of files."""
    codec = how.options.get("compression", "").lower()
    if how.form == "parquet":
        return f"{PARQUET[codec or 'snappy'][1]}.parquet"
    if how.form == "orc":
        return f"{ORC[codec or 'zstd'][1]}.orc"
    own = how.options.get("extension")
    name = None if codec in ("", "none", "uncompressed") else codec
    return (f".{own}" if own else ENDS[how.form]) + end_for(name)


class _Sink:
    """A file that takes tables, whose columns are in order."""

    def __init__(self, how: Writing, place: Place, target: str, schema: t.StructType) -> None:
        self._how = how
        self._schema = schema
        self.target = target
        self.rows = 0

    def write(self, rows: pa.Table) -> None:
        """Add rows."""
        self._add(rows)
        self.rows += rows.num_rows

    def _add(self, rows: pa.Table) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End the file."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Close the file as it is."""
        raise NotImplementedError


class _Lines(_Sink):
    """csv, json and text."""

    def __init__(self, how: Writing, place: Place, target: str, schema: t.StructType) -> None:
        super().__init__(how, place, target, schema)
        self._style = textual.Style(how.options, how.settings)
        self._end = escaped(how.options.get("linesep", "\n"))
        self._encoding = codec_of(how.options)
        self._opened = create(place.system, target)
        self._file: Any = self._opened.__enter__()
        if how.form == "csv" and flag(how.options, "header"):
            self._put(textual.header(schema, how.options) + self._end)

    def _put(self, text: str) -> None:
        self._file.write(
            text.encode(self._encoding, "replace")
        )  # as Spark: ? for what is not in it

    def _add(self, rows: pa.Table) -> None:
        for at in range(0, rows.num_rows, _LINES):
            frame = pl.from_arrow(rows.slice(at, _LINES))
            assert isinstance(frame, pl.DataFrame)
            found = textual.lines(self._how.form, frame, self._schema, self._style)
            self._put(self._end.join(found.to_list()) + self._end)

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def give_up(self) -> None:
        try:
            self._opened.__exit__(None, None, None)
        except (OSError, ValueError):  # what failed once fails again: the first error counts
            return


def stored(schema: t.StructType) -> pa.Schema:
    """The Arrow schema as which binary formats hold columns; times of day lengths are numbers."""
    return pa.schema(
        [
            (
                f.name,
                pa.int64()
                if isinstance(f.dataType, t.DayTimeIntervalType)
                else for_files(f.dataType),
            )
            for f in schema.fields
        ]
    )


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for column, each in zip(rows.columns, schema, strict=True):
        if pa.types.is_duration(column.type):
            column = column.cast(pa.duration("us")).cast(pa.int64())
        columns.append(column if column.type == each.type else column.cast(each.type))
    return pa.Table.from_arrays(columns, schema=schema)


class _Parquet(_Sink):
    def __init__(self, how: Writing, place: Place, target: str, schema: t.StructType) -> None:
        super().__init__(how, place, target, schema)
        from pyarrow import parquet

        self._stored = stored(schema)
        codec = PARQUET[how.options.get("compression", "snappy").lower()][0]
        self._file = place.system.open_output_stream(target)
        old = how.options.get("outputtimestamptype", "").upper() == "INT96"
        if old and t.TIMESTAMP_NTZ in [each.dataType for each in schema.fields]:
            raise NotImplementedError(
                "spark.sql.parquet.outputTimestampType=INT96 with a column of timestamp_ntz; "
                "use TIMESTAMP_MICROS"
            )
        self._writer = parquet.ParquetWriter(
            self._file,
            self._stored,
            compression=codec,
            store_schema=False,
            use_deprecated_int96_timestamps=old,
        )
        told = json.dumps(schema.jsonValue(), separators=(",", ":"))
        self._writer.add_key_value_metadata({SPARK_SCHEMA: told.encode()})

    def _add(self, rows: pa.Table) -> None:
        self._writer.write_table(_fitted(rows, self._stored))

    def close(self) -> None:
        self._writer.close()
        self._file.close()

    def give_up(self) -> None:
        try:
            self.close()
        except (OSError, ValueError):  # what failed once fails again: the first error counts
            return


class _Orc(_Sink):
    def __init__(self, how: Writing, place: Place, target: str, schema: t.StructType) -> None:
        super().__init__(how, place, target, schema)
        from pyarrow import orc

        self._stored = stored(schema)
        codec = ORC[how.options.get("compression", "zstd").lower()][0]
        self._file = place.system.open_output_stream(target)
        self._writer = orc.ORCWriter(self._file, compression=codec)
        self._writer.write(self._stored.empty_table())

    def _add(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self._writer.write(_fitted(rows, self._stored))

    def close(self) -> None:
        self._writer.close()
        self._file.close()

    def give_up(self) -> None:
        try:
            self.close()
        except (OSError, ValueError):  # what failed once fails again: the first error counts
            return


_SINKS: dict[str, type[_Sink]] = {"parquet": _Parquet, "orc": _Orc}

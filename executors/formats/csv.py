"""CSV files: lines cut into fields, fields into values, by Spark's rules.

Lines without quotes are cut by Polars, and so are those whose quotes only stand around whole
fields. What is left goes through `record`, which knows all the rules.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from executors.formats import plain
from executors.formats.codecs import unpacked
from executors.formats.errors import FilesError
from executors.formats.files import name_of
from executors.formats.values import Spelling, typed
from executors.relational.errors import QueryError
from planner.columns import types as t
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice

_NEWLINE = re.compile(r"\r\n|\n|\r")
_MODES = ("PERMISSIVE", "DROPMALFORMED", "FAILFAST")


@dataclass(frozen=True)
class Dialect:
    """What the options of a CSV file say of its lines and fields."""

    sep: str = ","
    quote: str = '"'
    escape: str = "\\"
    comment: str = ""
    header: bool = False
    lead: bool = False
    trail: bool = False
    null: str = ""
    empty: str = ""
    multi: bool = False
    mode: str = "PERMISSIVE"
    corrupt: str = "_corrupt_record"

    @staticmethod
    def of(options: Mapping[str, str]) -> Dialect:
        """From options, their names in lower case.

        Raises
        ------
        ValueError, FilesError
            An option's value means nothing.
        """

        def one(name: str, default: str) -> str:
            text = plain.escaped(options.get(name, default))
            if len(text) > 1:
                raise FilesError(
                    f"the csv option {name} is one character, not {text!r}",
                    "OPTION_VALUE_EXCEEDS_ONE_CHARACTER",
                )
            return "" if text == "\0" else text

        sep = plain.escaped(options.get("sep", options.get("delimiter", ",")))
        if not sep:
            raise ValueError("the csv option sep cannot be empty")
        quoting = options.get("unescapedquotehandling", "STOP_AT_DELIMITER").upper()
        if quoting != "STOP_AT_DELIMITER":
            raise NotImplementedError(f"the csv option unescapedQuoteHandling={quoting}")
        return Dialect(
            sep,
            one("quote", '"'),
            one("escape", "\\"),
            one("comment", ""),
            flag(options, "header"),
            flag(options, "ignoreleadingwhitespace"),
            flag(options, "ignoretrailingwhitespace"),
            options.get("nullvalue", ""),
            options.get("emptyvalue", ""),
            flag(options, "multiline"),
            mode_of(options),
            options.get("columnnameofcorruptrecord", "_corrupt_record"),
        )


def flag(options: Mapping[str, str], name: str, default: str = "false") -> bool:
    """An option that is true or false."""
    text = options.get(name, default).strip().lower()
    if text not in ("true", "false"):
        raise ValueError(f"the option {name} is true or false, not {text!r}")
    return text == "true"


def is_comment(line: str, dialect: Dialect) -> bool:
    """Whether a line is left out."""
    return bool(dialect.comment) and line.startswith(dialect.comment)


def mode_of(options: Mapping[str, str]) -> str:
    """What to do with malformed records."""
    mode = options.get("mode", "PERMISSIVE").upper()
    return mode if mode in _MODES else "PERMISSIVE"


# ---- fields --------------------------------------------------------------------------------------


def fields(lines: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame:
    """The first `width` fields of each line as columns "0", "1", … of text, and "n", how many there
    are. What is null in the file is null."""
    whole = _usual(lines, dialect, width)
    if whole.all() and lines.len():
        found = _by_polars(lines, dialect, width)
        if found is not None:
            return found
    elif whole.sum() > lines.len() // 2:
        found = _by_polars(lines.filter(whole), dialect, width)
        if found is not None:
            places = pl.Series("at", range(lines.len()), dtype=pl.UInt32)
            rest = _apart(lines.filter(~whole), dialect, width)
            both = [
                found.with_columns(places.filter(whole)),
                rest.with_columns(places.filter(~whole)),
            ]
            return pl.concat(both).sort("at").drop("at")
    return _apart(lines, dialect, width)


def _usual(lines: pl.Series, dialect: Dialect, width: int) -> pl.Series:
    """Which lines have just `width` fields, with quotes around whole fields if at all."""
    unusual = dialect.lead or dialect.trail or len(dialect.sep) > 1 or dialect.empty or dialect.null
    if unusual or not dialect.sep.isascii() or not 0 < width < 500:
        return pl.Series([False]).new_from_index(0, lines.len())
    sep, quote, escape = map(re.escape, (dialect.sep, dialect.quote, dialect.escape))
    one = f"[^{quote}{sep}\r\n]*"
    if dialect.quote:
        one = f"(?:{quote}[^{quote}{escape}\r\n]*{quote}|{one})"
    if width > 50 and dialect.quote:  # so large a pattern would be slow
        quoted = lines.str.contains(dialect.quote, literal=True)
        return ~quoted & (lines.str.count_matches(sep) == width - 1)
    return lines.str.contains(f"^{one}(?:{sep}{one}){{{width - 1}}}$")


def _by_polars(lines: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame | None:
    """As `fields`, for usual lines, whose empty fields are all null."""
    names = [str(at) for at in range(width)]
    text = lines.str.join("\n").item()
    found = pl.read_csv(
        io.BytesIO(text.encode()),
        has_header=False,
        separator=dialect.sep,
        quote_char=dialect.quote or None,
        schema={name: pl.String() for name in names},
    )
    if found.height != lines.len():
        return None
    values = [pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names]
    return found.select(*values, pl.lit(width, dtype=pl.UInt32).alias("n"))


def _apart(lines: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame:
    """As `fields`: lines with quotes and those without are cut in different ways."""
    if dialect.quote and lines.str.contains(dialect.quote, literal=True).any():
        quoted = lines.str.contains(dialect.quote, literal=True)
        places = pl.Series("at", range(lines.len()), dtype=pl.UInt32)
        parts = [
            _unquoted(lines.filter(~quoted), dialect, width).with_columns(places.filter(~quoted)),
            _quoted(lines.filter(quoted), places.filter(quoted), dialect, width),
        ]
        return pl.concat(parts).sort("at").drop("at")
    return _unquoted(lines, dialect, width)


def _unquoted(lines: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame:
    cut = lines.str.split(dialect.sep).alias("cut")
    values = [pl.col("cut").list.get(at, null_on_oob=True) for at in range(width)]
    if dialect.lead:
        values = [value.str.strip_chars_start(" \t") for value in values]
    if dialect.trail:
        values = [value.str.strip_chars_end(" \t") for value in values]
    nothing = list({"", dialect.null})
    return pl.DataFrame([cut]).select(
        *(
            pl.when(~value.is_in(nothing)).then(value).alias(str(at))
            for at, value in enumerate(values)
        ),
        pl.col("cut").list.len().alias("n"),
    )


def _quoted(lines: pl.Series, places: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame:
    """As `fields`, for lines with quotes, with their `places` as the column "at"."""
    regular = pl.Series([False] * lines.len(), dtype=pl.Boolean)
    parts = []
    if len(dialect.sep) == 1 and not dialect.lead and not dialect.trail:
        sep, quote, escape = map(re.escape, (dialect.sep, dialect.quote, dialect.escape))
        inside = f"{quote}[^{quote}{escape}]*{quote}"
        tokens = lines.str.extract_all(f"(?:^|{sep})(?:{inside}|[^{quote}{sep}]*)").alias("cut")
        regular = tokens.list.join("") == lines
        parts.append(
            _from_tokens(tokens.filter(regular), dialect, width).with_columns(
                places.filter(regular)
            )
        )
    rest = lines.filter(~regular)
    cut = [record(line, dialect)[0] for line in rest]
    columns = {
        str(at): pl.Series([_get(row, at, dialect) for row in cut], dtype=pl.String)
        for at in range(width)
    }
    counts = pl.Series("n", [len(row) for row in cut], dtype=pl.UInt32)
    parts.append(pl.DataFrame({**columns, "n": counts, "at": places.filter(~regular)}))
    return pl.concat(parts)


def _from_tokens(tokens: pl.Series, dialect: Dialect, width: int) -> pl.DataFrame:
    columns = []
    for at in range(width):
        raw = pl.col("cut").list.get(at, null_on_oob=True)
        if at:
            raw = raw.str.slice(1)
        bare = raw.str.slice(1, raw.str.len_chars() - 2)
        quoted = raw.str.starts_with(dialect.quote)
        full = pl.when(bare == "").then(pl.lit(dialect.empty)).otherwise(bare)
        value = pl.when(quoted).then(full).when(raw != "").then(raw)
        columns.append(pl.when(value != dialect.null).then(value).alias(str(at)))
    return pl.DataFrame([tokens]).select(*columns, pl.col("cut").list.len().alias("n"))


def _get(row: Sequence[str | None], at: int, dialect: Dialect) -> str | None:
    value = row[at] if at < len(row) else None
    return None if value == dialect.null else value


def record(text: str, dialect: Dialect, at: int = 0) -> tuple[list[str | None], int]:
    """The fields of the record that begins at `at`, and where the next one begins.

    A field that is empty without quotes is None.
    """
    found: list[str | None] = []
    while True:
        if dialect.lead:
            while text[at : at + 1] in (" ", "\t") and not text.startswith(dialect.sep, at):
                at += 1
        if dialect.quote and text.startswith(dialect.quote, at):
            value, at = _in_quotes(text, dialect, at)
            found.append(value or dialect.empty)
        else:
            end = _end(text, dialect, at)
            value, at = text[at:end], end
            found.append((value.rstrip(" \t") if dialect.trail else value) or None)
        if text.startswith(dialect.sep, at):
            at += len(dialect.sep)
            continue
        line = _NEWLINE.match(text, at)
        return found, line.end() if line else len(text)


def _end(text: str, dialect: Dialect, at: int) -> int:
    """Where a field without quotes ends."""
    sep = text.find(dialect.sep, at)
    line = _NEWLINE.search(text, at, sep if sep >= 0 else len(text)) if dialect.multi else None
    if line:
        return line.start()
    return sep if sep >= 0 else len(text)


def _ends(text: str, dialect: Dialect, at: int) -> bool:
    """Whether a field can end at `at`."""
    if at >= len(text) or text.startswith(dialect.sep, at):
        return True
    return dialect.multi and _NEWLINE.match(text, at) is not None


def _in_quotes(text: str, dialect: Dialect, begin: int) -> tuple[str, int]:
    """The value of a field that begins with a quote, and where it ends.

    A quote that is not escaped and does not end the field makes all of it plain text, up to the
    next separator: Spark keeps the quotes then.
    """
    quote, escape = dialect.quote, dialect.escape
    special = re.compile(f"[{re.escape(quote)}{re.escape(escape)}]")
    parts: list[str] = []
    at = start = begin + 1
    while found := special.search(text, at):
        at = found.start()
        following = text[at + 1 : at + 2]
        if escape != quote and found[0] == escape:
            if following and following in (quote, escape):
                parts.append(text[start:at] + following)
                start = at + 2
            at += 2 if following in (quote, escape) else 1
            continue
        if escape == quote and following == quote:
            parts.append(text[start : at + 1])
            at = start = at + 2
            continue
        after = at + 1
        while text[after : after + 1] in (" ", "\t") and not text.startswith(dialect.sep, after):
            after += 1
        if _ends(text, dialect, after):
            return "".join(parts) + text[start:at], after
        if following == quote and _ends(text, dialect, at + 2):
            return "".join(parts) + text[start : at + 1], at + 2
        end = _end(text, dialect, at)
        return text[begin:end], end
    return "".join(parts) + text[start:], len(text)


def first_record(
    piece: FileSlice, dialect: Dialect, options: Mapping[str, str]
) -> tuple[list[str | None], str] | None:
    """The fields of the first record of a file and its text, if it has one."""
    if not dialect.multi:
        for lines in plain.series(replace(piece, pieces=()), options):
            for line in lines:
                if line.strip() and not is_comment(line, dialect):
                    return record(line, dialect)[0], line
        return None
    text = b"".join(unpacked(piece.path)).decode(plain.codec_of(options), "replace")
    text, at = text.removeprefix("\ufeff"), 0
    while at < len(text):
        found, after = record(text, dialect, at)
        raw, at = text[at:after], after
        if raw.strip() and not is_comment(raw, dialect):
            return found, raw
    return None


def _compare_header(
    piece: FileSlice,
    dialect: Dialect,
    names: Sequence[str],
    options: Mapping[str, str],
    settings: Settings,
) -> None:
    """Refuse a file whose header is not the schema's names."""
    found = first_record(piece, dialect, options)
    if found is None:
        return
    fold = str if settings.case_sensitive else str.lower
    if [fold(cell or "") for cell in found[0]] != [fold(name) for name in names]:
        raise QueryError(
            f"{name_of(piece.path)}: its header is {found[1].strip()}, and the schema has "
            f"{', '.join(names)}",
            "INVALID_CSV_HEADER",
        )


# ---- rows ----------------------------------------------------------------------------------------


def records(
    piece: FileSlice, dialect: Dialect, width: int, options: Mapping[str, str]
) -> Iterator[pl.DataFrame]:
    """The records of a slice: as `fields`, with "raw", their text, and "line", their number."""
    if dialect.multi:
        yield _of_whole(piece, dialect, width, options)
    else:
        yield from of_lines(plain.series(piece, options), piece, dialect, width)


def of_lines(
    texts: Iterable[pl.Series], piece: FileSlice, dialect: Dialect, width: int
) -> Iterator[pl.DataFrame]:
    """As `records`, for lines that are there; `piece` says where they come from."""
    header = dialect.header and not (piece.pieces and piece.pieces[0])
    before = 0
    for lines in texts:
        frame = pl.DataFrame({"raw": lines}).with_row_index("line", before + 1)
        before += lines.len()
        frame = frame.filter(pl.col("raw").str.strip_chars() != "")
        if dialect.comment:
            frame = frame.filter(~pl.col("raw").str.starts_with(dialect.comment))
        if header and frame.height:
            frame, header = frame.slice(1), False
        yield frame.hstack(fields(frame["raw"], dialect, width))


def _of_whole(
    piece: FileSlice, dialect: Dialect, width: int, options: Mapping[str, str]
) -> pl.DataFrame:
    text = b"".join(unpacked(piece.path)).decode(plain.codec_of(options), "replace")
    text = text.removeprefix("\ufeff")
    rows, raws, numbers, at, line = [], [], [], 0, 1
    while at < len(text):
        cut, after = record(text, dialect, at)
        raw = text[at:after]
        if raw.strip() and not is_comment(raw, dialect):
            rows.append(cut)
            raws.append(raw.rstrip("\r\n"))
            numbers.append(line)
        line += len(_NEWLINE.findall(raw))
        at = after
    cut_off = 1 if dialect.header else 0
    rows, raws, numbers = rows[cut_off:], raws[cut_off:], numbers[cut_off:]
    columns = {
        str(at): pl.Series([_get(row, at, dialect) for row in rows], dtype=pl.String)
        for at in range(width)
    }
    return pl.DataFrame(
        {
            "line": pl.Series(numbers, dtype=pl.UInt32),
            "raw": pl.Series(raws, dtype=pl.String),
            **columns,
            "n": pl.Series([len(row) for row in rows], dtype=pl.UInt32),
        }
    )


def read(
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pl.DataFrame]:
    """The columns `names` of a slice of a CSV file.

    Raises
    ------
    QueryError
        A record is malformed and the mode is FAILFAST; the message names file and line.
    """
    dialect = Dialect.of(options)
    data = [f for f in layout.fields if f.name.lower() != dialect.corrupt.lower()]
    if dialect.header and not flag(options, "enforceschema", "true"):
        _compare_header(piece, dialect, [each.name for each in data], options, settings)
    found = records(piece, dialect, len(data), options)
    yield from made(found, piece, layout, names, options, settings)


def made(
    found: Iterable[pl.DataFrame],
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pl.DataFrame]:
    """As `read`, for records that are there."""
    dialect, how = Dialect.of(options), Spelling.of(options, settings)
    if [name.lower() for name in names] == [dialect.corrupt.lower()]:
        raise only_corrupt(dialect.corrupt)
    data = [f for f in layout.fields if f.name.lower() != dialect.corrupt.lower()]
    places = {field.name: str(at) for at, field in enumerate(data)}
    kinds = {field.name: field.dataType for field in data}
    wanted = [name for name in names if name in places]
    whole = len(wanted) == len(data)  # a query of some columns looks at no others, as in Spark

    def why(row: Mapping[str, Any]) -> str:
        for name in wanted:
            text = row[places[name]]
            if text is not None and row[f"v{places[name]}"] is None:
                return f"{text[:100]!r} in the column {name} is no {kinds[name].simpleString()}"
        return f"it has {row['n']} field{'s' * (row['n'] != 1)}, and the schema {len(data)}"

    for frame in found:
        rows = frame.select(
            "line",
            "raw",
            "n",
            *(
                typed(pl.col(places[name]), kinds[name], how, settings).alias(f"v{places[name]}")
                for name in wanted
            ),
            *(places[name] for name in wanted),
        )
        bad = [
            pl.col(f"v{places[name]}").is_null() & pl.col(places[name]).is_not_null()
            for name in wanted
        ]
        if whole:
            bad.append(pl.col("n") != len(data))
        rows = rows.with_columns((pl.any_horizontal(bad) if bad else pl.lit(False)).alias("bad"))
        stays = kept(rows, dialect.mode, piece, why)
        yield stays.select(
            *(pl.col(f"v{places[name]}").alias(name) for name in wanted),
            *(pl.when("bad").then("raw").alias(name) for name in names if name not in places),
            pl.col("bad").alias("#row"),
        )


def only_corrupt(name: str) -> QueryError:
    """What is wrong with a query of the column of malformed records alone."""
    return QueryError(
        f"a query of csv or json files that needs only {name} cannot be answered: which records "
        "are malformed depends on the columns that are read; cache the DataFrame first",
        "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN",
    )


def kept(
    frame: pl.DataFrame, mode: str, piece: FileSlice, why: Callable[[Mapping[str, Any]], str]
) -> pl.DataFrame:
    """The rows of which some are "bad", after what the mode says is done with those; `why` says
    what is bad in one.

    Raises
    ------
    QueryError
        The mode is FAILFAST, and there is a bad one.
    """
    if mode == "PERMISSIVE" or not frame["bad"].any():
        return frame
    if mode == "DROPMALFORMED":
        return frame.filter(~pl.col("bad"))
    first = frame.filter("bad").row(0, named=True)
    place = f"line {first['line']}"
    if piece.pieces and piece.pieces[0]:
        place += f" from byte {piece.pieces[0]} on"
    shown = piece.path if piece.path.startswith("<") else name_of(piece.path)
    text = str(first["raw"])[:200].replace(plain.UNREADABLE, "\ufffd")
    raise QueryError(
        f"{shown}, {place}: the record {text!r} does not fit the schema: "
        f"{why(first)}; the mode PERMISSIVE makes NULL of it, DROPMALFORMED leaves it out",
        "MALFORMED_RECORD_IN_PARSING",
    )

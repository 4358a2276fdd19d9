"""Which files a DataFrame is read from, and what the names of their folders say.

A folder `k=v` gives a column k to all files below it. The type of its values is found from all of
them together: whole numbers, decimals, fractions, dates, timestamps, else text.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import polars as pl

from executors.formats.errors import FilesError
from executors.formats.files import Place, locate, matching
from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.columnar import to_polars
from planner.columns.functions.registry import Settings

NOTHING = "__HIVE_DEFAULT_PARTITION__"  # how Hive writes a null into a folder's name
_INT, _LONG = 2**31, 2**63
_WHOLE = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?|[+-]?(NaN|Infinity)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(_DAY.pattern + r" \d{2}:\d{2}:\d{2}(\.\d)?")  # with more digits it is text


@dataclass(frozen=True)
class Listed:
    """A file: a path that any process can open, the name shown to users, bytes, seconds of its
    change, and the raw values that its folders name."""

    path: str
    shown: str
    size: int
    modified: float = 0.0
    raw: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Listing:
    """Files, with the names of the columns that folders give."""

    files: tuple[Listed, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selecting:
    """What of the options decides which files are read."""

    base: str | None = None
    recursive: bool = False
    pattern: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    sensitive: bool = False
    ignore_missing: bool = False

    @staticmethod
    def of(options: Mapping[str, str], zone: str, sensitive: bool) -> Selecting:
        """From options, their names in lower case."""
        return Selecting(
            base=options.get("basepath"),
            recursive=options.get("recursivefilelookup", "false").lower() == "true",
            pattern=options.get("pathglobfilter"),
            after=_moment(options.get("modifiedafter"), zone),
            before=_moment(options.get("modifiedbefore"), zone),
            sensitive=sensitive,
            ignore_missing=options.get("ignoremissingfiles", "false").lower() == "true",
        )


def _moment(text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise FilesError(
            f"modifiedAfter and modifiedBefore take a time like 2020-06-01T13:00:00, not {text!r}",
            "CANNOT_PARSE_TIMESTAMP",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def listed(paths: Sequence[str], how: Selecting) -> Listing:
    """The files of paths, patterns and folders, without hidden ones.

    Raises
    ------
    FilesError
        A path is not there, or folders name columns that do not agree.
    """
    found: list[tuple[Listed, tuple[tuple[str, str], ...] | None]] = []
    missing = []
    for path in paths:
        place, infos = matching(path)
        if not infos and not how.ignore_missing:
            missing.append(place.shown(locate(path)[1]))
        shown = [info for info in infos if not (info.is_file and hidden(info.base_name))]
        if infos and not shown:
            missing.append(f"{place.shown(locate(path)[1])} (names that begin with _ are hidden)")
        for info in shown:
            found += _below(place, info, how)
    if missing:
        raise FilesError(f"Path does not exist: {', '.join(missing)}", "PATH_NOT_FOUND")
    found = [each for each in found if _wanted(each[0], how)]
    found.sort(key=lambda each: each[0].path)
    return _together(found)


def _wanted(file: Listed, how: Selecting) -> bool:
    name = posixpath.basename(file.shown)
    if how.pattern and not fnmatch.fnmatchcase(name, how.pattern):
        return False
    if how.after and file.modified <= how.after.timestamp():
        return False
    return not (how.before and file.modified >= how.before.timestamp())


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is not read."""
    under = name.startswith("_") and "=" not in name
    return under or name.startswith(".") or name.endswith("._COPYING_")


def _below(
    place: Place, root: Any, how: Selecting
) -> Iterator[tuple[Listed, tuple[tuple[str, str], ...] | None]]:
    """The files at `root` with the (column, raw value) pairs of their folders; None for files that
    count only where no other has such pairs."""
    from pyarrow import fs

    base = _base(place, root, how)
    if root.is_file:
        pairs = () if how.recursive else _pairs(posixpath.dirname(root.path), base)
        yield _file(place, root), pairs
        return
    for info in place.system.get_file_info(fs.FileSelector(root.path, recursive=True)):
        inside = info.path[len(root.path) :].lstrip("/")
        if not info.is_file or any(map(hidden, inside.split("/"))):
            continue
        if how.recursive:
            yield _file(place, info), ()
            continue
        pairs = _pairs(posixpath.dirname(info.path), base)
        if pairs or "/" not in inside:
            yield _file(place, info), pairs


def _base(place: Place, root: Any, how: Selecting) -> str:
    """The folder below which folders' names count."""
    own: str = posixpath.dirname(root.path) if root.is_file else root.path
    if how.base is None:
        return own
    of_base, base = locate(how.base)
    if of_base.prefix != place.prefix or not (own + "/").startswith(base.rstrip("/") + "/"):
        raise FilesError(
            f"basePath {how.base} is not above {place.shown(root.path)}", "INVALID_PARTITION_PATH"
        )
    return base


def _file(place: Place, info: Any) -> Listed:
    changed = (info.mtime_ns or 0) / 1e9
    return Listed(place.opened(info.path), place.shown(info.path), info.size or 0, changed)


def _pairs(folder: str, base: str) -> tuple[tuple[str, str], ...]:
    """The columns that the folders from `base` down name: the lowest run of `k=v`."""
    steps = folder[len(base) :].strip("/").split("/")
    pairs: list[tuple[str, str]] = []
    for step in reversed(steps):
        name, sign, value = step.partition("=")
        if not sign or not name:
            if pairs:
                break
            continue
        if not value:
            raise FilesError(
                f"the folder {step!r} in {folder} names no value: it should be name=value",
                "EMPTY_PARTITION_COLUMN_VALUE",
            )
        pairs.append((unquote(name), unquote(value)))
    return tuple(reversed(pairs))


def _together(found: list[tuple[Listed, tuple[tuple[str, str], ...] | None]]) -> Listing:
    named = [(file, pairs) for file, pairs in found if pairs]
    if not named:
        return Listing(tuple(file for file, _ in found))
    first, pairs = named[0]
    assert pairs is not None
    columns = tuple(name for name, _ in pairs)
    files = []
    for file, others in named:
        assert others is not None
        names = tuple(name for name, _ in others)
        if [n.lower() for n in names] != [c.lower() for c in columns]:
            raise FilesError(
                "folders name different partition columns: "
                f"{', '.join(columns)} in {first.shown}, but {', '.join(names)} in {file.shown}",
                "CONFLICTING_PARTITION_COLUMN_NAMES",
            )
        raw = tuple(None if value == NOTHING else value for _, value in others)
        files.append(Listed(file.path, file.shown, file.size, file.modified, raw))
    return Listing(tuple(files), columns)


# ---- the types of folders' values ----------------------------------------------------------------


@dataclass
class Typing:
    """The types of partition columns: the user's where given, else found from the values."""

    given: Mapping[str, t.DataType] = field(default_factory=dict)
    infer: bool = True
    settings: Settings = field(default_factory=Settings)

    def columns(self, listing: Listing) -> tuple[list[t.DataType], list[tuple[Any, ...]]]:
        """The type of each column, and the values of each file."""
        kinds: list[t.DataType] = []
        sides: list[list[Any]] = []
        for place, name in enumerate(listing.columns):
            raw = [file.raw[place] for file in listing.files]
            kind = self.given.get(name.lower()) or self._kind(raw)
            kinds.append(kind)
            sides.append(self._values(raw, kind, name))
        return kinds, list(zip(*sides, strict=True)) if sides else [() for _ in listing.files]

    def _kind(self, raw: Sequence[str | None]) -> t.DataType:
        if not self.infer:
            return t.STRING
        found: t.DataType = t.NULL
        for text in dict.fromkeys(raw):
            if text is not None:
                found = _wider(found, self._one(text))
        return found

    def _one(self, text: str) -> t.DataType:
        if _WHOLE.fullmatch(text):
            number = abs(int(text))
            if number < _INT:
                return t.INT
            if number < _LONG:
                return t.LONG
        if _FLOAT.fullmatch(text):
            exact = None if text[-1] in "dDfFNy" else Decimal(text).as_tuple()
            if exact is not None and isinstance(exact.exponent, int) and exact.exponent >= 0:
                digits = len(exact.digits) + exact.exponent
                if digits <= t.DecimalType.MAX:
                    return t.DecimalType(digits, 0)
            return t.DOUBLE
        if _DAY.fullmatch(text) and self._cast([text], t.DATE)[0] is not None:
            return t.DATE
        if _MOMENT.fullmatch(text) and self._cast([text], t.TIMESTAMP)[0] is not None:
            return t.TIMESTAMP
        return t.STRING

    def _cast(self, raw: Sequence[str | None], kind: t.DataType) -> list[Any]:
        texts = pl.DataFrame({"x": pl.Series(raw, dtype=pl.String)})
        value = cast(pl.col("x"), t.STRING, kind, "try", self.settings)
        return texts.select(value.cast(to_polars(kind)))["x"].to_list()

    def _values(self, raw: Sequence[str | None], kind: t.DataType, name: str) -> list[Any]:
        if isinstance(kind, t.StringType):
            return list(raw)
        if isinstance(kind, t.NullType):
            return [None] * len(raw)
        distinct = list(dict.fromkeys(raw))
        made = self._python(distinct, kind)
        table = dict(zip(distinct, made, strict=True))
        for text, value in table.items():
            if text is not None and value is None:
                raise FilesError(
                    f"the folder {name}={text} names no value of {kind.simpleString()}, which the "
                    f"schema says {name} is",
                    "INVALID_PARTITION_VALUE",
                )
        return [table[text] for text in raw]

    def _python(self, raw: Sequence[str | None], kind: t.DataType) -> list[Any]:
        if not isinstance(kind, t.NumericType):
            return self._cast(raw, kind)
        return [None if text is None else self._number(text, kind) for text in raw]

    def _number(self, text: str, kind: t.DataType) -> Any:
        """A value of type `kind`, None if the text is none."""
        try:
            if isinstance(kind, t.IntegralType) and _WHOLE.fullmatch(text):
                bound = 1 << (kind.bits - 1)
                return found if -bound <= (found := int(text)) < bound else None
            if isinstance(kind, t.DecimalType):
                return Decimal(text).quantize(Decimal(1).scaleb(-kind.scale))
            if isinstance(kind, t.FractionalType):
                return float(text.rstrip("dDfF"))
        except (ValueError, ArithmeticError):
            return None
        return self._cast([text], kind)[0]


def _wider(a: t.DataType, b: t.DataType) -> t.DataType:
    """The type that holds the values of both."""
    if a == b or isinstance(b, t.NullType):
        return a
    if isinstance(a, t.NullType):
        return b
    if isinstance(a, t.NumericType) and isinstance(b, t.NumericType):
        if t.DOUBLE in (a, b):
            return t.DOUBLE
        digits = [_digits(each) for each in (a, b)]
        if isinstance(a, t.DecimalType) or isinstance(b, t.DecimalType):
            return t.DecimalType(max(digits), 0)
        return t.LONG
    if {a, b} == {t.DATE, t.TIMESTAMP}:
        return t.TIMESTAMP
    return t.STRING


def _digits(kind: t.DataType) -> int:
    if isinstance(kind, t.DecimalType):
        return kind.precision
    return 10 if kind == t.INT else 20

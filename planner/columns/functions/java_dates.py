"""Java's patterns of dates and times, 'yyyy-MM-dd HH:mm:ss', for writing and reading."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from planner.columns.functions.dates import DAYS, LONG_DAYS, LONG_MONTHS, MONTHS
from planner.columns.functions.rowwise import fail
from planner.columns.functions.zones import zone_of

_MOST = {
    "G": 4, "y": 6, "M": 4, "L": 4, "E": 4, "D": 3, "d": 2, "h": 2, "H": 2, "k": 2, "K": 2,
    "m": 2, "s": 2, "S": 9, "a": 1, "Q": 4, "q": 4, "V": 2, "z": 4, "O": 4, "X": 5, "x": 5,
    "Z": 5, "F": 1,
}  # fmt: skip
_OLD = "YWwuFEQqMGL"  # an older syntax takes these: Spark refuses to guess which one is meant
_QUARTERS = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
_OFFSETS = {
    "X": ("+HH", "Z"), "XX": ("+HHMM", "Z"), "XXX": ("+HH:MM", "Z"),
    "XXXX": ("+HHMMss", "Z"), "XXXXX": ("+HH:MM:ss", "Z"),
    "x": ("+HH", "+00"), "xx": ("+HHMM", "+0000"), "xxx": ("+HH:MM", "+00:00"),
    "xxxx": ("+HHMMss", "+0000"), "xxxxx": ("+HH:MM:ss", "+00:00"),
    "Z": ("+HHMM", "+0000"), "ZZ": ("+HHMM", "+0000"), "ZZZ": ("+HHMM", "+0000"),
    "ZZZZZ": ("+HH:MM:ss", "Z"),
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A letter, so many times, or a text ('' as letter); '[' and ']' are letters too."""

    letter: str
    size: int = 0
    text: str = ""

    @property
    def form(self) -> str:
        return self.letter * self.size


def _refuse(pattern: str, letter: str, size: int) -> None:
    code = "INVALID_DATETIME_PATTERN"
    if letter in _OLD and (size == 5 or letter in "YWwuEFQq"):
        code = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"
    fail(code, f"{letter * size} cannot be used in the pattern {pattern}")


@lru_cache(256)
def tokens(pattern: str) -> tuple[Token, ...]:
    """A pattern in pieces. A bad one is the query's failure."""
    found: list[Token] = []
    depth = at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "'":
            stop = at + 1
            text = ""
            while True:
                end = pattern.find("'", stop)
                if end < 0:
                    fail("INVALID_DATETIME_PATTERN", f"a quote is not closed in {pattern}")
                text += pattern[stop:end]
                if pattern[end + 1 : end + 2] != "'" or end == at + 1:
                    break
                text, stop = text + "'", end + 2
            found.append(Token("", text=text or "'"))
            at = end + 1
        elif char in "[]":
            depth += 1 if char == "[" else -1
            if depth < 0:
                fail("INVALID_DATETIME_PATTERN", f"a ] too many in {pattern}")
            found.append(Token(char, 1))
            at += 1
        elif char.isascii() and char.isalpha():
            size = len(pattern) - at - len(pattern[at:].lstrip(char))
            fits = size <= _MOST.get(char, 0) and (char != "V" or size == 2)
            if not fits or (char == "O" and size in (2, 3)):
                _refuse(pattern, char, size)
            found.append(Token(char, size))
            at += size
        elif char in "{}#":
            fail("INVALID_DATETIME_PATTERN", f"{char} means nothing in the pattern {pattern}")
        else:
            found.append(Token("", text=char))
            at += 1
    return tuple(found)


# ---- writing -------------------------------------------------------------------------------------

_QUICK = {
    "yyyy": "%Y", "MM": "%m", "MMM": "%b", "MMMM": "%B", "LL": "%m", "LLL": "%b", "LLLL": "%B",
    "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "hh": "%I", "a": "%p", "DDD": "%j",
    "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A", "SSS": "%3f", "SSSSSS": "%6f",
}  # fmt: skip


def quick(pattern: str) -> str | None:
    """The pattern as Polars writes it, if it can: for years of four digits."""
    found = []
    for token in tokens(pattern):
        if token.letter == "":
            found.append(token.text.replace("%", "%%"))
        elif token.letter not in "[]":
            form = _QUICK.get(token.form)
            if form is None:
                return None
            found.append(form)
    return "".join(found)


def offset_text(offset: dt.timedelta, form: str, zero: str) -> str:
    """An offset from UTC as 'X', 'x' and 'Z' write it; `ss` only if there are seconds."""
    total = round(offset.total_seconds())
    if total == 0:
        return zero
    size = abs(total)
    hours, minutes, seconds = size // 3600, size // 60 % 60, size % 60
    text = ("-" if total < 0 else "+") + f"{hours:02}"
    colon = ":" if ":" in form else ""
    if "MM" in form or minutes:
        text += f"{colon}{minutes:02}"
    if "ss" in form and seconds:
        text += f"{colon}{seconds:02}"
    return text


def gmt_text(offset: dt.timedelta, long: bool) -> str:
    """'GMT+8', or 'GMT+08:00' if it is long."""
    total = round(offset.total_seconds())
    if total == 0:
        return "GMT"
    size = abs(total)
    hours, minutes, seconds = size // 3600, size // 60 % 60, size % 60
    text = f"{hours:02}:{minutes:02}" if long else f"{hours}"
    if not long and (minutes or seconds):
        text += f":{minutes:02}"
    return f"GMT{'-' if total < 0 else '+'}{text}" + (f":{seconds:02}" if seconds else "")


def _zone_text(when: dt.datetime, offset: dt.timedelta, zone: str) -> str:
    """The short name of a zone: 'PST'."""
    found = zone_of(zone)
    if isinstance(found, dt.timedelta):
        return "UTC" if zone in ("Z", "Etc/UTC") else zone
    there = when.replace(tzinfo=found)
    if there.utcoffset() != offset:
        there = there.replace(fold=1)
    name = there.tzname() or zone
    if name == "LMT":
        name = dt.datetime(2020, 1, 1, tzinfo=found).tzname() or zone
    return name


def _year(when: dt.datetime, size: int) -> str:
    if size == 2:
        return f"{when.year % 100:02}"
    return f"{when.year:0{size}}"


_WRITE: dict[str, Callable[[dt.datetime, int], str]] = {
    "y": _year,
    "M": lambda x, n: _named(x.month, n, MONTHS, LONG_MONTHS),
    "L": lambda x, n: _named(x.month, n, MONTHS, LONG_MONTHS),
    "d": lambda x, n: f"{x.day:0{n}}",
    "D": lambda x, n: f"{x.timetuple().tm_yday:0{n}}",
    "E": lambda x, n: (LONG_DAYS if n == 4 else DAYS)[x.weekday()],
    "F": lambda x, n: str((x.day - 1) % 7 + 1),
    "H": lambda x, n: f"{x.hour:0{n}}",
    "k": lambda x, n: f"{x.hour or 24:0{n}}",
    "h": lambda x, n: f"{x.hour % 12 or 12:0{n}}",
    "K": lambda x, n: f"{x.hour % 12:0{n}}",
    "m": lambda x, n: f"{x.minute:0{n}}",
    "s": lambda x, n: f"{x.second:0{n}}",
    "S": lambda x, n: f"{x.microsecond:06}000"[:n],
    "a": lambda x, n: "AM" if x.hour < 12 else "PM",
    "G": lambda x, n: "Anno Domini" if n == 4 else "AD",
    "Q": lambda x, n: _quarter((x.month + 2) // 3, n),
    "q": lambda x, n: _quarter((x.month + 2) // 3, n),
}


def _named(index: int, size: int, short: tuple[str, ...], long: tuple[str, ...]) -> str:
    return f"{index:0{size}}" if size < 3 else (short if size == 3 else long)[index - 1]


def _quarter(index: int, size: int) -> str:
    return f"{index:0{size}}" if size < 3 else f"Q{index}" if size == 3 else _QUARTERS[index - 1]


def written(pattern: str, when: dt.datetime, offset: dt.timedelta, zone: str) -> str:
    """Local date and time as text; `offset` is that of the zone at the instant."""
    found = []
    for token in tokens(pattern):
        if token.letter in _WRITE:
            found.append(_WRITE[token.letter](when, token.size))
        elif token.letter == "":
            found.append(token.text)
        elif token.letter not in "[]":
            found.append(_written_zone(token, when, offset, zone))
    return "".join(found)


def _written_zone(token: Token, when: dt.datetime, offset: dt.timedelta, zone: str) -> str:
    match token.letter:
        case "V":
            return zone
        case "O":
            return gmt_text(offset, token.size == 4)
        case "z" if token.size < 4:
            return _zone_text(when, offset, zone)
        case "z":
            raise NotImplementedError("zzzz, the long name of a zone, in a pattern; use VV or z")
    if token.form == "ZZZZ":
        return gmt_text(offset, True)
    return offset_text(offset, *_OFFSETS[token.form])


# ---- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """How a pattern reads text: an expression with a group for each of `letters`. `format` is
    Polars' own for what the expression matches, with large letters, if it has one."""

    regex: re.Pattern[str]
    letters: tuple[Token, ...]
    format: str | None


_FIXED = {
    "yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_DAY, _CLOCK = {"yyyy", "MM", "dd"}, {"HH", "mm"}


def _expression(token: Token) -> str:
    letter, size = token.letter, token.size
    names = {3: MONTHS, 4: LONG_MONTHS}
    if letter in "ML" and size > 2:
        return "|".join(sorted(names[size], key=len, reverse=True))
    if token.form == "ss":
        return r"[0-5]\d"  # Polars would take a leap second
    if letter == "S":
        return rf"\d{{1,{size}}}"
    if letter == "a":
        return "AM|PM"
    if letter == "y":
        return rf"\d{{{size}}}" if size > 1 else r"\d{1,9}"
    if letter in "MLdHhKkmsD":
        return rf"\d{{{size}}}" if size > 1 else r"\d{1,3}" if letter == "D" else r"\d{1,2}"
    if letter == "G" and size < 4:
        return "AD|BC"
    if letter == "V":
        return r"[A-Za-z][A-Za-z0-9_/+:-]*|[+-]\d\d:\d\d"
    if letter == "z" and size < 4:
        return r"[A-Za-z][A-Za-z0-9_/+-]*"
    if token.form in _OFFSETS:
        form, zero = _OFFSETS[token.form]
        colon = ":" if ":" in form else ""
        digits = rf"[+-]\d\d{colon}\d\d" if "MM" in form else r"[+-]\d\d(?:\d\d)?"
        digits += rf"(?:{colon}\d\d)?" if "ss" in form else ""
        return f"{re.escape(zero)}|{digits}" if zero == "Z" else digits
    if letter in "EFQq":
        _refuse(token.form, letter, size)
    raise NotImplementedError(f"reading {token.form} in the pattern of a date")


@lru_cache(256)
def reading(pattern: str) -> Reading:
    """How a pattern reads."""
    parts: list[str] = []
    formats: list[str] | None = []
    letters: list[Token] = []
    for token in tokens(pattern):
        if token.letter == "":
            parts.append(re.escape(token.text))
            if formats is not None:
                formats.append(token.text.upper().replace("%", "%%"))
            continue
        if token.letter in "[]":
            parts.append("(?:" if token.letter == "[" else ")?")
            formats = None
            continue
        parts.append(f"({_expression(token)})")
        letters.append(token)
        if formats is not None:
            fixed = _FIXED.get(token.form)
            formats = None if fixed is None else [*formats, fixed]
    if "[" in {token.letter for token in tokens(pattern)}:
        parts += [")?"] * (parts.count("(?:") - parts.count(")?"))
    forms = [token.form for token in letters]
    whole = set(forms)
    plain = len(whole) == len(forms) and whole >= _DAY and (whole == _DAY or whole >= _CLOCK)
    regex = re.compile("".join(parts), re.ASCII | re.IGNORECASE)
    return Reading(regex, tuple(letters), "".join(formats) if formats and plain else None)


@dataclass
class _Fields:
    """What was read, by letter; a field that is there twice must be the same."""

    year: int = 1970
    month: int = 1
    day: int = 1
    ordinal: int | None = None
    hour: int = 0
    half: int | None = None
    twelve: int | None = None
    minute: int = 0
    second: int = 0
    micros: int = 0
    zone: str | None = None

    def put(self, token: Token, text: str) -> bool:
        """Take a field; False if it cannot be."""
        number = int(text) if text.isascii() and text.isdigit() else -1
        match token.letter:
            case "y":
                self.year = number + 2000 if token.size == 2 else number
            case "M" | "L":
                names = [x[:3].upper() for x in MONTHS]
                self.month = number if number >= 0 else names.index(text[:3].upper()) + 1
            case "d":
                self.day = number
            case "D":
                self.ordinal = number
            case "H":
                self.hour = number
            case "k":
                self.hour = number % 24 if 1 <= number <= 24 else 99
            case "h":
                self.twelve = number % 12 if 1 <= number <= 12 else 99
            case "K":
                self.twelve = number if number < 12 else 99
            case "m":
                self.minute = number
            case "s":
                self.second = number
            case "S":
                self.micros = int(f"{text:0<6}"[:6])
            case "a":
                self.half = 12 if text.upper() == "PM" else 0
            case "G":
                return text.upper() == "AD"
            case _:
                self.zone = text
        return True

    def when(self) -> dt.datetime | None:
        """The date and time, if there is one."""
        hour = self.hour
        if self.twelve is not None:
            hour = self.twelve + (self.half or 0)
        try:
            day = dt.datetime(self.year, self.month, self.day)
            if self.ordinal is not None:
                day = dt.datetime(self.year, 1, 1) + dt.timedelta(days=self.ordinal - 1)
                if self.ordinal < 1 or day.year != self.year:
                    return None
            return day.replace(
                hour=hour, minute=self.minute, second=self.second, microsecond=self.micros
            )
        except ValueError:
            return None


def read(pattern: str, text: str) -> tuple[dt.datetime, str | None] | None:
    """Text as (local date and time, the zone that it names), None if it does not fit."""
    how = reading(pattern)
    found = how.regex.fullmatch(text)
    if found is None:
        return None
    fields = _Fields()
    for token, part in zip(how.letters, found.groups(), strict=True):
        if part is not None and not fields.put(token, part):
            return None
    when = fields.when()
    return None if when is None else (when, fields.zone)

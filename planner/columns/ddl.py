"""Reading types as SQL writes them: `a int, b array<struct<x:int>>`.

The text becomes `Word`s: a name with what is in its brackets. `planner/columns/types.py` makes
types of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>`(?:[^`]|``)*`)|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<word>\w+)|(?P<mark>[<>(),:-]))"
)


class BadType(ValueError):
    """Text that names no type; `place` is where reading stopped, `of_name` whether it reads well
    but a type has a name that none has."""

    def __init__(self, message: str, place: int, of_name: bool = False) -> None:
        super().__init__(message)
        self.place = place
        self.of_name = of_name


@dataclass(frozen=True)
class Word:
    """A type: its name, the numbers in round brackets, the types or fields in pointed ones."""

    name: str
    numbers: tuple[int, ...] = ()
    inner: tuple[Word, ...] = ()
    fields: tuple[Named, ...] = ()
    place: int = 0
    bare: bool = True  # without brackets


@dataclass(frozen=True)
class Named:
    """A field: its name, type, whether it may be null, and its comment."""

    name: str
    kind: Word
    nullable: bool = True
    comment: str | None = None


def read_type(text: str) -> Word:
    """The one type that a text names.

    >>> read_type("decimal(10,2)").numbers
    (10, 2)
    """
    reader = _Reader(text)
    found = reader.kind()
    reader.end()
    return found


def read_fields(text: str) -> tuple[Named, ...]:
    """The fields of a table's schema.

    >>> [field.name for field in read_fields("a int, `b c` string not null")]
    ['a', 'b c']
    """
    reader = _Reader(text)
    found = reader.fields("")
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise BadType(f"{text!r} is no type: see {text[place:].strip()!r}", place)
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind], match.start(kind)))
            place = match.end()

    def peek(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "", len(self.text))

    def next(self) -> tuple[str, str, int]:
        found = self.peek()
        self.at += 1
        return found

    def wrong(self, wanted: str) -> BadType:
        _, shown, place = self.peek()
        return BadType(
            f"{self.text!r} is no type: {wanted} was expected at {shown or 'its end'!r}", place
        )

    def mark(self, mark: str) -> bool:
        """Go past a mark if it is next."""
        if self.peek()[:2] == ("mark", mark):
            self.at += 1
            return True
        return False

    def need(self, mark: str) -> None:
        if not self.mark(mark):
            raise self.wrong(mark)

    def keyword(self, word: str) -> bool:
        kind, found, _ = self.peek()
        if kind == "word" and found.lower() == word:
            self.at += 1
            return True
        return False

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise self.wrong("the end")

    def fields(self, closing: str) -> tuple[Named, ...]:
        found: list[Named] = []
        if self.peek()[1] == closing:
            return ()
        while True:
            found.append(self.field())
            if not self.mark(","):
                return tuple(found)

    def field(self) -> Named:
        kind, name, _ = self.peek()
        if kind not in ("word", "quoted"):
            raise self.wrong("a name")
        self.at += 1
        self.mark(":")
        of = self.kind()
        nullable = True
        if self.keyword("not"):
            if not self.keyword("null"):
                raise self.wrong("NULL")
            nullable = False
        comment = None
        if self.keyword("comment"):
            if self.peek()[0] != "text":
                raise self.wrong("a comment in quotes")
            comment = _unquoted(self.next()[1])
        return Named(_unquoted(name) if kind == "quoted" else name, of, nullable, comment)

    def kind(self) -> Word:
        kind, name, place = self.peek()
        if kind != "word":
            raise self.wrong("a type")
        self.at += 1
        name = name.lower()
        if name == "interval":
            return self.interval(place)
        if name == "timestamp" and self.keyword("without"):
            return self.zone("timestamp_ntz", place)
        if name == "timestamp" and self.keyword("with"):
            self.keyword("local")
            return self.zone("timestamp_ltz", place)
        if self.mark("<"):
            if name == "struct":
                fields = self.fields(">")
                self.need(">")
                return Word(name, fields=fields, place=place, bare=False)
            inner = [self.inner()]
            while self.mark(","):
                inner.append(self.inner())
            self.need(">")
            return Word(name, inner=tuple(inner), place=place, bare=False)
        if self.mark("("):
            numbers = [self.number()]
            while self.mark(","):
                numbers.append(self.number())
            self.need(")")
            return Word(name, tuple(numbers), place=place, bare=False)
        return Word(name, place=place)

    def zone(self, name: str, place: int) -> Word:
        if not (self.keyword("time") and self.keyword("zone")):
            raise self.wrong("TIME ZONE")
        return Word(name, place=place)

    def inner(self) -> Word:
        return self.kind()

    def number(self) -> int:
        negative = self.mark("-")
        kind, found, _ = self.peek()
        if kind != "word" or not found.isdigit():
            raise self.wrong("a number")
        self.at += 1
        return -int(found) if negative else int(found)

    def interval(self, place: int) -> Word:
        start = self.next()[1].lower() if self.peek()[0] == "word" else ""
        end = self.next()[1].lower() if self.keyword("to") else start
        return Word("interval", inner=(Word(start), Word(end)), place=place, bare=False)


def _unquoted(text: str) -> str:
    inside, quote = text[1:-1], text[0]
    if quote == "`":
        return inside.replace("``", "`")
    return re.sub(r"\\(.)", r"\1", inside.replace("''", "'"))

"""JSON text as values that remember how they were written: `1.50` stays `1.50`.

Python's own parser does not keep the text of numbers, objects and arrays, which Spark shows where a
column is text, and knows none of the liberties (comments, single quotes, …) that options allow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ZEROS = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_NUMBERS = re.compile(r"NaN|[+-]?Infinity|[+-]INF")
_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENTED = re.compile(r"(?:[ \t\r\n]+|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PLAIN = {quote: re.compile(rf"[^{quote}\\]*") for quote in "\"'"}
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class Number(str):
    """A number, as it is written."""


@dataclass(frozen=True)
class Object:
    """An object; of fields that come twice the last counts."""

    fields: dict[str, Any]
    raw: str


@dataclass(frozen=True)
class Array:
    """An array."""

    items: list[Any]
    raw: str


class BadJson(ValueError):
    """Text that is not JSON."""


@dataclass(frozen=True)
class Liberties:
    """What of the options makes the reader less strict."""

    comments: bool = False
    bare_names: bool = False
    single_quotes: bool = True
    leading_zeros: bool = False
    any_escape: bool = False
    control: bool = False
    not_numbers: bool = True

    @staticmethod
    def of(options: Mapping[str, str]) -> Liberties:
        """From options, their names in lower case."""

        def is_on(name: str, default: bool = False) -> bool:
            return options.get(name, str(default)).lower() == "true"

        return Liberties(
            is_on("allowcomments"),
            is_on("allowunquotedfieldnames"),
            is_on("allowsinglequotes", True),
            is_on("allownumericleadingzeros"),
            is_on("allowbackslashescapinganycharacter"),
            is_on("allowunquotedcontrolchars"),
            is_on("allownonnumericnumbers", True),
        )


class Parser:
    """Parses the first value of a text; what comes after it is not looked at."""

    def __init__(self, liberties: Liberties) -> None:
        self._how = liberties
        self._space = _COMMENTED if liberties.comments else _SPACE
        self._number = _ZEROS if liberties.leading_zeros else _NUMBER

    def value(self, text: str) -> Any:
        """The value: None, bool, str, Number, Object or Array.

        Raises
        ------
        BadJson
            The text is not JSON.
        """
        try:
            return self._value(text, self._skip(text, 0))[0]
        except IndexError:
            raise BadJson("the text ends within a value") from None
        except RecursionError:
            raise BadJson("it is nested too deeply") from None

    def _skip(self, text: str, at: int) -> int:
        found = self._space.match(text, at)
        return found.end() if found else at

    def _value(self, text: str, at: int) -> tuple[Any, int]:
        first = text[at]
        if first == "{":
            return self._object(text, at)
        if first == "[":
            return self._array(text, at)
        if first == '"' or (first == "'" and self._how.single_quotes):
            return self._string(text, at)
        for word, value in (("true", True), ("false", False), ("null", None)):
            if text.startswith(word, at):
                return value, self._after_word(text, at + len(word))
        number = self._number.match(text, at)
        if not number and self._how.not_numbers:
            number = _NOT_NUMBERS.match(text, at)
        if not number:
            raise BadJson(f"no value can begin with {first!r}")
        return Number(number[0]), self._after_word(text, number.end())

    def _after_word(self, text: str, at: int) -> int:
        if at < len(text) and (text[at].isalnum() or text[at] in "_$."):
            raise BadJson(f"{text[at]!r} after a value")
        return at

    def _object(self, text: str, begin: int) -> tuple[Object, int]:
        fields: dict[str, Any] = {}
        at = self._skip(text, begin + 1)
        if text[at] == "}":
            return Object(fields, text[begin : at + 1]), at + 1
        while True:
            name, at = self._name(text, at)
            at = self._skip(text, at)
            if text[at] != ":":
                raise BadJson(f"{text[at]!r} after the name of a field")
            value, at = self._value(text, self._skip(text, at + 1))
            fields[name] = value
            at = self._skip(text, at)
            if text[at] == "}":
                return Object(fields, text[begin : at + 1]), at + 1
            if text[at] != ",":
                raise BadJson(f"{text[at]!r} after a field")
            at = self._skip(text, at + 1)

    def _name(self, text: str, at: int) -> tuple[str, int]:
        if text[at] == '"' or (text[at] == "'" and self._how.single_quotes):
            return self._string(text, at)
        word = _WORD.match(text, at) if self._how.bare_names else None
        if word is None:
            raise BadJson(f"{text[at]!r} where the name of a field should be")
        return word[0], word.end()

    def _array(self, text: str, begin: int) -> tuple[Array, int]:
        items: list[Any] = []
        at = self._skip(text, begin + 1)
        if text[at] == "]":
            return Array(items, text[begin : at + 1]), at + 1
        while True:
            value, at = self._value(text, at)
            items.append(value)
            at = self._skip(text, at)
            if text[at] == "]":
                return Array(items, text[begin : at + 1]), at + 1
            if text[at] != ",":
                raise BadJson(f"{text[at]!r} after an element")
            at = self._skip(text, at + 1)

    def _string(self, text: str, begin: int) -> tuple[str, int]:
        plain, quote = _PLAIN[text[begin]], text[begin]
        parts: list[str] = []
        at = begin + 1
        while True:
            run = plain.match(text, at)
            assert run is not None
            if not self._how.control and _CONTROL.search(run[0]):
                raise BadJson("a control character in a string")
            parts.append(run[0])
            at = run.end()
            if text[at] == quote:
                whole = "".join(parts)
                return _paired(whole), at + 1
            letter = text[at + 1]
            if letter == "u":
                digits = text[at + 2 : at + 6]
                if len(digits) < 4 or not re.fullmatch("[0-9a-fA-F]{4}", digits):
                    raise BadJson(f"\\u{digits} is no character")
                parts.append(chr(int(digits, 16)))
                at += 6
                continue
            if letter in _ESCAPES:
                parts.append(_ESCAPES[letter])
            elif self._how.any_escape or (letter == "'" and self._how.single_quotes):
                parts.append(letter)
            else:
                raise BadJson(f"\\{letter} in a string")
            at += 2


def _paired(text: str) -> str:
    """The text with halves of characters put together; what has no other half is a `?`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

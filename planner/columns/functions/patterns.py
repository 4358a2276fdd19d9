"""Java's regular expressions in the syntax of Rust's, which Polars runs, and of Python's.

A pattern is read once, and written in both syntaxes as far as they can say it. What differs: Java's
\\d \\w \\s and (?i) know ASCII only, its `.` stops at five line ends, its `$` also stands before a
last line end, classes may lie in classes. Rust has no look-around, back-references or possessive
repeats; Python no classes in classes and no \\p.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

_SETS = {
    "d": r"0-9",
    "w": r"a-zA-Z0-9_",
    "s": r" \t\n\x0b\x0c\r",
    "h": "\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000 \\t",
    "v": "\\n\\x0b\\x0c\\r\u0085\u2028\u2029",
}
_POSIX = {
    "lower": "a-z",
    "upper": "A-Z",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "punct": r"!-/:-@\[-`{-~",
    "graph": "!-~",
    "print": " -~",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9a-fA-F",
    "space": r" \t\n\x0b\x0c\r",
    "ascii": r"\x00-\x7f",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
ENDS = "\n\r\u0085\u2028\u2029"
_LAST = "(?=(?:\r\n|(?<!\r)\n|[\r\u0085\u2028\u2029])?\\Z)"
_LINE_END = "(?=\r\n|(?<!\r)\n|[\r\u0085\u2028\u2029]|\\Z)"
_LINE_START = "(?:\\A|(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n))(?!\\Z)"
_SPECIAL = set("\\.+*?()|[]{}^$#&-~:")


class BadPattern(ValueError):
    """Java would refuse the pattern."""


@dataclass(frozen=True)
class JavaRegex:
    """A pattern in both syntaxes; None where one cannot say it. `empty`: it may match no
    characters. `last`: it has a `$` that Rust takes for the very end only."""

    rust: str | None
    python: str | None
    groups: int
    names: dict[str, int] = field(default_factory=dict, compare=False)
    empty: bool = False
    last: bool = False

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """Python's form of it.

        Raises
        ------
        NotImplementedError
            Python cannot say it.
        """
        if self.python is None:
            raise NotImplementedError(
                "this regular expression needs look-around, back-references, `$`, (?m) or a "
                "pattern of nothing together with \\p or classes in classes"
            )
        try:
            return re.compile(self.python, re.ASCII)
        except re.error as error:
            if "look-behind" in str(error):
                raise NotImplementedError(f"regular expressions with {error}") from error
            raise BadPattern(str(error)) from error


@lru_cache(512)
def java(pattern: str) -> JavaRegex:
    """Read a pattern of Java's. Raises BadPattern."""
    found = _Reader(pattern).read()
    if found.python is not None:
        found.compiled  # noqa: B018 - so that bad ones are found here
    return found


def escaped(char: str) -> str:
    """A character that stands for itself."""
    if char in _SPECIAL:
        return "\\" + char if char != ":" else "\\x3a"
    return char


@dataclass
class _Level:
    """A group that is being read: the least length of the branch so far, of the branches before,
    of the last part; and what flags were around it."""

    flags: frozenset[str]
    close: str = ")"
    width: int = 0
    branches: list[int] = field(default_factory=list)
    last: int | None = None
    zero: bool = False

    def least(self) -> int:
        return 0 if self.zero else min([*self.branches, self.width])


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.rust: list[str] | None = []
        self.python: list[str] | None = []
        self.groups = 0
        self.names: dict[str, int] = {}
        self.last = False
        self.flags: frozenset[str] = frozenset()
        self.levels = [_Level(self.flags)]

    # ---- writing ----

    def put(self, rust: str | None, python: str | None = "", width: int | None = None) -> None:
        """Add a part in both syntaxes; `width` is the least length of it, None for no part."""
        python = rust if python == "" else python
        if self.rust is not None:
            self.rust = None if rust is None else [*self.rust, rust]
        if self.python is not None:
            self.python = None if python is None else [*self.python, python]
        if width is not None:
            level = self.levels[-1]
            level.width += width
            level.last = width

    def char(self, char: str) -> None:
        """A character that stands for itself, in both cases if they do not matter."""
        plain = escaped(char)
        if "i" in self.flags and char.isascii() and char.isalpha():
            plain = f"[{char.lower()}{char.upper()}]"
        self.put(plain, width=1)

    # ---- reading ----

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def take(self, size: int = 1) -> str:
        found = self.peek(size)
        if len(found) < size:
            raise BadPattern(f"the pattern ends too soon: {self.text}")
        self.at += size
        return found

    def until(self, end: str) -> str:
        stop = self.text.find(end, self.at)
        if stop < 0:
            raise BadPattern(f"{end} is missing in {self.text}")
        found = self.text[self.at : stop]
        self.at = stop + len(end)
        return found

    def read(self) -> JavaRegex:
        while self.at < len(self.text):
            self.part()
        if len(self.levels) != 1:
            raise BadPattern(f"a group is not closed in {self.text}")
        return JavaRegex(
            None if self.rust is None else "".join(self.rust),
            None if self.python is None else "".join(self.python),
            self.groups,
            self.names,
            self.levels[0].least() == 0,
            self.last,
        )

    def part(self) -> None:
        char = self.take()
        if "x" in self.flags and (char.isspace() or char == "#"):
            if char == "#":
                while self.at < len(self.text) and self.take() not in ENDS:
                    pass
            return
        match char:
            case "\\":
                self.escape()
            case "[":
                rust, python = self.klass()
                mark = "(?i:{})" if "i" in self.flags else "{}"
                self.put(mark.format(rust), python and mark.format(python), 1)
            case "(":
                self.open()
            case ")":
                self.close()
            case "|":
                level = self.levels[-1]
                level.branches.append(level.width)
                level.width, level.last = 0, None
                self.put("|")
            case "*" | "+" | "?" | "{":
                self.repeat(char)
            case ".":
                self.put("(?s:.)" if "s" in self.flags else f"[^{ENDS}]", width=1)
            case "^":
                many = "m" in self.flags
                self.put(None if many else r"\A", _LINE_START if many else r"\A", 0)
            case "$":
                self.end("m" in self.flags)
            case _:
                self.char(char)

    def end(self, many: bool) -> None:
        self.last = True
        self.put(None if many else r"\z", _LINE_END if many else _LAST, 0)

    def repeat(self, char: str) -> None:
        level = self.levels[-1]
        if level.last is None:
            raise BadPattern(f"nothing to repeat before {char} in {self.text}")
        if char == "{":
            inside = self.until("}")
            if not re.fullmatch(r"\d+(,\d*)?", inside):
                raise BadPattern(f"a bad number of repeats in {self.text}")
            least, char = int(inside.split(",")[0]), f"{{{inside}}}"
        else:
            least = 1 if char == "+" else 0
        level.width += level.last * (least - 1)
        level.last = None
        kind = self.take() if self.peek() in ("?", "+") and self.peek() else ""
        self.put(None if kind == "+" else char + kind, char + kind)

    def open(self) -> None:
        level = _Level(self.flags)
        if self.peek() != "?":
            self.groups += 1
            self.put("(")
        elif self.peek(2) in ("?:",):
            self.take(2)
            self.put("(?:")
        elif self.peek(3) in ("?<=", "?<!") or self.peek(2) in ("?=", "?!"):
            sign = self.take(3 if self.peek(2) == "?<" else 2)
            level.zero = True
            self.put(None, f"({sign}")
        elif self.peek(2) == "?>":
            self.take(2)
            self.put(None, "(?>")
        elif self.peek(2) == "?<":
            self.take(2)
            name = self.until(">")
            self.groups += 1
            self.names[name] = self.groups
            self.put(f"(?P<{name}>")
        else:
            self.take()
            if not self.inline():
                return
            self.put("(?:")
        self.levels.append(level)

    def inline(self) -> bool:
        """(?flags) changes what follows, (?flags:…) is a group: True."""
        on = True
        flags = set(self.flags)
        while (char := self.take()) not in "):":
            if char == "-":
                on = False
            elif char not in "idmsuxU":
                raise BadPattern(f"an unknown group (?{char} in {self.text}")
            elif char in "dU":
                raise NotImplementedError(f"the flag (?{char}) in regular expressions")
            else:
                (flags.add if on else flags.discard)(char)
        self.flags = frozenset(flags)
        return char == ":"

    def close(self) -> None:
        if len(self.levels) == 1:
            raise BadPattern(f"a ) too many in {self.text}")
        level = self.levels.pop()
        self.flags = level.flags
        self.put(")", width=level.least())

    # ---- escapes ----

    def escape(self) -> None:
        char = self.take()
        low = char.lower()
        if char == "Q":
            for each in self.quoted():
                self.char(each)
        elif low in _SETS:
            self.put(f"[{'^' if char.isupper() else ''}{_SETS[low]}]", width=1)
        elif low == "p":
            rust, python = self.named(char == "P")
            self.put(f"[{rust}]", python and f"[{python}]", 1)
        elif low == "b":
            # words here are of any script, unlike those of \w
            self.put("\\" + char, _EDGES[char], 0)
        elif char == "A":
            self.put(r"\A", width=0)
        elif char == "z":
            self.put(r"\z", r"\Z", 0)
        elif char == "Z":
            self.end(False)
        elif char == "R":
            self.put("(?:\r\n|[\n\x0b\x0c\r\u0085\u2028\u2029])", width=1)
        elif char == "k":
            self.until("<")
            name = self.until(">")
            if name not in self.names:
                raise BadPattern(f"there is no group {name} in {self.text}")
            self.put(None, f"(?P={name})", 0)
        elif char in "123456789":
            number = char
            while self.peek().isdigit() and int(number + self.peek()) <= self.groups:
                number += self.take()
            self.put(None, f"(?:\\{number})" if int(number) <= self.groups else "(?!)", 0)
        else:
            self.char(self.single(char))

    def quoted(self) -> str:
        stop = self.text.find("\\E", self.at)
        found = self.text[self.at :] if stop < 0 else self.text[self.at : stop]
        self.at = len(self.text) if stop < 0 else stop + 2
        return found

    def single(self, char: str) -> str:
        """The character of an escape that stands for one."""
        if char in _CONTROLS:
            return _CONTROLS[char]
        try:
            if char == "x":
                if self.peek() == "{":
                    self.take()
                    return chr(int(self.until("}"), 16))
                return chr(int(self.take(2), 16))
            if char == "u":
                return chr(int(self.take(4), 16))
            if char == "0":
                digits = re.match(r"[0-3]?[0-7]{1,2}", self.text[self.at :])
                return chr(int(self.take(len(digits[0]) if digits else 99), 8))
        except ValueError as error:
            raise BadPattern(f"a bad number after \\{char} in {self.text}") from error
        if char == "c":
            return chr(ord(self.take()) ^ 64)
        if char in "GXN":
            raise NotImplementedError(f"\\{char} in regular expressions")
        if char.isascii() and char.isalpha():
            raise BadPattern(f"there is no \\{char} in regular expressions: {self.text}")
        return char

    def named(self, negated: bool) -> tuple[str, str | None]:
        """What \\p{name} is inside a class, in both syntaxes."""
        name = self.until("}") if self.peek() == "{" and self.take() else self.take()
        posix = _POSIX.get(name.lower()) if name[:2] != "Is" else None
        if posix is not None:
            return (f"[^{posix}]", None) if negated else (posix, posix)
        if name.startswith(("In", "java")) or "=" in name:
            raise NotImplementedError(f"\\p{{{name}}} in regular expressions")
        bare = name.removeprefix("Is")
        return f"\\{'P' if negated else 'p'}{{{bare}}}", None

    # ---- classes ----

    def klass(self) -> tuple[str, str | None]:
        """A class, of which `[` is read, in both syntaxes."""
        rust, python = ["["], ["["]
        plain = True  # whether Python can say it
        if self.peek() == "^":
            self.take()
            rust.append("^")
            python.append("^")
        first = True
        while (char := self.take()) != "]" or first:
            both: str | None = None
            if char == "[":
                inner, _ = self.klass()
                rust.append(inner)
                plain = False
            elif char == "&" and self.peek() == "&":
                self.take()
                rust.append("&&")
                plain = False
            elif char == "-" and not first and self.peek() not in ("]", "[", ""):
                both = "-"
            elif char == "\\":
                escape = self.take()
                low = escape.lower()
                if escape == "Q":
                    both = "".join(map(escaped, self.quoted()))
                elif low in _SETS and escape.islower():
                    both = _SETS[low]
                elif low in _SETS:
                    rust.append(f"[^{_SETS[low]}]")
                    python.append("\\" + escape)
                    plain = plain and low in "dws"
                elif low == "p":
                    inner, other = self.named(escape == "P")
                    rust.append(inner)
                    python.append(other or "")
                    plain = plain and other is not None
                else:
                    both = escaped(self.single(escape))
            else:
                both = escaped(char)
            if both is not None:
                rust.append(both)
                python.append(both)
            first = False
        rust.append("]")
        python.append("]")
        return "".join(rust), "".join(python) if plain else None


_LETTERS = "\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0300-\u1fff\u2c00-\ud7ff"
_ANY_WORD = f"[a-zA-Z0-9_{_LETTERS}\uf900-\ufdff]"
_EDGES = {
    "b": f"(?:(?<={_ANY_WORD})(?!{_ANY_WORD})|(?<!{_ANY_WORD})(?={_ANY_WORD}))",
    "B": f"(?:(?<={_ANY_WORD})(?={_ANY_WORD})|(?<!{_ANY_WORD})(?!{_ANY_WORD}))",
}


# ---- replacements --------------------------------------------------------------------------------


def replacement(text: str, regex: JavaRegex) -> list[str | int]:
    """A replacement of Java's as texts and numbers of groups.

    Raises
    ------
    IndexError
        A group that the pattern does not have.
    BadPattern
        A `$` or a backslash that means nothing.
    """
    found: list[str | int] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if at == len(text):
                raise BadPattern("the replacement ends with a backslash")
            found.append(text[at])
            at += 1
        elif char != "$":
            found.append(char)
        elif name := re.match(r"\{(\w+)\}", text[at:]):
            at += name.end()
            if name[1] not in regex.names:
                raise IndexError(f"there is no group {name[1]}")
            found.append(regex.names[name[1]])
        elif text[at : at + 1].isdigit():
            number = int(text[at])
            at += 1
            if number > regex.groups:
                raise IndexError(f"there is no group {number}")
            while text[at : at + 1].isdigit() and number * 10 + int(text[at]) <= regex.groups:
                number = number * 10 + int(text[at])
                at += 1
            found.append(number)
        else:
            raise BadPattern("a $ in the replacement without a group")
    return found

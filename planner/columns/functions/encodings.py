"""Text as numbers and bytes, and back: code points, character sets, base64, base32, URLs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common
from planner.columns.expressions import Expr
from planner.columns.functions.logic import alike
from planner.columns.functions.registry import (
    BYTES,
    LONG,
    TEXT,
    At,
    Kind,
    Mismatch,
    Settings,
    Typed,
    resolver,
    scalar,
)
from planner.columns.functions.rowwise import each, fail

RAW = Kind("text or bytes", BYTES.to)


@scalar("ascii", takes=(TEXT,), gives=t.INT)
def ascii_code(at: At, text: pl.Expr) -> pl.Expr:
    return each(lambda value: ord(value[0]) if value else 0, t.INT, text)


@scalar("chr", "char", takes=(LONG,), gives=t.STRING)
def char_of(at: At, code: pl.Expr) -> pl.Expr:
    """Of the code's last byte; of a negative one nothing."""
    return each(lambda n: "" if n < 0 else chr(n & 255), t.STRING, code)


# ---- base64 and base32 ---------------------------------------------------------------------------

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@scalar("base64", takes=(RAW,), gives=t.STRING)
def base64(at: At, value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Binary).bin.encode("base64")


@scalar("unbase64", takes=(TEXT,), gives=t.BINARY)
def unbase64(at: At, text: pl.Expr) -> pl.Expr:
    """Characters that are not of the alphabet are passed over."""
    bare = text.str.replace_all("[^A-Za-z0-9+/]", "")
    missing = bare.str.len_bytes() % 4
    whole = pl.when(missing == 1).then(bare.str.head(-1)).otherwise(bare)
    padding = pl.when(missing == 2).then(pl.lit("==")).when(missing == 3).then(pl.lit("="))
    full = whole + padding.otherwise(pl.lit(""))
    return full.str.decode("base64", strict=False)


def to_base32_text(data: bytes) -> str:
    """RFC 4648."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    text = "".join(_BASE32[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))
    return text + "=" * (-len(text) % 8)


def from_base32_text(text: str) -> bytes | None:
    """The opposite; None for what is none."""
    bare = text.rstrip("=").upper()
    if any(char not in _BASE32 for char in bare):
        return None
    bits = "".join(f"{_BASE32.index(char):05b}" for char in bare)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))


@scalar("to_base32", takes=(RAW,), gives=t.STRING)
def to_base32(at: At, value: pl.Expr) -> pl.Expr:
    return each(to_base32_text, t.STRING, value)


@scalar("from_base32", takes=(TEXT,), gives=t.BINARY)
def from_base32(at: At, text: pl.Expr) -> pl.Expr:
    def one(value: str) -> bytes:
        found = from_base32_text(value)
        if found is None:
            fail("CONVERSION_INVALID_INPUT", "the text is no base32")
        return found

    return each(one, t.BINARY, text)


# ---- character sets ------------------------------------------------------------------------------

_SETS = {
    "US-ASCII": "ascii",
    "ISO-8859-1": "latin-1",
    "UTF-8": "utf-8",
    "UTF-16BE": "utf-16-be",
    "UTF-16LE": "utf-16-le",
    "UTF-16": "utf-16-be",
    "UTF-32": "utf-32-be",
}


def _codec(name: str) -> str:
    found = _SETS.get(name.upper())
    if found is None:
        known = ", ".join(_SETS)
        fail("INVALID_PARAMETER_VALUE.CHARSET", f"no character set {name}; there are {known}")
    return found


def to_bytes(text: str, charset: str) -> bytes:
    """Text in a character set."""
    try:
        found = text.encode(_codec(charset))
    except UnicodeEncodeError:
        fail("MALFORMED_CHARACTER_CODING", f"the text cannot be written in {charset}")
    return b"\xfe\xff" + found if charset.upper() == "UTF-16" and text else found


def from_bytes(data: bytes, charset: str) -> str:
    """Bytes in a character set."""
    codec = _codec(charset)
    if charset.upper() == "UTF-16" and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16"
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        fail("MALFORMED_CHARACTER_CODING", f"the bytes are not in {charset}")


@scalar("encode", takes=(TEXT, TEXT), gives=t.BINARY)
def encode(at: At, text: pl.Expr, charset: pl.Expr) -> pl.Expr:
    if str(at.values[1]).upper() == "UTF-8":
        return text.cast(pl.Binary)
    return each(to_bytes, t.BINARY, text, charset)


def _decoding(args: Sequence[Expr], settings: Settings) -> Typed:
    """With two arguments of bytes, with more a choice: decode(x, a, 1, b, 2, otherwise?)."""
    if len(args) <= 2:
        return resolver("decode", (RAW, TEXT), t.STRING)(args, settings)
    searches = [args[0], *args[1:-1:2]]
    results = list(args[2::2]) + ([args[-1]] if len(args) % 2 == 0 else [])
    if common(arg.type for arg in searches) is None:
        raise Mismatch("decode cannot compare its arguments")
    found = iter(alike("decode", searches))
    chosen = iter(alike("the results of decode", results))
    made = [next(found)]
    for _ in range((len(args) - 1) // 2):
        made += [next(found), next(chosen)]
    made += chosen
    return tuple(made), made[2].type, True


@scalar("decode", resolve=_decoding)
def decode(at: At, value: pl.Expr, *others: pl.Expr) -> pl.Expr:
    if len(others) == 1:
        return each(from_bytes, t.STRING, value.cast(pl.Binary), others[0])
    found: pl.Expr | None = others[-1] if len(others) % 2 else None
    for place in range(len(others) // 2 * 2 - 2, -1, -2):
        equal = value.eq_missing(others[place])
        found = pl.when(equal).then(others[place + 1]).otherwise(found)
    assert found is not None
    return found


# ---- UTF-8 that may be broken --------------------------------------------------------------------


def _sound(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@scalar("is_valid_utf8", takes=(RAW,), gives=t.BOOLEAN)
def is_valid_utf8(at: At, value: pl.Expr) -> pl.Expr:
    if at.types[0] == t.STRING:
        return pl.when(value.is_not_null()).then(True)
    return each(_sound, t.BOOLEAN, value)


@scalar("make_valid_utf8", takes=(RAW,), gives=t.STRING)
def make_valid_utf8(at: At, value: pl.Expr) -> pl.Expr:
    if at.types[0] == t.STRING:
        return value
    return each(lambda data: data.decode(errors="replace"), t.STRING, value)


@scalar("validate_utf8", takes=(RAW,), gives=t.STRING)
def validate_utf8(at: At, value: pl.Expr) -> pl.Expr:
    def one(data: bytes) -> str:
        if not _sound(data):
            fail("INVALID_UTF8_STRING", "the bytes are no text in UTF-8")
        return data.decode()

    return value if at.types[0] == t.STRING else each(one, t.STRING, value)


@scalar("try_validate_utf8", takes=(RAW,), gives=t.STRING)
def try_validate_utf8(at: At, value: pl.Expr) -> pl.Expr:
    if at.types[0] == t.STRING:
        return value
    return each(lambda data: data.decode() if _sound(data) else None, t.STRING, value)


# ---- bytes of a format ---------------------------------------------------------------------------


_FORMATS = ("hex", "utf-8", "utf8", "base64")


def parsed_bytes(text: str, form: str) -> bytes | None:
    """to_binary; None for what is not of the format."""
    how = form.lower()
    if how in ("utf-8", "utf8"):
        return text.encode()
    if how == "hex":
        whole = re.fullmatch("[0-9a-fA-F]*", text)
        return bytes.fromhex("0" * (len(text) % 2) + text) if whole else None
    if how != "base64":
        fail("DATATYPE_MISMATCH.INVALID_ARG_VALUE", f"to_binary has no format {form}")
    bare = re.sub(r"\s", "", text)
    if len(bare) % 4 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", bare):
        return None
    found = pl.Series([bare]).str.decode("base64", strict=False)[0]
    return None if found is None else bytes(found)


def _to_binary(name: str, gentle: bool) -> None:
    def build(at: At, text: pl.Expr, form: pl.Expr | None = None) -> pl.Expr:
        def one(value: str, how: str = "hex") -> bytes | None:
            if gentle and how.lower() not in _FORMATS:
                return None
            found = parsed_bytes(value, how)
            if found is None and not gentle:
                fail("CONVERSION_INVALID_INPUT", f"the text is no {how}; try_to_binary gives NULL")
            return found

        return each(one, t.BINARY, text, *([] if form is None else [form]))

    scalar(name, takes=(TEXT, TEXT), gives=t.BINARY, least=1)(build)


_to_binary("to_binary", False)
_to_binary("try_to_binary", True)

# ---- URLs ----------------------------------------------------------------------------------------

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-*_")


def url_text(text: str) -> str:
    """As a browser sends a form."""
    return "".join(
        chr(byte) if byte in _PLAIN else "+" if byte == 32 else f"%{byte:02X}"
        for byte in text.encode()
    )


def from_url(text: str) -> str | None:
    """The opposite; None for what is none."""
    if re.search("%(?![0-9a-fA-F]{2})", text):
        return None
    data = re.sub(
        b"%([0-9a-fA-F]{2})",
        lambda found: bytes.fromhex(found[1].decode()),
        text.replace("+", " ").encode(),
    )
    return data.decode(errors="replace")


@scalar("url_encode", takes=(TEXT,), gives=t.STRING)
def url_encode(at: At, text: pl.Expr) -> pl.Expr:
    return each(url_text, t.STRING, text)


@scalar("url_decode", takes=(TEXT,), gives=t.STRING)
def url_decode(at: At, text: pl.Expr) -> pl.Expr:
    def one(value: str) -> str:
        found = from_url(value)
        if found is None:
            fail("CANNOT_DECODE_URL", "the text is no encoded URL; try_url_decode gives NULL")
        return found

    return each(one, t.STRING, text)


@scalar("try_url_decode", takes=(TEXT,), gives=t.STRING)
def try_url_decode(at: At, text: pl.Expr) -> pl.Expr:
    return each(from_url, t.STRING, text)


_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<ref>.*))?",
    re.DOTALL,
)
_BAD = re.compile(r"[\s\x00-\x1f\x7f<>\"{}|\\^`]|%(?![0-9a-fA-F]{2})")


def url_part(text: str, part: str, key: str | None = None) -> str | None:
    """A part of a URL, None if it has none.

    Raises
    ------
    ValueError
        It is no URL.
    """
    found = _URL.fullmatch(text)
    if (
        found is None
        or _BAD.search(text)
        or (found["scheme"] is None and ":" in text.split("/")[0])
    ):
        raise ValueError(text)
    authority: str | None = found["authority"]
    opaque = authority is None and not found["path"].startswith("/") and found["scheme"]
    if key is not None and part != "QUERY":
        return None
    match part:
        case "PROTOCOL":
            return found["scheme"]
        case "AUTHORITY":
            return authority or None
        case "USERINFO":
            return authority.rpartition("@")[0] or None if authority else None
        case "HOST":
            host = re.fullmatch(r"(\[.*\]|[^:]*)(:\d*)?", (authority or "").rpartition("@")[2])
            return (host[1] or None) if host else None
        case "PATH":
            return None if opaque else found["path"]
        case "REF":
            return found["ref"]
        case "FILE":
            query = "" if found["query"] is None else f"?{found['query']}"
            return None if opaque else found["path"] + query
        case "QUERY":
            if key is None or found["query"] is None:
                return None if opaque else found["query"]
            value = re.search(f"(?:^|&){re.escape(key)}=([^&]*)", found["query"])
            return value[1] if value else None
    return None


def _parse_url(name: str, gentle: bool) -> None:
    def one(*args: Any) -> str | None:
        try:
            return url_part(*args)
        except ValueError:
            if gentle:
                return None
            fail("INVALID_URL", "the text is no URL; try_parse_url gives NULL")

    def build(at: At, *args: pl.Expr) -> pl.Expr:
        return each(one, t.STRING, *args)

    scalar(name, takes=(TEXT, TEXT, TEXT), gives=t.STRING, least=2)(build)


_parse_url("parse_url", False)
_parse_url("try_parse_url", True)

"""Text as a syntax tree. This is the one file that imports sqlglot, when it is first needed.

sqlglot is only the parser. It knows hundreds of functions and rewrites many calls into forms of its
own; here every plain call stays what it is, a name with arguments, because what functions mean is
said in `planner/columns/functions`.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from minispark.errors import ParseException

Node = Any  # a node of sqlglot's tree

_SYNTAX = "PARSE_SYNTAX_ERROR"
# Calls with words between their arguments: substring(a FROM 1 FOR 2), trim(BOTH 'x' FROM a), …
_WORDED = ("CAST", "TRY_CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "SUBSTR", "TRIM")


@functools.cache
def _dialect() -> Any:
    from sqlglot import exp
    from sqlglot.dialects.spark import Spark
    from sqlglot.parsers.spark import SparkParser
    from sqlglot.tokenizer_core import TokenType

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot parse is refused here

    def placeholder(parser: Any) -> Any:
        found = parser.expression(exp.Placeholder())
        found.meta["start"] = parser._prev.start
        return found

    class Parser(SparkParser):
        STRICT_CAST = True
        ARRAY_CONSTRUCTORS: dict[str, Any] = {}  # noqa: RUF012 - array(1)[0] is a call and a place
        FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parse for name, parse in SparkParser.FUNCTION_PARSERS.items() if name in _WORDED
        }
        NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
            "CASE": SparkParser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }
        PLACEHOLDER_PARSERS = {  # noqa: RUF012
            **SparkParser.PLACEHOLDER_PARSERS,
            TokenType.PLACEHOLDER: placeholder,
        }

        def _parse_cast(self, strict: bool, safe: bool | None = None) -> Any:
            found = super()._parse_cast(strict, safe)
            found.meta["written"] = True  # not a typed literal such as DATE '2020-01-01'
            return found

    class Dialect(Spark):
        class Tokenizer(Spark.Tokenizer):
            STRING_ESCAPES = ["\\", "'", '"']  # noqa: RUF012 - 'it''s' is one text

    Dialect.Parser = Parser
    Dialect.parser_class = Parser
    return Dialect()


def statement(text: str) -> Node:
    """The tree of one statement.

    Raises
    ------
    ParseException
        With the line, the column and the text around the place.
    """
    found = [each for each in _parsed(text, None) if each is not None]
    if len(found) != 1:
        what = "there is no statement" if not found else "only one statement is run at a time"
        raise ParseException(f"{what}: {_shortened(text)}", _SYNTAX)
    return found[0]


def expression(text: str) -> Node:
    """The tree of one expression, which may have a name: `a + 1 AS b`."""
    found = statement(f"SELECT {text}")
    parts = [key for key, value in found.args.items() if value and key != "expressions"]
    if parts or type(found).__name__ != "Select" or len(found.expressions) != 1:
        raise ParseException(f"this is not one expression: {_shortened(text)}", _SYNTAX)
    return found.expressions[0]


def _parsed(text: str, into: Any) -> list[Node]:
    from sqlglot.errors import ParseError, TokenError

    dialect = _dialect()
    try:
        tokens = dialect.tokenize(text)
        _refuse_lone_commas(text, tokens)
        found: list[Node] = dialect.parser().parse(tokens, text)
        return found
    except ParseError as error:
        raise _refused(text, error.errors[0] if error.errors else {}, str(error)) from None
    except TokenError:
        raise ParseException(
            f"a quote, comment or bracket is not closed: {_shortened(text)}", _SYNTAX
        ) from None


_ENDS = ("FROM", "WHERE", "GROUP_BY", "HAVING", "ORDER_BY", "LIMIT", "R_PAREN", "COMMA")


def _refuse_lone_commas(text: str, tokens: list[Any]) -> None:
    """A comma with nothing after it, which sqlglot lets pass."""
    for place, token in enumerate(tokens):
        if token.token_type.name != "COMMA":
            continue
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is None or after.token_type.name in _ENDS:
            word = "" if after is None else after.text
            where = {"line": token.line, "col": token.col, "highlight": ","}
            if after is not None:
                where = {"line": after.line, "col": after.col, "highlight": word}
            raise _refused(text, where, "something is missing after the comma")


def _refused(text: str, where: dict[str, Any], message: str) -> ParseException:
    """The error of a place in the text."""
    word = where.get("highlight") or "end of input"
    line, column = where.get("line") or 1, where.get("col") or 1
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    start = max(0, column - len(word))
    before, after = shown[:start][-40:], shown[start + len(word) :][:20]
    place = f"{before}>>>{word}<<<{after}".strip()
    why = where.get("description", message).split(" for <class")[0].lower()
    return ParseException(
        f"cannot read this at or near '{word}' (line {line}, position {start}): {place} ({why})",
        _SYNTAX,
        {"error": f"'{word}'", "hint": ""},
    )


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else f"{flat[:77]}…"


def placeholders(tree: Node) -> list[Node]:
    """The `?` of a statement, in the order of the text."""
    found = [each for each in tree.find_all(_class("Placeholder")) if "start" in each.meta]
    return sorted(found, key=lambda each: int(each.meta["start"]))


def table_names(tree: Node) -> list[str]:
    """The names of all tables that a query reads."""
    return [str(each.name) for each in tree.find_all(_class("Table"))]


def _class(name: str) -> Any:
    from sqlglot import exp

    return getattr(exp, name)


def kind(node: Node) -> str:
    """The name of a node's class, by which the other modules know it."""
    return type(node).__name__


def sql_of(node: Node) -> str:
    """A node as text, for messages."""
    found: str = node.sql(dialect="spark")
    return _shortened(found)

"""Text as a syntax tree. sqlglot is imported here, when it is first needed.

sqlglot is only the parser. It knows hundreds of functions and rewrites many calls into forms of its
own; here every plain call stays what it is, a name with arguments, because what functions mean is
said in `planner/columns/functions`.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from minispark.errors import ParseException, PySparkTypeError
from minispark.sql.parser.interpreted import module

Node = Any  # a node of sqlglot's tree

_SYNTAX = "PARSE_SYNTAX_ERROR"
# Calls with words between their arguments: substring(a FROM 1 FOR 2), trim(BOTH 'x' FROM a), …
_WORDED = ("CAST", "TRY_CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "SUBSTR", "TRIM")


@functools.cache
def _dialect() -> Any:
    from sqlglot import exp
    from sqlglot.dialects.spark import Spark
    from sqlglot.tokenizer_core import TokenType

    SparkParser = module("sqlglot.parsers.spark").SparkParser
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot parse is refused here

    def placeholder(parser: Any) -> Any:
        found = parser.expression(exp.Placeholder())
        found.meta["start"] = parser._prev.start
        return found

    def as_type(parser: Any, this: Any, to: Any) -> Any:
        found = parser.build_cast(strict=True, this=this, to=to)
        # 1L comes as 1::BIGINT, and 1BD as '1'::DECIMAL
        text = isinstance(this, exp.Literal) and this.is_string
        return _written(found) if text and to.this != exp.DType.DECIMAL else found

    class Parser(SparkParser):  # type: ignore[misc, valid-type]
        STRICT_CAST = True
        ARRAY_CONSTRUCTORS: dict[str, Any] = {}  # noqa: RUF012 - array(1)[0] is a call and a place
        FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parse for name, parse in SparkParser.FUNCTION_PARSERS.items() if name in _WORDED
        } | {
            "SUBSTR": _worded(SparkParser.FUNCTION_PARSERS["SUBSTR"], TokenType.FROM),
            "POSITION": _worded(SparkParser.FUNCTION_PARSERS["POSITION"], TokenType.IN),
            "EXTRACT": _extract(SparkParser.FUNCTION_PARSERS["EXTRACT"]),
        }
        NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
            "CASE": SparkParser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }
        COLUMN_OPERATORS = {  # noqa: RUF012
            **SparkParser.COLUMN_OPERATORS,
            TokenType.DCOLON: as_type,
        }
        PLACEHOLDER_PARSERS = {  # noqa: RUF012
            **SparkParser.PLACEHOLDER_PARSERS,
            TokenType.PLACEHOLDER: placeholder,
        }

        def _parse_cast(self, strict: bool, safe: bool | None = None) -> Any:
            return _written(super()._parse_cast(strict, safe))

        def _parse_interval(self, *args: Any, **more: Any) -> Any:
            found = super()._parse_interval(*args, **more)
            if isinstance(found, exp.Add):  # 1 DAY 2 HOURS is one interval
                found.meta["one"] = True
            return found

    class Dialect(Spark):
        class Tokenizer(Spark.Tokenizer):
            STRING_ESCAPES = ["\\", "'", '"']  # noqa: RUF012 - 'it''s' is one text

    Dialect.Parser = Parser
    Dialect.parser_class = Parser
    return Dialect()


def _worded(parse: Any, word: Any) -> Any:
    """A function whose arguments may stand apart by `word` or by commas: its name tells which."""
    from sqlglot.tokenizer_core import TokenType

    def parsed(parser: Any) -> Any:
        before, depth = parser._index, 0
        found = parse(parser)
        for token in parser._tokens[before : parser._index]:
            depth += token.token_type == TokenType.L_PAREN
            depth -= token.token_type == TokenType.R_PAREN
            if depth == 0 and token.token_type == word:
                return found
        found.meta["plain"] = True
        return found

    return parsed


def _extract(parse: Any) -> Any:
    """extract(…), which keeps its field as it was written."""

    def parsed(parser: Any) -> Any:
        field = parser._curr and parser._curr.text
        found = parse(parser)
        found.meta["field"] = field
        return found

    return parsed


def _written(cast: Any) -> Any:
    """A cast that is no typed literal such as DATE '2020-01-01'."""
    cast.meta["written"] = True
    return cast


_BEFORE = "SELECT "  # what makes an expression a statement


def statement(text: str, before: str = "") -> Node:
    """The tree of one statement; of `text` after `before`, which no message shows.

    Raises
    ------
    ParseException
        With the line, the column and the text around the place.
    """
    found = [each for each in _parsed(text, before) if each is not None]
    if len(found) != 1:
        code = _SYNTAX if text.strip() else "PARSE_EMPTY_STATEMENT"
        if not found:
            raise ParseException(f"there is no statement in {_shortened(text)!r}", code)
        raise ParseException(f"only one statement is run at a time: {_shortened(text)}", _SYNTAX)
    return found[0]


def expression(text: str) -> Node:
    """The tree of one expression, which may have a name: `a + 1 AS b`."""
    if not isinstance(text, str):
        raise PySparkTypeError(
            f"an expression is a str, and not {type(text).__name__}: {text!r}", "NOT_EXPECTED_TYPE"
        )
    if not text.strip():
        raise ParseException("the expression is empty", "PARSE_EMPTY_STATEMENT")
    found = statement(text, _BEFORE)
    parts = [key for key, value in found.args.items() if value and key != "expressions"]
    if parts or type(found).__name__ != "Select" or len(found.expressions) != 1:
        raise ParseException(f"this is not one expression: {_shortened(text)}", _SYNTAX)
    return found.expressions[0]


def _parsed(text: str, before: str) -> list[Node]:
    from sqlglot.errors import ParseError, TokenError

    dialect = _dialect()
    try:
        tokens = dialect.tokenize(before + text)
        _refuse_lone_commas(text, before, tokens)
        tokens, levels = _without_levels(_with_plain_window(tokens))
        found: list[Node] = dialect.parser().parse(tokens, before + text)
        for each in found if levels else ():
            for query in each.find_all(_class("CTE")):
                query.meta["levels"] = levels.get(query.alias)
        return found
    except ParseError as error:
        where = error.errors[0] if error.errors else {}
        raise _refused(text, before, where, str(error)) from None
    except TokenError:
        raise ParseException(
            f"a quote, comment or bracket is not closed: {_shortened(text)}", _SYNTAX
        ) from None


def _with_plain_window(tokens: list[Any]) -> list[Any]:
    """WINDOW only begins a clause before a name and AS: elsewhere it is a name itself."""
    from sqlglot.tokenizer_core import Token, TokenType

    found = list(tokens)
    window = TokenType.WINDOW
    for place, token in enumerate(tokens):
        if token.token_type is window:
            after = [each.token_type.name for each in tokens[place + 1 : place + 3]]
            if after[1:] != ["ALIAS"]:
                found[place] = Token(
                    TokenType.VAR,
                    token.text,
                    line=token.line,
                    col=token.col,
                    start=token.start,
                    end=token.end,
                    comments=token.comments,
                )
    return found


def _without_levels(tokens: list[Any]) -> tuple[list[Any], dict[str, int]]:
    """WITH name (…) MAX RECURSION LEVEL n, which sqlglot does not know: the numbers by name."""
    found: dict[str, int] = {}
    if not any(each.text.upper() == "RECURSION" for each in tokens):
        return tokens, found
    kept: list[Any] = []
    place = 0
    while place < len(tokens):
        words = [each.text.upper() for each in tokens[place : place + 4]]
        if words[:3] == ["MAX", "RECURSION", "LEVEL"] and len(words) == 4 and words[3].isdigit():
            back = len(kept) - 1
            if kept[back].text == ")":
                while kept[back].text != "(":
                    back -= 1
                back -= 1
            found[kept[back].text] = int(words[3])
            place += 4
        else:
            kept.append(tokens[place])
            place += 1
    return kept, found


_ENDS = ("FROM", "WHERE", "GROUP_BY", "HAVING", "ORDER_BY", "LIMIT", "R_PAREN", "COMMA")


@functools.cache
def _comma() -> Any:
    from sqlglot.tokenizer_core import TokenType

    return TokenType.COMMA


def _refuse_lone_commas(text: str, before: str, tokens: list[Any]) -> None:
    """A comma with nothing after it, which sqlglot lets pass."""
    comma = _comma()
    for place, token in enumerate(tokens):
        if token.token_type is not comma:
            continue
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is None or after.token_type.name in _ENDS:
            word = "" if after is None else after.text
            where = {"line": token.line, "col": token.col, "highlight": ","}
            if after is not None:
                where = {"line": after.line, "col": after.col, "highlight": word}
            raise _refused(text, before, where, "something is missing after the comma")


def _refused(text: str, before: str, where: dict[str, Any], message: str) -> ParseException:
    """The error of a place in the text, which was read after `before`."""
    word = where.get("highlight") or "end of input"
    line, column = where.get("line") or 1, where.get("col") or 1
    if line == 1:
        column = max(1, column - len(before))
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    start = max(0, column - len(word))
    ahead, after = shown[:start][-40:], shown[start + len(word) :][:20]
    place = f"{ahead}>>>{word}<<<{after}".strip()
    why = where.get("description", message).split(" for <class")[0].split(" but got <")[0].lower()
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

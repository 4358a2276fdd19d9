"""How calls of functions are written in the names of columns, where it is not as they were written.

PySpark names a column after the function that it ends in: some in capitals, some under the name of
another one, and with the arguments that were left out and have a usual value.
"""

from __future__ import annotations

_CAPITALS = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot csc degrees dense_rank e exp expm1
    floor hypot log10 log1p log2 percent_rank pi power radians rank regexp regexp_like rlike sec
    signum sin sinh spark_partition_id sqrt tan tanh
"""
CAPITALS = frozenset(_CAPITALS.split())

CALLED = {
    "array_agg": "collect_list",
    "curdate": "current_date",
    "current_database": "current_schema",
    "dateadd": "date_add",
    "random": "rand",
    "timestamp_add": "timestampadd",
    "timestamp_diff": "timestampdiff",
    "||": "concat",
}

_TIME = "yyyy-MM-dd HH:mm:ss"
_ALL = "2147483647"
USUAL: dict[str, tuple[str, ...]] = {  # what the last arguments are, from the first on
    "approx_percentile": ("", "", "10000"),
    "bround": ("", "0"),
    "from_unixtime": ("", _TIME),
    "locate": ("", "", "1"),
    "make_dt_interval": ("0", "0", "0", "0.000000"),
    "make_ym_interval": ("0", "0"),
    "mask": ("", "X", "x", "n", "NULL"),
    "months_between": ("", "", "true"),
    "overlay": ("", "", "", "-1"),
    "percentile": ("", "", "1"),
    "percentile_approx": ("", "", "10000"),
    "position": ("", "", "1"),
    "regexp_extract": ("", "", "1"),
    "regexp_extract_all": ("", "", "1"),
    "regexp_instr": ("", "", "0"),
    "regexp_replace": ("", "", "", "1"),
    "replace": ("", "", ""),
    "round": ("", "0"),
    "sort_array": ("", "true"),
    "split": ("", "", "-1"),
    "str_to_map": ("", ",", ":"),
    "substr": ("", "", _ALL),
    "substring": ("", "", _ALL),
    "to_unix_timestamp": ("", _TIME),
    "unix_timestamp": ("current_timestamp()", _TIME),
}

FORMS = {  # by name and number of arguments
    ("assert_true", 1): "assert_true({0}, '{0}' is not true!)",
    ("ceil", 2): "ceil({0}, {1})",
    ("date_part", 2): "date_part({0}, {1})",
    ("datepart", 2): "datepart({0} FROM {1})",
    ("extract", 2): "extract({0} FROM {1})",
    ("floor", 2): "floor({0}, {1})",
    ("if", 3): "(IF({0}, {1}, {2}))",
    ("ilike", 3): "ilike({0}, {1})",
    ("isnotnull", 1): "({0} IS NOT NULL)",
    ("isnull", 1): "({0} IS NULL)",
    ("like", 2): "{0} LIKE {1}",
    ("like", 3): "{0} LIKE {1} ESCAPE '{2}'",
    ("log", 1): "LOG(E(), {0})",
    ("ltrim", 2): "TRIM(LEADING {1} FROM {0})",
    ("not", 1): "(NOT {0})",
    ("positive", 1): "(+ {0})",
    ("raise_error", 1): "raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {0}))",
    ("rtrim", 2): "TRIM(TRAILING {1} FROM {0})",
    ("trim", 2): "TRIM(BOTH {1} FROM {0})",
    ("~", 1): "~{0}",
}


def usual(name: str, args: list[str]) -> list[str]:
    """The arguments with those that were left out.

    >>> usual("locate", ["b", "abc"])
    ['b', 'abc', '1']
    """
    return [*args, *USUAL.get(name, ())[len(args) :]]

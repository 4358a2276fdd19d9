"""Questions that PySpark and we are asked alike: an expression is written once, as text that is SQL
for the one and is read into a tree for the other (calls, names, constants, + - * / only).

`python -m tests.columns.asking` (with PySpark) records the answers to all of `text_cases.py` and
`time_cases.py` that are not recorded yet in `text_and_time.json`.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("text_and_time.json")
UTC = dt.UTC
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
UNITS = re.compile(r"timestamp_(add|diff)\('(\w+)',")  # SQL has units as words
EPOCH = dt.datetime(1970, 1, 1)


def encoded(value: Any) -> Any:
    """A value of an answer as JSON holds it; what it is must be seen in it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"f": repr(value)}
        case Decimal():
            return {"d": str(value)}
        case bytes() | bytearray():
            return {"b": bytes(value).hex()}
        case dt.datetime():
            naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return {"t": naive.isoformat(" ")}
        case dt.date():
            return {"day": value.isoformat()}
        case dt.timedelta():
            return {"us": value // dt.timedelta(microseconds=1)}
        case dict():
            return {"map": [[encoded(k), encoded(v)] for k, v in value.items()]}
        case tuple():
            return {"row": [encoded(each) for each in value]}
        case list():
            return [encoded(each) for each in value]
    raise TypeError(f"no code for {type(value).__name__}")


def main() -> None:
    """Ask PySpark what is not known yet."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from text_cases import TEXT_CASES, TEXT_TABLE
    from time_cases import TIME_CASES, TIME_TABLE

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "OFF")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    for name, (schema, rows) in (("text", TEXT_TABLE), ("time", TIME_TABLE)):
        found = spark.createDataFrame(rows, ", ".join(f"{c} {k}" for c, k in schema.items()))
        found.coalesce(1).createOrReplaceTempView(name)
    spark.createDataFrame([(1,)], "one int").createOrReplaceTempView("one")
    known = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    wanted = []
    for table, cases in (("text", TEXT_CASES), ("time", TIME_CASES)):
        wanted += [case if case[0] == "one" else (table, *case[1:]) for case in cases]
    answers: dict[str, Any] = {}
    for table, zone, ansi, text in wanted:
        key = f"{table}|{zone}|{ansi}|{text}"
        if key in known:
            answers[key] = known[key]
            continue
        spark.conf.set("spark.sql.session.timeZone", zone)
        spark.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
        try:
            asked = UNITS.sub(r"timestamp\1(\2,", text)
            found = spark.sql(f"select {asked} as v from {table}")
            kind = found.dtypes[0][1]
            if kind == "timestamp":
                found = found.selectExpr("unix_micros(v) as v")
                values = [
                    None if row[0] is None else encoded(EPOCH + dt.timedelta(microseconds=row[0]))
                    for row in found.collect()
                ]
            elif "interval" in kind and ("year" in kind or "month" in kind):
                found = found.selectExpr(
                    "extract(year from v) * 12 + extract(month from v) as v"
                    if "year to month" in kind
                    else "cast(v as int) as v"
                )
                values = [row[0] for row in found.collect()]
            else:
                values = [encoded(row[0]) for row in found.collect()]
            answers[key] = [kind, values]
        except PySparkException as error:
            code = error.getCondition() or "JVM"
            if code.startswith(("PARSE_SYNTAX", "JVM")):
                print("??", text, str(error)[:300])
            answers[key] = code
        except Exception as error:  # what the JVM raises without an error class
            print("!!", text, str(error)[:300])
            answers[key] = "JVM"
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(answers.items()))
    RECORDED.write_text("{\n" + lines + "\n}\n")
    print(len(answers), "answers")


if __name__ == "__main__":
    main()

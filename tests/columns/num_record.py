"""Asks PySpark for the answers to `num_cases.py`. Run it with a Python that has PySpark, from the
root of the project, when cases change:

    TZ=UTC PYTHONPATH=.:tests/columns python tests/columns/num_record.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from num_cases import TABLES, encoded, every, kind_of, sql
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

FILE = Path(__file__).with_name("num_recorded.json")


def asked(spark: SparkSession, case: Any) -> Any:
    """[type, values], or the error class as text."""
    spark.conf.set("spark.sql.ansi.enabled", str(case.ansi).lower())
    spark.conf.set("spark.sql.session.timeZone", case.zone)
    text = sql(case.expr)
    try:
        found = spark.sql(f"select {text} as v from `{case.table}`")
        return [found.dtypes[0][1], [encoded(row[0]) for row in found.collect()]]
    except PySparkException as error:
        condition = error.getCondition()
        if condition is None or condition.startswith("PARSE_SYNTAX"):
            raise ValueError(f"{text}: {error}") from error
        return condition


def main() -> None:
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    for name, (kinds, rows) in TABLES.items():
        schema = ", ".join(f"{c} {kind_of(k).simpleString()}" for c, k in kinds.items())
        frame = spark.createDataFrame(rows, schema).coalesce(1)
        kept = spark.createDataFrame(frame.collect(), frame.schema).coalesce(1)
        kept.createOrReplaceTempView(f"`{name}`")
    old = json.loads(FILE.read_text()) if FILE.exists() else {}
    wanted = {case.key: case for case in every()}
    known = {key: old[key] for key in wanted if key in old}
    for key, case in wanted.items():
        if key not in known:
            try:
                known[key] = asked(spark, case)
            except ValueError as error:
                print("??", str(error)[:300])
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(known.items()))
    FILE.write_text("{\n" + lines + "\n}\n")
    print(len(known), "answers")


if __name__ == "__main__":
    main()

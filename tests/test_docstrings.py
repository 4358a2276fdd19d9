"""Every example in a docstring is run, with `sc` and `spark` at hand, on worker processes."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest
from contexts import make_context

import executors
import minispark
import planner
from minispark import SparkContext
from minispark.sql import functions
from minispark.sql.session import SparkSession

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    found = []
    for package in (planner, executors, minispark):
        found += [
            info.name
            for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
            if not info.name.endswith("__main__") and "ray_backend" not in info.name
        ]
    return sorted(found)


def examples(name: str) -> list[doctest.DocTest]:
    module: ModuleType = importlib.import_module(name)
    return [test for test in doctest.DocTestFinder().find(module, name) if test.examples]


ALL = [test for name in modules() for test in examples(name)]


@pytest.mark.parametrize("test", ALL, ids=lambda test: test.name)
def test_docstring(test: doctest.DocTest, request: pytest.FixtureRequest) -> None:
    context = SparkContext._active_spark_context
    if context is None or context.master != "local[2]":
        context = make_context("local[2]", request)
    spark = SparkSession.builder.getOrCreate()
    test.globs = {**test.globs, "sc": context, "spark": spark, "F": functions}
    printed: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    failures = runner.run(test, out=printed.append).failed
    assert not failures, "".join(printed)


def test_most_public_methods_have_an_example() -> None:
    names = {test.name.rsplit(".", 1)[-1] for test in ALL}
    public = [name for name in dir(minispark.RDD) if not name.startswith("_")]
    methods = [name for name in public if callable(getattr(minispark.RDD, name))]
    missing = [name for name in methods if name not in names]
    assert len(missing) <= len(methods) // 4, missing

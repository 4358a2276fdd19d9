"""Options that `submit` and `shell` share, and how they become every SparkConf's defaults."""

from __future__ import annotations

import argparse

from minispark.conf import system_properties

_AS_SETTING = {
    "master": "spark.master",
    "name": "spark.app.name",
    "py_files": "spark.submit.pyFiles",
    "files": "spark.files",
    "archives": "spark.archives",
}


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Where tasks run, and with which settings and files."""
    parser.add_argument("--master", help="where tasks run: local[2], ray, inline, host:port, …")
    parser.add_argument("--name", help="a name for the program")
    parser.add_argument(
        "-c",
        "--conf",
        metavar="KEY=VALUE",
        type=_setting,
        action="append",
        default=[],
        help="a setting; again for another",
    )
    parser.add_argument(
        "--py-files", metavar="A.PY,B.ZIP", help="modules for the program and its tasks to import"
    )
    parser.add_argument("--files", metavar="A,B", help="files for tasks, as SparkContext.addFile")
    parser.add_argument("--archives", metavar="A,B", help="archives, as SparkContext.addArchive")


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key.strip(), value


def make_defaults(options: argparse.Namespace) -> None:
    """Let every SparkConf begin with these options. What a program sets itself wins over them."""
    system_properties.update(options.conf)
    for name, key in _AS_SETTING.items():
        value = getattr(options, name)
        if value is not None:
            system_properties[key] = value


def py_files(options: argparse.Namespace) -> list[str]:
    """The files of `--py-files` that are on this machine; others the SparkContext fetches."""
    given = filter(None, (options.py_files or "").split(","))
    paths = [path.removeprefix("file://").removeprefix("file:") for path in given]
    return [path for path in paths if "://" not in path]

"""`minispark submit`: run a script with settings from the command line."""

from __future__ import annotations

import argparse
import os
import sys

from minispark.command.options import add_engine_options, make_defaults, py_files
from minispark.command.scripts import importable, run_script
from minispark.conf import system_properties


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this subcommand."""
    parser = commands.add_parser(
        "submit",
        help="run a script",
        description="Run a script. What it sets in its own SparkConf wins over the options here.",
    )
    add_engine_options(parser)
    parser.add_argument("script", help="a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the script; its exit code."""
    system_properties["spark.app.name"] = os.path.basename(options.script)
    make_defaults(options)
    try:
        with importable(py_files(options)):
            return run_script(options.script, options.arguments)
    except OSError as error:  # the script's own errors do not come this way
        print(f"minispark submit: {error}", file=sys.stderr)
        return 2

"""`minispark shell`: an interactive session with `spark` and `sc` ready."""

from __future__ import annotations

import argparse
import code
import importlib
import importlib.util
import sys
from typing import Any

from minispark.command.options import add_engine_options, make_defaults, py_files
from minispark.command.scripts import fresh_main, importable, lead_path_to
from minispark.conf import system_properties
from minispark.tracebacks import quiet_notebook
from minispark.version import __version__


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this subcommand."""
    parser = commands.add_parser(
        "shell",
        help="an interactive session",
        description="An interactive session (IPython, if installed) with `spark` and `sc` ready.",
    )
    add_engine_options(parser)
    parser.add_argument("--plain", action="store_true", help="Python's own prompt, not IPython's")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Talk to the user until they leave."""
    make_defaults(options)
    system_properties.setdefault("spark.ui.showConsoleProgress", "true")
    with importable(py_files(options)):
        # The engine takes a while to import: not for `minispark --help`.
        session: Any = importlib.import_module("minispark.sql.session")
        spark = session.SparkSession.builder.getOrCreate()
        try:
            _talk(spark, options.plain or importlib.util.find_spec("IPython") is None)
        finally:
            spark.stop()
    return 0


def banner(spark: Any) -> str:
    """What the user sees first."""
    sc = spark.sparkContext
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        f"minispark {__version__} on Python {version}, master {sc.master} "
        f"({sc.defaultParallelism} tasks at a time)\n"
        "`spark` and `sc` are ready. Try: sc.range(10**6).map(lambda n: n * n).sum()"
    )


def _talk(spark: Any, plain: bool) -> None:
    names = {"spark": spark, "sc": spark.sparkContext}
    lead_path_to("")
    if plain:
        module = fresh_main()
        vars(module).update(names)
        code.interact(banner(spark), local=vars(module), exitmsg="")
        return
    from IPython.terminal.ipapp import TerminalIPythonApp
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = banner(spark) + "\n"
    config.TerminalInteractiveShell.enable_tip = False
    program: Any = TerminalIPythonApp.instance(user_ns=names, config=config)
    program.initialize([])
    quiet_notebook()
    program.start()

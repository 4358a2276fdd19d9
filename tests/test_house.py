"""The rules of the house, read from the source: who may import whom, and how large things get."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("minispark", "executors", "planner")
MAY_IMPORT = {
    "minispark": {"minispark", "executors", "planner"},
    "executors": {"executors", "planner"},
    "planner": {"planner"},
}
ONE_PLACE = {  # where alone a library may be imported, as the beginning of a module's name
    "ray": "executors.ray_backend",
    "cloudpickle": "executors.pickling",
}
HEAVY = ("ray", "pyarrow", "numpy", "pandas", "polars", "cloudpickle", "sqlglot")
PURE = {  # what the planner needs to decide things: no files, threads, clocks, processes
    "__future__",
    "array",
    "base64",
    "bisect",
    "collections",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "operator",
    "random",
    "planner",
    "polars",
    "pyarrow",
    "re",
    "string",
    "uuid",
    "zoneinfo",
    "zlib",
    "typing",
}
MODULE_LINES = 600
FUNCTION_LINES = 60


@dataclass(frozen=True)
class Import:
    """One name that a module imports: `target` is the module it comes from."""

    module: str
    line: int
    target: str
    name: str | None  # None for `import target`
    place: str  # top, function, or type (only for type checkers)

    def __str__(self) -> str:
        what = self.target if self.name is None else f"{self.name} from {self.target}"
        return f"{self.module}:{self.line} imports {what}"


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax trees of all our modules, by name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {name_of(path): ast.parse(path.read_text(), str(path)) for path in paths}


@cache
def packages() -> frozenset[str]:
    """The names that are folders."""
    return frozenset(
        name_of(path) for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")
    )


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def places(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Every import statement and where it stands."""
    stack: list[tuple[ast.AST, str]] = [(tree, "top")]
    while stack:
        node, place = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, place
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            place = "function"
        elif is_type_checking(node):
            place = "type"
        stack.extend((child, place) for child in ast.iter_child_nodes(node))


@cache
def imports() -> tuple[Import, ...]:
    """All imports of all our modules."""
    found = []
    for module, tree in modules().items():
        for node, place in places(tree):
            if isinstance(node, ast.Import):
                found += [Import(module, node.lineno, a.name, None, place) for a in node.names]
            else:
                target = "." * node.level + (node.module or "")
                found += [Import(module, node.lineno, target, a.name, place) for a in node.names]
    return tuple(found)


def top(name: str) -> str:
    return name.split(".")[0]


def ours() -> Iterator[Import]:
    return (each for each in imports() if top(each.target) in PACKAGES)


def lines(found: list[Import]) -> str:
    return "\n".join(map(str, found))


# ---- who may import whom -------------------------------------------------------------------------


def test_there_is_something_to_read() -> None:
    assert {"minispark.session", "executors.runloop", "planner.scheduler"} <= modules().keys()
    assert len(imports()) > 200


def test_imports_go_one_way() -> None:
    wrong = [each for each in ours() if top(each.target) not in MAY_IMPORT[top(each.module)]]
    assert not wrong, lines(wrong)


def test_modules_are_named_in_full() -> None:
    wrong = [each for each in imports() if each.target.startswith(".")]
    assert not wrong, lines(wrong)


def test_no_module_of_ours_is_imported_inside_a_function() -> None:
    wrong = [each for each in ours() if each.place == "function"]
    assert not wrong, lines(wrong)


def test_nothing_is_imported_by_a_star() -> None:
    wrong = [each for each in imports() if each.name == "*"]
    assert not wrong, lines(wrong)


def test_nothing_is_imported_from_a_package_itself() -> None:
    """What an `__init__` gives is for users."""
    wrong = [
        each
        for each in ours()
        if each.target in packages() and f"{each.target}.{each.name}" not in modules()
    ]
    assert not wrong, lines(wrong)


def test_what_is_imported_from_our_modules_is_there() -> None:
    wrong = [
        each
        for each in ours()
        if each.target not in modules() and f"{each.target}.{each.name}" not in modules()
    ]
    assert not wrong, lines(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not counting what only type checkers read."""
    edges: dict[str, set[str]] = defaultdict(set)
    for each in ours():
        if each.place != "type":
            inner = f"{each.target}.{each.name}"
            edges[each.module].add(inner if inner in modules() else each.target)
    done: set[str] = set()
    for start in modules():
        way: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            module, entered = stack.pop()
            if entered:
                done.add(way.pop())
            elif module in way:
                circle = [*way[way.index(module) :], module]
                pytest.fail(" imports ".join(circle))
            elif module not in done:
                way.append(module)
                stack.append((module, True))
                stack.extend((other, False) for other in sorted(edges[module]))


def test_libraries_have_one_place_each() -> None:
    for library, place in ONE_PLACE.items():
        users = {each.module for each in imports() if top(each.target) == library}
        assert users, f"nobody imports {library}: the rule is out of date"
        wrong = {user for user in users if user != place and not user.startswith(f"{place}.")}
        assert not wrong, f"{library} is imported by {sorted(wrong)}, not only by {place}"


def test_sqlglot_has_at_most_one_folder() -> None:
    users = {each.module for each in imports() if top(each.target) == "sqlglot"}
    assert len({user.rpartition(".")[0] for user in users}) <= 1, sorted(users)


def test_no_module_hides_a_library() -> None:
    hidden = {name for name in modules() if name.split(".")[-1] in HEAVY}
    assert not hidden, hidden


def test_a_folder_of_tests_is_not_a_package() -> None:
    """`tests/planner/__init__.py` would make that folder answer to the name `planner`."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


# ---- a quick start -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["import minispark", "from minispark import SparkConf, SparkContext, StorageLevel"],
)
def test_an_import_loads_no_heavy_library(statement: str) -> None:
    code = f"{statement}; import json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    loaded = {top(name) for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))


# ---- the planner decides and does nothing --------------------------------------------------------


def test_the_planner_imports_nothing_that_acts() -> None:
    of_planner = [each for each in imports() if top(each.module) == "planner"]
    wrong = [each for each in of_planner if top(each.target) not in PURE]
    wrong = [each for each in wrong if (each.module, each.target) not in LOOKS_AT_FRAMES]
    assert not wrong, lines(wrong)


LOOKS_AT_FRAMES = {("planner.site", "os"), ("planner.site", "sys")}


def test_call_sites_use_names_of_files_and_frames_only() -> None:
    used = {
        ast.unparse(node)
        for node in ast.walk(modules()["planner.site"])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("os", "sys")
    }
    assert used <= {"os.path", "os.sep", "sys._getframe"}


def test_the_planner_calls_nothing_that_reads_or_writes() -> None:
    acting = {"open", "print", "input", "exec", "eval", "compile", "breakpoint", "__import__"}
    wrong = [
        f"{module}:{node.lineno} {node.func.id}()"
        for module, tree in modules().items()
        if top(module) == "planner"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in acting
    ]
    assert not wrong, wrong


# ---- no failure is swallowed ---------------------------------------------------------------------


def test_no_handler_swallows_everything() -> None:
    """`except Exception: pass` hides bugs; a narrow exception and a reason do not."""
    wrong = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            if broad and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body):
                wrong.append(f"{module}:{node.lineno}")
    assert not wrong, wrong


# ---- sizes ---------------------------------------------------------------------------------------


def sources() -> list[Path]:
    folders = (*PACKAGES, "benchmarks", "examples")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines that hold code: no blank ones, comments or docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    found: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in skipped:
                found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.difference_update(range(first.lineno, (first.end_lineno or 0) + 1))
    return found


def test_no_module_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): length
        for path in sources()
        if (length := len(path.read_text().splitlines())) > MODULE_LINES
    }
    assert not long, f"over {MODULE_LINES} lines: {long}"


def test_no_function_is_too_long() -> None:
    long = {}
    for path in sources():
        code = code_lines(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = len(code.intersection(range(node.lineno, (node.end_lineno or 0) + 1)))
                if length > FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert not long, f"over {FUNCTION_LINES} lines of code: {long}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in modules().items() if not ast.get_docstring(tree)]
    assert not silent, silent

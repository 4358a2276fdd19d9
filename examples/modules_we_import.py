"""Which modules do we import? A walk through the Python standard library's own source.

    python examples/modules_we_import.py
    python examples/modules_we_import.py --master ray ~/my/project

Counts words and imports, ranks the modules by PageRank over the import graph, and then lets an
executor die in the middle of that. Change `minispark` to `pyspark` below and all but the last act
runs on Spark. `minispark demo` runs this file twice: on worker processes, and on Ray.
"""

import argparse
import ast
import math
import os
import re
import sys
import sysconfig
import time
import tokenize
import warnings
from collections import Counter
from operator import add, itemgetter

from minispark import SparkConf, SparkContext

WORD = re.compile(r"[^\W\d_]{2,}")
NOT_OURS = {"site-packages", "dist-packages", "__pycache__"}


def python_files(folder):
    """Every Python file below a folder, without installed packages."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - NOT_OURS)
        yield from (os.path.join(place, name) for name in sorted(files) if name.endswith(".py"))


def imported(tree, package):
    """The modules that a parsed file imports, relative imports spelled out, each once."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            names.add(".".join([*base, node.module] if node.module else base))
    return sorted(names - {""})


def parser(folder, skipped):
    """Makes the function that turns a path into (module, counts of its words, its imports)."""

    def parse(path):
        try:
            with tokenize.open(path) as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the files, about their own string escapes
                text = file.read()
                tree = ast.parse(text)
        except (OSError, SyntaxError, ValueError, RecursionError):
            skipped.add(1)  # not a program of this Python: some tests are broken on purpose
            return
        package = os.path.relpath(path, folder).removesuffix(".py").split(os.sep)
        module = ".".join(package).removesuffix(".__init__")
        yield module, Counter(WORD.findall(text)), imported(tree, package[:-1])

    return parse


def contributions(row):
    """What a module gives to each module that it imports; nothing to itself, so that it stays."""
    module, (imports, rank) = row
    return [(module, 0.0), *((name, rank / len(imports)) for name in imports)]


def pagerank(links, iterations):
    """The dataset of (module, rank). Nothing runs yet: every iteration only adds to the plan."""
    parts = links.getNumPartitions()
    ranks = links.mapValues(lambda imports: 1.0)
    for _ in range(iterations):
        shares = links.join(ranks).flatMap(contributions)
        ranks = shares.reduceByKey(add, parts).mapValues(lambda total: 0.15 + 0.85 * total)
    return ranks


def show(title, pairs, form=","):
    """A small table of (name, number)."""
    print(f"\n{title}")
    for name, number in pairs:
        print(f"{number:>12{form}}  {name}")


def stages(dataset):
    """The plan of a dataset as text; PySpark gives it as bytes."""
    text = dataset.toDebugString()
    return text.decode() if isinstance(text, bytes) else text


def seconds_since(begin):
    return f"{time.perf_counter() - begin:.1f} s"


def start(master):
    """A SparkContext, which shows its progress."""
    conf = SparkConf().setAppName("modules we import")
    conf.set("spark.ui.showConsoleProgress", "true")
    if master:
        conf.setMaster(master)
    name = conf.get("spark.master") or os.environ.get("MINISPARK_MASTER") or "this machine"
    print(f"Starting executors on {name} ...", flush=True)
    if not name.startswith(("local", "inline", "this")):
        print("Ray starts its own services first, then one actor a core: 15 seconds or so.")
    sys.stdout.flush()
    begin = time.perf_counter()
    sc = SparkContext(conf=conf)
    sc.range(1).count()  # the first work waits until all executors are there
    print(f"{sc.defaultParallelism} of them were ready after {seconds_since(begin)}.\n")
    return sc


def an_executor_dies(parsed, links, iterations, expected):
    """The last act, for minispark only: the same ranks, although an executor is killed."""
    from minispark import chaos

    seen = {}

    def in_the_middle(task):  # an iteration is a stage; this is asked before each task starts
        seen[task.stage] = True
        return len(seen) > iterations // 2

    sc = parsed.ctx
    print("\nThe same ranks once more, and in the middle of it an executor is killed ...")
    with chaos.kill_executor(at="before write", when=in_the_middle) as fault:
        ranks = dict(pagerank(links, iterations).collect())
    same = fault.count == 1 and ranks.keys() == expected.keys()
    same = same and all(math.isclose(ranks[name], expected[name], rel_tol=1e-9) for name in ranks)
    print(f"The answer is {'the same' if same else 'DIFFERENT'}. What happened:\n")
    print("\n".join(f"fault: {hit}" for hit in fault.fired))
    print(sc.recoveryReport())

    print("\nParsed files were lost too, but nobody has asked for these yet. Now somebody does:")
    count = parsed.count()
    print(f"{count:,} files. What happened:\n\n{sc.recoveryReport()}")
    return same


def main():
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("folder", nargs="?", default=sysconfig.get_path("stdlib"))
    options.add_argument("--master", help="local[2], ray, ...")
    options.add_argument("--iterations", type=int, default=10)
    options = options.parse_args()
    paths = list(python_files(options.folder))
    if not paths:
        sys.exit(f"There is no Python file below {options.folder}.")

    sc = start(options.master)
    skipped = sc.accumulator(0)
    parts = 4 * sc.defaultParallelism

    # Read and parse once; everything below starts from the cached rows.
    parsed = sc.parallelize(paths, parts).flatMap(parser(options.folder, skipped)).cache()
    begin = time.perf_counter()
    count = parsed.count()
    print(f"Parsed {count:,} files of {options.folder} in {seconds_since(begin)},")
    print(f"skipped {skipped.value} that are no program of this Python.")

    words = parsed.flatMap(lambda row: row[1].items()).reduceByKey(add)
    show("The most frequent words", words.top(10, key=itemgetter(1)))
    imports = parsed.flatMap(lambda row: row[2]).map(lambda name: (name, 1)).reduceByKey(add)
    show("The most imported modules", imports.top(10, key=itemgetter(1)))

    # The links are partitioned once and kept so; each iteration moves only the ranks.
    links = parsed.map(lambda row: (row[0], row[2])).partitionBy(parts).cache()
    print(f"\nThe stages of one iteration of PageRank, of {options.iterations}:\n")
    print(stages(pagerank(links, 1)))
    begin = time.perf_counter()
    ranks = dict(pagerank(links, options.iterations).collect())
    print(f"\nRanked {len(ranks):,} modules in {seconds_since(begin)}.")
    best = sorted(ranks.items(), key=itemgetter(1), reverse=True)[:10]
    show("The modules that the others rest on", best, ",.2f")

    same = True
    if type(sc).__module__.startswith("minispark"):
        same = an_executor_dies(parsed, links, options.iterations, ranks)
    sc.stop()
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

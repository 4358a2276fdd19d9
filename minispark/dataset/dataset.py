"""The partitioned dataset, put together from its subjects."""

from __future__ import annotations

from minispark.dataset.actions import Actions
from minispark.dataset.approximate import Approximate
from minispark.dataset.elementwise import Elementwise
from minispark.dataset.joins import Joins
from minispark.dataset.keeping import Keeping
from minispark.dataset.layout import Layout
from minispark.dataset.ordering import Ordering
from minispark.dataset.pairs import Pairs
from minispark.dataset.piping import Piping
from minispark.dataset.sampling import Sampling
from minispark.dataset.saving import Saving
from minispark.dataset.sets import Sets
from minispark.dataset.statistics import Statistics
from minispark.dataset.trees import Trees


class Dataset(
    Elementwise,
    Layout,
    Sets,
    Pairs,
    Joins,
    Ordering,
    Sampling,
    Piping,
    Actions,
    Trees,
    Statistics,
    Approximate,
    Saving,
    Keeping,
):
    """A lazy, partitioned collection of Python objects.

    A transformation (`map`, `join`, …) gives a new dataset and runs nothing; an action (`collect`,
    `count`, …) runs a job in the executors and gives its answer. A partition that is lost is
    computed again from what the dataset was made of.

    Made by a SparkContext (`parallelize`, `textFile`, …), never directly. `RDD` is the same class.

    Examples
    --------
    >>> words = sc.parallelize(["to be", "or not to be"]).flatMap(str.split)
    >>> counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    >>> sorted(counts.collect())
    [('be', 2), ('not', 1), ('or', 1), ('to', 2)]
    """


RDD = Dataset

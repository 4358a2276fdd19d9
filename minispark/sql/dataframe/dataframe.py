"""The DataFrame, put together from its subjects."""

from __future__ import annotations

from minispark.sql.dataframe.actions import Actions
from minispark.sql.dataframe.grouping import Grouping
from minispark.sql.dataframe.joining import Joining
from minispark.sql.dataframe.keeping import Keeping
from minispark.sql.dataframe.missing import Missing
from minispark.sql.dataframe.ordering import Ordering
from minispark.sql.dataframe.python import PythonBatches
from minispark.sql.dataframe.selecting import Selecting
from minispark.sql.dataframe.sets import Sets
from minispark.sql.dataframe.showing import Showing
from minispark.sql.dataframe.statistics import Statistics
from minispark.sql.dataframe.views import Views


class DataFrame(
    Selecting,
    Joining,
    Grouping,
    Ordering,
    Sets,
    Missing,
    Statistics,
    Actions,
    Showing,
    Keeping,
    PythonBatches,
    Views,
):
    """Rows with named, typed columns, computed when an answer is asked for.

    Made by `spark.read`, `spark.createDataFrame`, `spark.sql` and the like. A transformation
    (`select`, `join`, …) checks names and types and gives a new DataFrame; an action (`collect`,
    `count`, `show`, …) runs a query in the executors.

    Examples
    --------
    >>> df = spark.createDataFrame([("Ann", 3), ("Bob", 4)], ["name", "age"])
    >>> df.where(df.age > 3).select("name").collect()
    [Row(name='Bob')]
    """

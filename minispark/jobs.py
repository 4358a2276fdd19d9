"""Jobs of a SparkContext: groups, tags and properties of a thread, running, cancelling."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minispark.status import StatusStore, StatusTracker
from planner.ops import MapPartitions
from planner.plan import Narrow
from planner.site import call_site

if TYPE_CHECKING:
    from minispark.context import SparkContext
    from minispark.dataset.dataset import Dataset
    from minispark.session import Session

_GROUP = "spark.jobGroup.id"
_DESCRIPTION = "spark.job.description"
_INTERRUPT = "spark.job.interruptOnCancel"
_TAGS = "spark.job.tags"


class _ThreadProperties(threading.local):
    """Each thread has its own; a new thread begins with none (see InheritableThread)."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}


class _Tags(set[str]):
    """Tags, shown in their order: that of a set differs from run to run."""

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, sorted(self)))}}}" if self else "set()"


def _checked_tag(tag: str) -> str:
    if not isinstance(tag, str):
        raise TypeError(f"a job tag is a str, not {type(tag).__name__}")
    if not tag:
        raise ValueError("a job tag cannot be an empty string")
    if "," in tag:
        raise ValueError(f"a job tag cannot contain a comma: {tag!r}")
    return tag


class Jobs:
    """The part of SparkContext that is about jobs."""

    if TYPE_CHECKING:

        @property
        def _session(self) -> Session: ...

    def _begin_jobs(self) -> None:
        self._thread = _ThreadProperties()
        self._status = StatusStore()

    # ---- properties of the calling thread --------------------------------------------------------

    def _get_properties(self) -> dict[str, str]:
        """A copy of the thread's properties."""
        return dict(self._thread.found)

    def _set_properties(self, properties: Mapping[str, str]) -> None:
        """Take over the properties of another thread."""
        self._thread.found = dict(properties)

    def _about_job(self) -> dict[str, Any]:
        """What the session is told of a job that this thread asks for."""
        found = self._thread.found
        if not found:
            return {}
        return {
            "group": found.get(_GROUP),
            "tags": frozenset(self.getJobTags()),
            "description": found.get(_DESCRIPTION),
            "properties": dict(found),
        }

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Set a property of the jobs that this thread asks for; None removes it.

        Tasks read it with `TaskContext.getLocalProperty`. Threads do not inherit properties, but
        for `InheritableThread`.

        Raises
        ------
        TypeError
            Key or value is not a str.

        Examples
        --------
        >>> sc.setLocalProperty("colour", "red")
        >>> sc.getLocalProperty("colour")
        'red'
        >>> sc.setLocalProperty("colour", None)
        """
        if not isinstance(key, str) or not isinstance(value, str | None):
            raise TypeError(f"a local property is a str: {key!r} = {value!r}")
        if value is None:
            self._thread.found.pop(key, None)
        else:
            self._thread.found[key] = value

    def getLocalProperty(self, key: str) -> str | None:
        """A property that this thread has set, or None.

        >>> sc.getLocalProperty("never set") is None
        True
        """
        return self._thread.found.get(key)

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """Put the jobs that this thread asks for from now on into a group.

        Parameters
        ----------
        groupId : str
            The group, for `cancelJobGroup` and `StatusTracker.getJobIdsForGroup`.
        description : str
            What the jobs do, for people.
        interruptOnCancel : bool
            Kept as a property. A cancelled task is interrupted in any case.

        Examples
        --------
        >>> sc.setJobGroup("nightly", "count everything")
        >>> sc.getLocalProperty("spark.jobGroup.id")
        'nightly'
        >>> sc.setLocalProperty("spark.jobGroup.id", None)
        >>> sc.setLocalProperty("spark.job.description", None)
        """
        self.setLocalProperty(_GROUP, groupId)
        self.setLocalProperty(_DESCRIPTION, description)
        self.setInterruptOnCancel(interruptOnCancel)

    def setJobDescription(self, value: str | None) -> None:
        """Say what the jobs of this thread do, for people; None forgets it.

        >>> sc.setJobDescription("count everything")
        >>> sc.getLocalProperty("spark.job.description")
        'count everything'
        >>> sc.setJobDescription(None)
        """
        self.setLocalProperty(_DESCRIPTION, value)

    def setInterruptOnCancel(self, interruptOnCancel: bool) -> None:
        """Kept as a property. A cancelled task is interrupted in any case.

        >>> sc.setInterruptOnCancel(True)
        >>> sc.getLocalProperty("spark.job.interruptOnCancel")
        'true'
        """
        self.setLocalProperty(_INTERRUPT, str(bool(interruptOnCancel)).lower())

    def addJobTag(self, tag: str) -> None:
        """Tag the jobs that this thread asks for from now on.

        Raises
        ------
        ValueError
            The tag is empty or contains a comma.

        Examples
        --------
        >>> sc.addJobTag("slow")
        >>> sc.getJobTags()
        {'slow'}
        >>> sc.clearJobTags()
        """
        self._set_tags(self.getJobTags() | {_checked_tag(tag)})

    def removeJobTag(self, tag: str) -> None:
        """Take a tag off the jobs to come, if it is there.

        >>> sc.addJobTag("slow")
        >>> sc.removeJobTag("slow")
        >>> sc.getJobTags()
        set()
        """
        self._set_tags(self.getJobTags() - {_checked_tag(tag)})

    def getJobTags(self) -> set[str]:
        """The tags of the jobs that this thread asks for.

        >>> sc.getJobTags()
        set()
        """
        return _Tags(filter(None, self._thread.found.get(_TAGS, "").split(",")))

    def clearJobTags(self) -> None:
        """Take all tags off the jobs to come.

        >>> sc.addJobTag("slow")
        >>> sc.clearJobTags()
        >>> sc.getJobTags()
        set()
        """
        self._set_tags(set())

    def _set_tags(self, tags: set[str]) -> None:
        self.setLocalProperty(_TAGS, ",".join(sorted(tags)) or None)

    # ---- running and cancelling ------------------------------------------------------------------

    def runJob(
        self,
        rdd: Dataset,
        partitionFunc: Callable[[Iterable[Any]], Iterable[Any]],
        partitions: Sequence[int] | None = None,
        allowLocal: bool = False,
    ) -> list[Any]:
        """Apply a function to partitions of a dataset, and give all that it gives as one list.

        Parameters
        ----------
        rdd : Dataset
        partitionFunc : callable
            Takes an iterator of a partition's rows, gives an iterable.
        partitions : sequence of int, optional
            Which partitions, in the order of the answer; all by default.
        allowLocal : bool
            Has no effect, as in PySpark.

        Raises
        ------
        ValueError
            There is no partition of that number.

        Examples
        --------
        >>> numbers = sc.parallelize(range(6), 3)
        >>> sc.runJob(numbers, lambda rows: [sum(rows)])
        [1, 5, 9]
        >>> sc.runJob(numbers, lambda rows: [sum(rows)], [2, 0])
        [9, 1]
        """
        child = rdd._node
        wanted = list(range(child.width) if partitions is None else partitions)
        for partition in wanted:
            if not 0 <= partition < child.width:
                raise ValueError(
                    f"there is no partition {partition}: the dataset has {child.width} of them"
                )
        if not wanted:
            return []
        site = call_site("runJob")
        node = Narrow(child, MapPartitions(_OnRows(partitionFunc), "runJob"), site=site)
        answers = dict(self._session.run(node, wanted, site=site, **self._about_job()))
        return [row for partition in wanted for row in answers[partition]]

    def cancelJobGroup(self, groupId: str) -> None:
        """Cancel the running jobs of a group; their actions raise JobCancelled.

        >>> sc.cancelJobGroup("no such group")
        """
        self._session.cancel(group=groupId, reason=f"its group {groupId!r} was cancelled")

    def cancelJobsWithTag(self, tag: str) -> None:
        """Cancel the running jobs with a tag; their actions raise JobCancelled.

        >>> sc.cancelJobsWithTag("no such tag")
        """
        self._session.cancel(tag=_checked_tag(tag), reason=f"its tag {tag!r} was cancelled")

    def cancelAllJobs(self) -> None:
        """Cancel all running jobs; their actions raise JobCancelled. Kept data stays.

        >>> sc.cancelAllJobs()
        """
        self._session.cancel(everything=True, reason="all jobs were cancelled")

    def statusTracker(self: SparkContext) -> StatusTracker:  # type: ignore[misc]
        """Progress of jobs and stages.

        >>> sc.statusTracker().getActiveJobsIds()
        []
        """
        return StatusTracker(self, self._status)


class _OnRows:
    """A function of the rows alone, for an op that is told the partition's index too."""

    __slots__ = ("f",)

    def __init__(self, f: Callable[[Iterable[Any]], Iterable[Any]]) -> None:
        self.f = f

    def __call__(self, index: int, rows: Iterable[Any]) -> Iterable[Any]:
        return self.f(rows)

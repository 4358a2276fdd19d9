"""What program a SparkContext belongs to, and where it runs."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

from minispark.conf import system_properties, system_property
from minispark.resource.information import ResourceInformation
from minispark.version import __version__

if TYPE_CHECKING:
    from minispark.conf import SparkConf


class About:
    """The part of SparkContext that tells about it."""

    if TYPE_CHECKING:
        _conf: SparkConf
        _startTime: int
        _resources: dict[str, ResourceInformation]

    @property
    def version(self) -> str:
        """The version of minispark.

        >>> import minispark
        >>> sc.version == minispark.__version__
        True
        """
        return __version__

    @property
    def applicationId(self) -> str:
        """An id of this run of the program.

        >>> sc.applicationId == sc.getConf().get("spark.app.id")
        True
        """
        return self._conf.get("spark.app.id", "")

    @property
    def uiWebUrl(self) -> str | None:
        """The address of the user interface: None, there is none yet.

        >>> sc.uiWebUrl is None
        True
        """
        return None

    @property
    def startTime(self) -> int:
        """When it was made, in milliseconds since 1970.

        >>> sc.startTime > 0
        True
        """
        return self._startTime

    @property
    def resources(self) -> dict[str, ResourceInformation]:
        """What the driver has besides cores and memory, as `spark.driver.resource.*` tells.

        >>> sc.resources
        {}
        """
        return dict(self._resources)

    def sparkUser(self) -> str:
        """Who runs the program: the variable SPARK_USER, or the user's name.

        >>> isinstance(sc.sparkUser(), str)
        True
        """
        return os.environ.get("SPARK_USER") or getpass.getuser()

    @classmethod
    def setSystemProperty(cls, key: str, value: str) -> None:
        """Set a property of the process; `spark.*` ones are settings of every SparkConf after that.

        >>> sc.setSystemProperty("program.colour", "red")
        >>> sc.getSystemProperty("program.colour")
        'red'
        """
        system_properties[key] = value

    @classmethod
    def getSystemProperty(cls, key: str) -> str | None:
        """A property of the process: one that was set, or what this system says for a few known.

        >>> sc.getSystemProperty("file.separator"), sc.getSystemProperty("none")
        ('/', None)
        """
        return system_property(key)

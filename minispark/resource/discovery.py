"""Which resources the driver has, as Spark's discovery scripts tell it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from minispark.resource.information import ResourceInformation

_PREFIX = "spark.driver.resource."


def driver_resources(conf: Mapping[str, str]) -> dict[str, ResourceInformation]:
    """What the scripts of `spark.driver.resource.<name>.discoveryScript` find.

    A script prints `{"name": …, "addresses": […]}`.

    Raises
    ------
    ValueError
        A script is missing, fails, or finds less than `spark.driver.resource.<name>.amount`.
    """
    found = {}
    for key, text in conf.items():
        if key.startswith(_PREFIX) and key.endswith(".amount"):
            name = key.removeprefix(_PREFIX).removesuffix(".amount")
            found[name] = _discover(name, int(text), conf)
    return found


def _discover(name: str, amount: int, conf: Mapping[str, str]) -> ResourceInformation:
    key = f"{_PREFIX}{name}.discoveryScript"
    script = conf.get(key)
    if not script:
        raise ValueError(f"{_PREFIX}{name}.amount is set, so {key} must be set too")
    try:
        answer = subprocess.run([script], check=True, capture_output=True, text=True, timeout=60)
        told = json.loads(answer.stdout)
        kind, addresses = told["name"], [str(each) for each in told["addresses"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{key} ({script}) did not tell of a resource: {error}") from error
    if kind != name or len(addresses) < amount:
        raise ValueError(
            f"{key} ({script}) found {len(addresses)} of {kind!r}, but {amount} of {name!r} are set"
        )
    return ResourceInformation(name, addresses)

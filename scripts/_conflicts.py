"""Which declared requirements what is installed does not meet; run by the Python of ``.venv``.

`pip check` does not look at extras. Here those of what the service runs with count too, where the
package that they name is locked for it: it is then used together, whoever asked for it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def names_in(requirements: Path) -> set[str]:
    """The packages of a locked file."""
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", requirements.read_text(), re.M)}


def conflicts(runtime: set[str]) -> list[str]:
    """A line for each requirement that is not met; ``runtime``: what the service runs with."""
    by_name = {canonicalize_name(installed.metadata["Name"]): installed for installed in distributions()}
    return sorted(
        line for distribution in by_name.values() for line in _unmet(distribution, by_name, runtime)
    )


def _unmet(distribution: Distribution, by_name: dict[str, Distribution], runtime: set[str]) -> Iterator[str]:
    name = canonicalize_name(distribution.metadata["Name"])
    for requirement in map(Requirement, distribution.requires or []):
        required = canonicalize_name(requirement.name)
        extras = distribution.metadata.get_all("Provides-Extra") or [] if {name, required} <= runtime else []
        is_active = any(
            requirement.marker is None or requirement.marker.evaluate({"extra": extra})
            for extra in ["", *extras]
        )
        if (
            is_active
            and required in by_name
            and not requirement.specifier.contains(by_name[required].version, True)
        ):
            yield f"{name} {distribution.version} wants {requirement}, locked is {by_name[required].version}"


if __name__ == "__main__":
    lines = conflicts(names_in(Path(sys.argv[1])))
    print("\n".join(lines))
    sys.exit(1 if lines else 0)

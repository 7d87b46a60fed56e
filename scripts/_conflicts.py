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
    found = {canonicalize_name(one.metadata["Name"]): one for one in distributions()}
    return sorted(line for one in found.values() for line in _unmet(one, found, runtime))


def _unmet(one: Distribution, found: dict[str, Distribution], runtime: set[str]) -> Iterator[str]:
    name = canonicalize_name(one.metadata["Name"])
    for requirement in map(Requirement, one.requires or []):
        wanted = canonicalize_name(requirement.name)
        extras = one.metadata.get_all("Provides-Extra") or [] if {name, wanted} <= runtime else []
        asked = any(
            requirement.marker is None or requirement.marker.evaluate({"extra": extra})
            for extra in ["", *extras]
        )
        if asked and wanted in found and not requirement.specifier.contains(found[wanted].version, True):
            yield f"{name} {one.version} wants {requirement}, locked is {found[wanted].version}"


if __name__ == "__main__":
    lines = conflicts(names_in(Path(sys.argv[1])))
    print("\n".join(lines))
    sys.exit(1 if lines else 0)

"""The list of everything that ships (SBOM) as CycloneDX 1.6; run by the Python of ``.venv``.

    .venv/bin/python scripts/_sbom.py SOURCE VERSION COMMIT SECONDS

Prints JSON: the Python packages of requirements.txt with the files that are allowed, who needs whom, and
the files of other projects in extension/vendor. SECONDS is the time of the commit. It looks at nothing but
the files in SOURCE, so the same commit gives the same bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

# A package of a locked file with the lines that belong to it, and who needs it.
_PACKAGE = re.compile(r"^([\w.-]+)==([^\s;]+).*\n((?: {4}.*\n)*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NEEDED_BY = re.compile(r"^ {4}#(?: via|  ) ([\w.-]+)", re.MULTILINE)
# A row of extension/vendor/README.md: file, registry, package, version, licence, sum. The rows of licences
# and of types, which do not ship, have no licence there.
_VENDOR_ROW = re.compile(
    r"^\| `([^`]+)` \| (npm|PyPI) `([^`]+)` ([\d.]+), `[^`]+`"
    r" \| ([^|;]+)(?:; used under \S+)? \| `(\w{64})` \|$",
    re.MULTILINE,
)


def bom_of(source: Path, version: str, commit: str, seconds: int) -> Bom:
    """What ships with the sources in ``source``; ``seconds`` is UTC.

    Raises KeyError if a package is needed by one that is not there.
    """
    licences = LicenseFactory()
    root = Component(
        name="saver",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="saver",
        licenses=[licences.make_from_string("MIT")],
    )
    # A time of now or a random number would make each list another one.
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"saver {version} {commit}"),
        metadata=BomMetaData(component=root, timestamp=datetime.fromtimestamp(seconds, UTC)),
    )
    bom.metadata.tools.components.add(this_component())
    packages = _PACKAGE.findall((source / "requirements.txt").read_text())
    components = {"saver": root} | {name: _locked(name, number, rest) for name, number, rest in packages}
    needed: dict[str, list[Component]] = {name: [] for name in components}
    for name, _, rest in packages:
        for requirer in _NEEDED_BY.findall(rest):
            needed[requirer].append(components[name])
    vendored = list(_vendored(source, licences))
    needed["saver"] += vendored
    bom.components = [*(components[name] for name, *_ in packages), *vendored]
    for name, component in components.items():
        bom.register_dependency(component, needed[name])
    return bom


def _locked(name: str, version: str, rest: str) -> Component:
    purl = PackageURL("pypi", None, name, version)
    # One of several files is installed, so their sums are not sums of the package.
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(purl)),
        comment="the files that scripts/lock allows",
        hashes=[_sha256(found) for found in _HASH.findall(rest)],
    )
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl), external_references=[files])


def _vendored(source: Path, licences: LicenseFactory) -> Iterator[Component]:
    table = (source / "extension" / "vendor" / "README.md").read_text("utf-8")
    for file, registry, package, version, licence, digest in _VENDOR_ROW.findall(table):
        group, _, name = package.rpartition("/")
        purl = PackageURL(registry.lower(), group or None, name, version)
        yield Component(
            name=name,
            group=group or None,
            version=version,
            purl=purl,
            bom_ref=str(purl),
            description=f"only its file that is extension/vendor/{file} here",
            licenses=[licences.make_from_string(licence)],
            hashes=[_sha256(digest)],
        )


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def validated(document: str) -> str:
    """The document, if it is CycloneDX 1.6. Raises ValueError with what is wrong."""
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(document):
        raise ValueError(f"no CycloneDX 1.6: {error}")
    return document


def main(source: str, version: str, commit: str, seconds: str) -> None:
    bom = bom_of(Path(source), version, commit, int(seconds))
    print(validated(JsonV1Dot6(bom).output_as_string(indent=2)))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The shipped files with an operator's values; secrets and a certificate for one run."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.system.checks import BrokenError, run

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
NAME = "www.example.org"
_P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def fill(source: Path, target: Path, changes: Mapping[str, object], owner: str = "root") -> None:
    """Copy a shipped file with changes; each text to replace must be in the file."""
    text = source.read_text()
    for old, new in changes.items():
        if old not in text:
            raise BrokenError(f"{source.name} has no {old!r}")
        text = text.replace(old, str(new))
    target.touch(mode=0o600)
    target.write_text(text)
    shutil.chown(target, owner, owner)


class Secrets:
    """The secrets of one cluster."""

    def __init__(self) -> None:
        self.server = secrets.token_urlsafe(32)
        self.database = secrets.token_hex(16)
        self.redis = secrets.token_hex(16)
        self.patroni = secrets.token_hex(16)
        self.postgres = secrets.token_hex(16)
        self.replicator = secrets.token_hex(16)
        self.rewinder = secrets.token_hex(16)


def certify(folder: Path) -> None:
    """An authority, ``authority.pem``, and HAProxy's ``saver.pem``: certificate and key in one file."""
    authority, key = folder / "authority.pem", folder / "authority.key"
    run("openssl", "req", "-x509", *_P256, "-keyout", key, "-out", authority, "-subj", "/CN=saver's cluster")
    made, its = folder / "saver.crt", folder / "saver.key"
    by = ("-CA", authority, "-CAkey", key)
    what = ("-addext", f"subjectAltName=DNS:{NAME}", "-addext", "basicConstraints=critical,CA:FALSE")
    run("openssl", "req", "-x509", *_P256, "-keyout", its, *by, *what, "-subj", f"/CN={NAME}", "-out", made)
    both = folder / "saver.pem"
    both.touch(mode=0o600)
    both.write_text(made.read_text() + its.read_text())
    its.unlink()

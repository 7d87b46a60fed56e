"""The published test vectors of sealed texts, and how the tests read and make one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from saver import seal
from saver.seal import Keys, Seal
from tests.support.server import ROOT
from tests.vectors import make

FILE = ROOT / "tests" / "vectors" / "sealed-text.json"
VECTORS = json.loads(FILE.read_text("utf-8"))
TEXTS = {vector["name"]: vector for vector in VECTORS["texts"]}
SALT = b"sixteen bytes..."
KEYS = Keys(bytes(range(32)), bytes(32))
Vector = dict[str, Any]


@cache
def derived(password: str, salt: str, iterations: int) -> Keys:
    """Derive keys, once for all tests: each derivation takes a fifth of a second."""
    return seal.derive(password, Seal(seal.decode(salt), iterations))


def keys_of(vector: Vector) -> Keys:
    return derived(vector["passwords"][0], vector["salt"], vector["iterations"])


def text_of(vector: Vector) -> str:
    text: str = vector.get("text") or vector["repeat"] * vector["times"]
    return text


def closed(vector: Vector) -> str:
    """Seal the text of a vector again."""
    params = Seal(seal.decode(vector["salt"]), vector["iterations"])
    return seal.encrypt(text_of(vector), params, keys_of(vector), seal.decode(vector["nonce"]))


def jwe_of(vector: Vector) -> str:
    jwe: str = vector.get("jwe") or closed(vector)
    return jwe


def protected(**changed: object) -> str:
    """A header with other parameters than it may have."""
    kdf = {"name": seal.KDF_NAME, "iterations": seal.ITERATIONS, "salt": seal.encode(SALT), **changed}
    return seal.encode(make.compact({"alg": "dir", "enc": "A256GCM", "kdf": kdf}).encode())

"""The published test vectors of live transfers, and how the tests read them."""

from __future__ import annotations

import json
from typing import Any

from saver import seal
from saver.live_transfer.exchange import Secret
from tests.support.server import ROOT

FOLDER = ROOT / "tests" / "vectors"
FILE = FOLDER / "live-transfer.json"
VECTORS = json.loads(FILE.read_text("utf-8"))
DRAFT = json.loads((FOLDER / "cpace-x25519.json").read_text("utf-8"))
EXCHANGES = {vector["name"]: vector for vector in VECTORS["exchanges"]}
REFUSED = VECTORS["refused"]
Vector = dict[str, Any]


def secret_of(vector: Vector) -> Secret:
    return Secret(vector["letters"], vector["service"], vector["number"], vector["maker_role"])


def raw(vector: Vector, name: str) -> bytes:
    return seal.decode(vector[name])

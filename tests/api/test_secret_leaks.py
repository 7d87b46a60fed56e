"""Marked codes, texts, passwords, tokens and proofs are searched for in all that is stored or logged."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from saver import seal
from saver.codes import Code
from saver.logs import stderr_handler
from saver.seal import Keys, Seal
from tests.support.snapshot import put_codes

# Each round has a code, a text, a proof and a token.
# 10,000 marks: CANARIES=2500 ./scripts/test tests/api/test_secret_leaks.py
COUNT = int(os.environ.get("CANARIES", "250"))
START = 12
ADDRESS = "203.0.113.77"


def sealed(random: Random, text: str) -> tuple[str, str]:
    """A text as a client seals it: its JWE and its proof. The key is random, as a derived one is."""
    keys = Keys(random.randbytes(32), random.randbytes(32))
    jwe = seal.encrypt(text, Seal(random.randbytes(16)), keys, random.randbytes(12))
    return jwe, seal.encode(keys.proof)


def found(data: bytes, canaries: list[bytes]) -> set[bytes]:
    """The marks that are in the data; found by their first bytes, so that thousands take one pass."""
    starts = {canary[:START] for canary in canaries}
    return {data[place : place + START] for place in range(len(data))} & starts


def test_the_search_finds_what_is_there() -> None:
    assert found(b"..0123456789abcdef..", [b"0123456789abcdef", b"absent canary"]) == {
        b"0123456789abcdef"[:START]
    }


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """What is logged at any level, in the format that is the fixture's parameter."""
    caplog.set_level(logging.DEBUG)
    stream, handler = StringIO(), stderr_handler(request.param)
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("logged", ["text", "json"], indirect=True)
def test_no_canary_is_found(
    make_app: Callable[..., Flask], tmp_path: Path, caplog: pytest.LogCaptureFixture, logged: StringIO
) -> None:
    app = make_app(log_level="DEBUG")
    data = tmp_path / "data"
    put_codes(data / "saver.db", [Code.nth(5_000 + number * 7) for number in range(COUNT)])
    random = Random(9)
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = ADDRESS
    secrets: list[str] = []
    codes: list[str] = []
    answers: list[str] = []
    for number in range(COUNT):
        text = f"CANARYTEXT{number:06}"
        jwe, proof = sealed(random, text)
        written = client.post("/api/v1/write", json={"text": jwe, "proof": proof}).json
        code, token = written["code"], written["owner_token"]
        codes.append(code)
        secrets += [text, proof, token]
        right = {"code": code, "proof": proof}
        assert client.post("/api/v1/load", json=right).json["text"] == jwe
        for path, body in (
            ("load", {"code": code, "proof": seal.encode(random.randbytes(32))}),
            ("load", {**right, "password": f"CANARYPASS{number}"}),
            ("load", {**right, "claim": token}),
            ("status", {"code": code, "owner_token": proof}),
            ("extend", {"code": code, "owner_token": token, "expires_in": -1}),
            ("write", {"text": text, "proof": proof}),
            ("write", {"text": text + "\0"}),
            ("delete", {"code": code + "x", "owner_token": token}),
        ):
            answer = client.post(f"/api/v1/{path}", json=body)
            assert 400 <= answer.status_code < 500
            answers.append(answer.text)
    # A fault in the app, of which the log has the place.
    app.view_functions["v1.limits"] = lambda: str(int(secrets[0]))
    assert client.get("/api/v1/limits").status_code == 500
    assert "unexpected ValueError" in logged.getvalue()
    operator = {"REMOTE_ADDR": "127.0.0.1"}
    shown = [client.get(path, environ_overrides=operator).text for path in ("/metrics", "/readyz")]
    assert "saver_requests_total" in shown[0]
    said = "\n".join([*answers, caplog.text, logged.getvalue(), *shown])
    assert ADDRESS not in said
    assert found(said.encode(), [canary.encode() for canary in secrets]) == set()
    assert "CANARY" not in said
    assert set(re.findall(r"(?<![\w-])[a-zA-Z]{4}(?![\w-])", said)).isdisjoint(codes)

    backup = tmp_path / "backup.db"
    with sqlite3.connect(data / "saver.db") as database, sqlite3.connect(backup) as copy:
        database.backup(copy)
    stored = b"".join(path.read_bytes() for path in [*data.iterdir(), backup] if path.name != "secret_key")
    assert b"CANARY" not in stored
    raw = [seal.decode(canary) for canary in secrets if not canary.startswith("CANARY")]
    assert found(stored, [*raw, *(canary.encode() for canary in secrets)]) == set()

"""The text of a live transfer: read once with the proof, and hidden from everybody else."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from saver import seal
from tests.conftest import ALL_DATABASES
from tests.support.snapshot import Database, query

DATABASES = ALL_DATABASES
KEY, PROOF = bytes(32), seal.encode(bytes([1] * 32))
JWE = seal.encrypt_under(seal.LIVE_HEADER, "handed over", KEY, bytes(12))
WRITE = {"text": JWE, "proof": PROOF, "once": True, "expires_in": 600}
CLAIM = str(UUID(int=1))


def write(client: FlaskClient) -> str:
    written = client.post("/api/v1/write", json=WRITE)
    assert written.status_code == 201, written.text
    return str(written.json["code"])


def test_it_is_read_once_with_the_proof(client: FlaskClient, database: Database) -> None:
    code = write(client)
    asked = {"code": code, "proof": PROOF, "claim": CLAIM}
    loaded = client.post("/api/v1/load", json=asked).json
    assert (loaded["sealed"], loaded["once"]) == (True, True)
    assert seal.decrypt(loaded["text"], KEY, live=True) == "handed over"
    assert query(database, "SELECT seal FROM text") == [(seal.LIVE_HEADER,)]
    assert client.post("/api/v1/ack", json={"code": code, "claim": CLAIM}).status_code == 204
    assert client.post("/api/v1/load", json=asked).status_code == 404


@pytest.mark.parametrize("more", [{}, {"password": "right"}, {"proof": seal.encode(bytes(32))}])
def test_its_404_is_that_of_a_code_without_a_text(client: FlaskClient, more: dict[str, str]) -> None:
    def refused(code: str) -> bytes:
        answer = client.post("/api/v1/load", json={"code": code, **more})
        assert answer.status_code == 404
        return bytes(answer.data)

    before = {one: refused(one) for one in ("aaaa", "aAbB", "wUrp", "ZZZZ")}
    code = write(client)
    assert refused(code) == before[code]


@pytest.mark.parametrize("once", [{}, {"once": False}])
def test_it_must_be_a_one_time_text(client: FlaskClient, once: dict[str, bool]) -> None:
    asked = {"text": JWE, "proof": PROOF, **once}
    refused = client.post("/api/v1/write", json=asked)
    assert refused.status_code == 422
    rule = "must be true for a text of a live transfer"
    assert refused.json["errors"] == [{"pointer": "/once", "detail": rule}]


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"dir","enc":"A256GCM","kdf":{"name":"CPACE-X25519-SHA512","salt":"AAAA"}}',
        '{"enc":"A256GCM","alg":"dir","kdf":{"name":"CPACE-X25519-SHA512"}}',
        '{"alg":"dir","enc":"A256GCM","kdf":{"name": "CPACE-X25519-SHA512"}}',
        '{"alg":"dir","enc":"A256GCM","kdf":{"name":"CPACE-X448"}}',
    ],
)
def test_no_other_header_is_that_of_a_live_transfer(client: FlaskClient, header: str) -> None:
    jwe = seal.encrypt_under(seal.encode(header.encode()), "x", KEY, bytes(12))
    refused = client.post("/api/v1/write", json={**WRITE, "text": jwe})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize(
    "change", [lambda jwe: jwe + ".", lambda jwe: jwe[:-1], lambda jwe: jwe.replace("..", ".x.")]
)
def test_the_rest_of_the_jwe_is_checked_too(client: FlaskClient, change: object) -> None:
    assert callable(change)
    refused = client.post("/api/v1/write", json={**WRITE, "text": change(JWE)})
    assert refused.json["errors"][0]["pointer"] == "/text"

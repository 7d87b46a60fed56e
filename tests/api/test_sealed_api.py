"""Texts that the client sealed: the server cannot read them, and returns one only for the right proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver import seal
from saver.seal import Keys, Seal
from tests.conftest import ALL_DATABASES

DATABASES = ALL_DATABASES

PASSWORD = "four easy words here"
SALT, NONCE = bytes(range(16)), bytes(range(12))


@pytest.fixture(scope="module")
def keys() -> Keys:
    return seal.derive(PASSWORD, Seal(SALT))


@pytest.fixture
def jwe(keys: Keys) -> str:
    return seal.encrypt("sealed here", Seal(SALT), keys, NONCE)


def proof(keys: Keys) -> str:
    return seal.encode(keys.proof)


def write(client: FlaskClient, **body: object) -> TestResponse:
    return client.post("/api/v1/write", json=body)


def load(client: FlaskClient, **body: object) -> TestResponse:
    return client.post("/api/v1/load", json=body)


def test_a_sealed_text_comes_back_sealed_against_its_proof(client: FlaskClient, keys: Keys, jwe: str) -> None:
    code = write(client, text=jwe, proof=proof(keys), expires_in=2_592_000).json["code"]
    loaded = load(client, code=code, proof=proof(keys)).json
    assert (loaded["text"], loaded["sealed"]) == (jwe, True)
    assert seal.decrypt(loaded["text"], keys.key) == "sealed here"
    for wrong in ({}, {"proof": seal.encode(bytes(32))}, {"password": "wrong"}):
        missed = load(client, code=code, **wrong)
        assert missed.status_code == 404
        assert missed.json["seal"] == Seal(SALT).as_json()


def test_either_kind_of_client_opens_either_kind_of_text(client: FlaskClient, keys: Keys, jwe: str) -> None:
    by_client = write(client, text=jwe, proof=proof(keys)).json["code"]
    opened = load(client, code=by_client, password=PASSWORD).json
    assert (opened["text"], opened["sealed"]) == ("sealed here", False)
    assert (
        client.post("/load/", json={"ldcode": by_client, "ldpassword": PASSWORD}).json["message"]
        == "sealed here"
    )

    by_server = write(client, text="sealed there", password=PASSWORD).json["code"]
    shown = load(client, code=by_server).json["seal"]
    params = Seal(seal.decode(shown["salt"]), shown["iterations"], shown["name"])
    derived = seal.derive(PASSWORD, params)
    sealed = load(client, code=by_server, proof=proof(derived)).json
    assert sealed["sealed"]
    assert seal.decrypt(sealed["text"], derived.key) == "sealed there"


def test_an_open_text_needs_no_proof(client: FlaskClient, keys: Keys) -> None:
    code = write(client, text="open").json["code"]
    assert load(client, code=code, proof=proof(keys)).json["sealed"] is False


BROKEN: dict[str, str | Callable[[str], str]] = {
    "plain text": "hello",
    "four parts": "a.b.c.d",
    "an encrypted key": lambda jwe: jwe.replace("..", ".AAAA.", 1),
    "a header that is no JSON": lambda jwe: "AAAA" + jwe[jwe.index(".") :],
    "a short nonce": lambda jwe: jwe.replace(jwe.split(".")[2], "AAAA"),
    "a short tag": lambda jwe: jwe[: jwe.rindex(".")] + ".AAAA",
    "no ciphertext": lambda jwe: ".".join([*jwe.split(".")[:3], "", jwe.split(".")[4]]),
    "foreign characters": lambda jwe: jwe + "!",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_jwe_is_422_and_named(
    client: FlaskClient, keys: Keys, jwe: str, broken: str | Callable[[str], str]
) -> None:
    text = broken if isinstance(broken, str) else broken(jwe)
    refused = write(client, text=text, proof=proof(keys))
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["/text"]
    assert refused.json["errors"][0]["detail"].startswith("is no sealed text: ")


@pytest.mark.parametrize("iterations", [1, 599_999, 10_000_001, 1_000_000_000])
def test_a_weak_or_endless_derivation_is_refused(
    client: FlaskClient, keys: Keys, jwe: str, iterations: int
) -> None:
    header, _dot, rest = jwe.partition(".")
    weak = seal.decode(header).replace(b"600000", str(iterations).encode())
    refused = write(client, text=f"{seal.encode(weak)}.{rest}", proof=proof(keys))
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/text")


@pytest.mark.parametrize("bad", ["", "AAAA", "A" * 42, "A" * 44, "!" * 43, 7])
def test_a_proof_is_32_bytes(client: FlaskClient, jwe: str, bad: object) -> None:
    for refused in (write(client, text=jwe, proof=bad), load(client, code="aaaa", proof=bad)):
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == ["/proof"]


def test_a_proof_and_a_password_are_one_too_many(client: FlaskClient, keys: Keys, jwe: str) -> None:
    for refused in (
        write(client, text=jwe, proof=proof(keys), password="x"),
        load(client, code="aaaa", proof=proof(keys), password="x"),
    ):
        assert refused.status_code == 422
        assert refused.json["errors"][0]["pointer"] == "/proof"


def test_a_wrongly_sealed_text_is_reported_and_no_server_error(
    client: FlaskClient, keys: Keys, jwe: str
) -> None:
    parts = jwe.split(".")
    code = write(client, text=".".join([*parts[:3], "AAAA", parts[4]]), proof=proof(keys)).json["code"]
    refused = load(client, code=code, password=PASSWORD)
    assert (refused.status_code, refused.json["type"]) == (422, "urn:saver:problem:broken-seal")


def test_a_sealed_text_is_as_large_as_an_open_one(client: FlaskClient, keys: Keys) -> None:
    largest = seal.encrypt("x" * 1_048_576, Seal(SALT), keys, NONCE)
    assert write(client, text=largest, proof=proof(keys)).status_code == 201
    larger = seal.encrypt("x" * 1_048_577, Seal(SALT), keys, NONCE)
    refused = write(client, text=larger, proof=proof(keys))
    rule = "must be at most 1048576 bytes of UTF-8"
    assert (refused.status_code, refused.json["errors"]) == (413, [{"pointer": "/text", "detail": rule}])

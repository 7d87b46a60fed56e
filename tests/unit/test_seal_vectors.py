"""Sealed texts against the published test vectors, another library, and the JavaScript of the extension."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import urlsafe_b64decode
from hashlib import sha256

import pytest
from joserfc import jwe as jose
from joserfc.jwk import OctKey

from saver import seal
from saver.seal import BadSealError, Keys, Seal
from tests.support.node import NODE
from tests.support.server import ROOT
from tests.support.vectors import (
    FILE,
    KEYS,
    SALT,
    TEXTS,
    VECTORS,
    Vector,
    closed,
    derived,
    jwe_of,
    keys_of,
    protected,
    text_of,
)
from tests.vectors import make

REFUSED = {vector["name"]: vector for vector in VECTORS["refused"]}
FIRST = TEXTS["ASCII"]
# Faults that only a reader with the key can see.
WITH_KEY = {"does not open with this key", "text: must be UTF-8", None}
MESSAGE = re.compile(r"[a-zA-Z0-9, :-]+")


def raw(text: str) -> bytes:
    """Base64url as the standard library reads it."""
    return urlsafe_b64decode(text + "==")


class TestTheVectors:
    def test_the_file_is_what_its_script_makes(self) -> None:
        assert make.document() == FILE.read_text("utf-8")

    def test_the_script_derives_as_rfc_5869_says(self) -> None:
        okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        assert make.hkdf(b"\x0b" * 22, b"").hex() == okm

    @pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
    def test_every_password_yields_the_keys(self, vector: Vector) -> None:
        for password in vector["passwords"]:
            keys = derived(password, vector["salt"], vector["iterations"])
            assert keys == Keys(raw(vector["key"]), raw(vector["proof"]))
        assert seal.parse_proof(vector["proof"]) == keys.proof
        assert seal.hash_proof(keys.proof) == raw(vector["proof_sha256"])

    @pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
    def test_a_text_is_sealed_to_the_byte(self, vector: Vector) -> None:
        jwe = closed(vector)
        if vector["name"] == "members in another order":
            assert jwe != vector["jwe"]
        elif "jwe" in vector:
            assert jwe == vector["jwe"]
        else:
            assert sha256(jwe.encode()).digest() == raw(vector["jwe_sha256"])

    @pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
    def test_a_text_is_opened_to_the_byte(self, vector: Vector) -> None:
        opened = seal.decrypt(jwe_of(vector), keys_of(vector).key)
        assert opened.encode() == text_of(vector).encode()
        assert seal.size(jwe_of(vector)) == len(opened.encode())

    @pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
    def test_the_parameters_are_read(self, vector: Vector) -> None:
        params = Seal.from_protected(vector["protected"])
        assert params == Seal(raw(vector["salt"]), vector["iterations"])
        if vector["iterations"] == seal.ITERATIONS:
            assert seal.check(jwe_of(vector)) == params
        else:
            with pytest.raises(BadSealError, match="iterations must be 600000 for this service"):
                seal.check(vector["jwe"])

    @pytest.mark.parametrize("vector", REFUSED.values(), ids=REFUSED)
    def test_a_fault_is_refused_by_its_rule(self, vector: Vector) -> None:
        key = derived(vector["password"], FIRST["salt"], FIRST["iterations"]).key
        with pytest.raises(BadSealError) as refused:
            seal.decrypt(vector["jwe"], key)
        assert str(refused.value) == (vector["rule"] or str(refused.value))
        assert MESSAGE.fullmatch(str(refused.value))
        if vector["rule"] not in WITH_KEY:
            with pytest.raises(BadSealError, match=re.escape(vector["rule"])):
                seal.check(vector["jwe"])

    def test_the_parameters_of_a_404_are_accepted_or_refused(self) -> None:
        for params in VECTORS["parameters"]["accepted"]:
            assert Seal.from_protected(protected(**params)).as_json() == params
        for vector in VECTORS["parameters"]["refused"]:
            with pytest.raises(BadSealError) as refused:
                Seal.from_protected(protected(**vector["parameters"]))
            assert str(refused.value) == vector["rule"]

    def test_no_nonce_and_no_salt_is_there_twice(self) -> None:
        for name in ("nonce", "salt"):
            assert len({vector[name] for vector in TEXTS.values()}) == len(TEXTS)


class TestAnotherLibrary:
    """joserfc implements JWE and knows nothing of saver; it is configured to accept the member ``kdf``."""

    registry = jose.JWERegistry(strict_check_header=False)
    registry.max_ciphertext_length = 1_000_000

    @pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
    def test_it_opens_what_is_sealed_here(self, vector: Vector) -> None:
        key = OctKey.import_key(raw(vector["key"]))
        opened = jose.decrypt_compact(jwe_of(vector), key, registry=self.registry)
        assert opened.plaintext == text_of(vector).encode()
        assert opened.headers()["kdf"]["iterations"] == vector["iterations"]

    def test_what_it_seals_is_opened_here(self) -> None:
        header = {"enc": "A256GCM", "kdf": Seal(SALT).as_json(), "alg": "dir"}
        key = OctKey.import_key(KEYS.key)
        jwe = jose.encrypt_compact(header, "by joserfc 한글".encode(), key, registry=self.registry)
        assert seal.check(jwe) == Seal(SALT)
        assert seal.decrypt(jwe, KEYS.key) == "by joserfc 한글"


SCRIPT = """
import { text } from "node:stream/consumers";
const { deriveKeys, open, seal } = await import(process.argv[1]);
const { password, parameters, jwes, texts } = JSON.parse(await text(process.stdin));
const keys = await deriveKeys(password, parameters);
const opened = [];
for (const jwe of jwes) opened.push(await open(jwe, keys));
const sealed = [];
for (const each of texts) sealed.push(await seal(each, password));
process.stdout.write(JSON.stringify({ proof: keys.proof, opened, sealed }));
"""
AWKWARD = [
    "x",
    "\ufeffone\r\ntwo\rthree\n\ufeff",
    "e\u0301 \u00e9",
    "👩‍👩‍👧 한글 \u202e",
    "\1\u2028",
    "줄\r\n" * 30_000,
]


def test_javascript_opens_what_is_sealed_here_and_the_other_way_round() -> None:
    password = "비밀 cafe\u0301 🔑"
    params = Seal(SALT)
    keys = derived(password, seal.encode(SALT), seal.ITERATIONS)
    jwes = [
        seal.encrypt(text, params, keys, number.to_bytes(12)) for number, text in enumerate([*AWKWARD, "end"])
    ]
    given_ = {"password": password, "parameters": params.as_json(), "jwes": jwes, "texts": AWKWARD[:3]}
    path = (ROOT / "extension" / "core" / "seal.js").as_uri()
    run = subprocess.run(
        [NODE, "--input-type=module", "--eval", SCRIPT, path],
        input=json.dumps(given_).encode(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr.decode()
    answer = json.loads(run.stdout)
    assert answer["opened"] == [*AWKWARD, "end"]
    assert seal.parse_proof(answer["proof"]) == keys.proof
    for text, sealed in zip(AWKWARD, answer["sealed"], strict=False):
        found = derived(password, seal.encode(seal.check(sealed["jwe"]).salt), seal.ITERATIONS)
        assert seal.decrypt(sealed["jwe"], found.key) == text
        assert seal.parse_proof(sealed["proof"]) == found.proof
    salts = {seal.check(sealed["jwe"]).salt for sealed in answer["sealed"]}
    assert len(salts) == len(answer["sealed"])

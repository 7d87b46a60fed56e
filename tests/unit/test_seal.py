"""Sealed texts: docs/sealed-text.md, held against its vectors, another library and JavaScript."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import urlsafe_b64decode
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as jose
from joserfc.jwk import OctKey

from saver import key_deriver, seal
from saver.key_deriver import BusyError, KeyDeriver
from saver.seal import BadSealError, Keys, Seal
from tests.support.node import NODE
from tests.support.server import ROOT
from tests.vectors import make

FILE = ROOT / "tests" / "vectors" / "sealed-text.json"
VECTORS = json.loads(FILE.read_text("utf-8"))
TEXTS = {vector["name"]: vector for vector in VECTORS["texts"]}
REFUSED = {vector["name"]: vector for vector in VECTORS["refused"]}
FIRST = TEXTS["ASCII"]
# What only a reader with the key can see.
WITH_KEY = {"does not open with this key", "text: must be UTF-8", None}
MESSAGE = re.compile(r"[a-zA-Z0-9, :-]+")

SALT = b"sixteen bytes..."
KEYS = Keys(bytes(range(32)), bytes(32))
NONCE = b"twelve bytes"
any_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200
)

Vector = dict[str, Any]


@cache
def derived(password: str, salt: str, iterations: int) -> Keys:
    """Derived once for all tests: each costs a fifth of a second."""
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


def raw(text: str) -> bytes:
    """Base64url as the standard library reads it."""
    return urlsafe_b64decode(text + "==")


def protected(**changed: object) -> str:
    """A header with other parameters than it may have."""
    kdf = {"name": seal.KDF_NAME, "iterations": seal.ITERATIONS, "salt": seal.encode(SALT), **changed}
    return seal.encode(make.compact({"alg": "dir", "enc": "A256GCM", "kdf": kdf}).encode())


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
    """joserfc knows JWE and nothing of saver; ``kdf`` is a member that it is told to let pass."""

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


# Round trips


@settings(deadline=None)
@given(text=any_text, key=st.binary(min_size=32, max_size=32), nonce=st.binary(min_size=12, max_size=12))
def test_text_out_is_text_in(text: str, key: bytes, nonce: bytes) -> None:
    jwe = seal.encrypt(text, Seal(SALT), Keys(key, bytes(32)), nonce)
    assert seal.check(jwe) == Seal(SALT)
    assert seal.decrypt(jwe, key).encode() == text.encode()
    assert seal.size(jwe) == len(text.encode())


def test_a_text_with_nul_is_not_sealed() -> None:
    with pytest.raises(BadSealError, match="text: must not contain NUL"):
        seal.encrypt("a\0b", Seal(SALT), KEYS, NONCE)


GOOD = seal.encrypt("a text of some length", Seal(SALT), KEYS, NONCE)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters(), st.sampled_from(["change", "insert", "drop"]))
def test_no_character_can_be_changed(place: int, character: str, how: str) -> None:
    head, tail = GOOD[:place], GOOD[place + (how != "insert") :]
    changed = head + ("" if how == "drop" else character) + tail
    if changed != GOOD:
        with pytest.raises(BadSealError):
            seal.decrypt(changed, KEYS.key)


def test_every_bit_counts() -> None:
    for place, character in enumerate(GOOD):
        for bit in range(7):
            changed = GOOD[:place] + chr(ord(character) ^ 1 << bit) + GOOD[place + 1 :]
            with pytest.raises(BadSealError):
                seal.decrypt(changed, KEYS.key)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_another_key_opens_nothing(key: bytes) -> None:
    if key != KEYS.key:
        with pytest.raises(BadSealError):
            seal.decrypt(GOOD, key)


# The door


@settings(deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.text(max_size=40), min_size=5, max_size=5).map(".".join)))
def test_whatever_comes_is_refused_by_one_error(given_: str) -> None:
    for refuse in (seal.check, Seal.from_protected, seal.parse_proof):
        with pytest.raises(BadSealError):
            refuse(given_)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(["name", "iterations", "salt", "more"]), json_values)
def test_a_member_of_any_kind_is_refused(name: str, value: object) -> None:
    accepted = (
        {"iterations": seal.MIN_ITERATIONS <= value <= seal.MAX_ITERATIONS} if type(value) is int else {}
    )
    if not accepted.get(name):
        with pytest.raises(BadSealError):
            Seal.from_protected(protected(**{name: value}))


def test_a_deep_header_is_refused() -> None:
    with pytest.raises(BadSealError):
        Seal.from_protected(seal.encode(b"[" * 384))


def test_many_dots_cost_nothing() -> None:
    with pytest.raises(BadSealError, match="five parts"):
        seal.check("." * 2_000_000)


CANARY = "CANARIES"


@pytest.mark.parametrize("part", range(5))
def test_a_refusal_never_repeats_what_was_given(part: int) -> None:
    parts = GOOD.split(".")
    for wrong in (CANARY, f"{CANARY}!", f"{CANARY}\n", seal.encode(f'{{"{CANARY}":1}}'.encode())):
        parts[part] = wrong
        with pytest.raises(BadSealError) as refused:
            seal.decrypt(".".join(parts), KEYS.key)
        shown: BaseException | None = refused.value
        while shown:  # what led to it would stand in a traceback
            assert CANARY not in str(shown)
            shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "A",
        "A" * 42,
        "A" * 44,
        "A" * 42 + "B",
        "A" * 43 + "=",
        "A" * 42 + "+",
        "A" * 42 + "/",
        " " + "A" * 43,
    ],
)
def test_a_proof_is_32_bytes_in_base64url(wrong: str) -> None:
    assert seal.parse_proof("A" * 43) == bytes(32)
    with pytest.raises(BadSealError, match="proof: must be 32 bytes in base64url"):
        seal.parse_proof(wrong)


# Parameters


@pytest.mark.parametrize(
    "iterations", [1, 0, -600_000, 599_999, 10_000_001, 10**9, 600_000.0, True, "600000", None]
)
def test_no_seal_is_weaker_than_the_floor_or_dearer_than_the_ceiling(iterations: Any) -> None:
    with pytest.raises(BadSealError):
        Seal(SALT, iterations)


@pytest.mark.parametrize("salt", [b"", b"short", bytes(15), bytes(17), bytes(64)])
def test_a_salt_has_16_bytes(salt: bytes) -> None:
    with pytest.raises(BadSealError):
        Seal(salt)


def test_nothing_is_derived_before_the_parameters_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[int] = []
    monkeypatch.setattr(seal, "PBKDF2HMAC", lambda hash_, length, salt, cost: costs.append(cost))
    for vector in VECTORS["parameters"]["refused"]:
        with pytest.raises(BadSealError):
            seal.derive("password", Seal.from_protected(protected(**vector["parameters"])))
    assert costs == []
    with pytest.raises(AttributeError):
        seal.derive("password", Seal(SALT))
    assert costs == [seal.ITERATIONS]


def test_a_proof_is_no_key() -> None:
    for vector in TEXTS.values():
        assert len({vector["master"], vector["key"], vector["proof"]}) == 3
        with pytest.raises(BadSealError):
            seal.decrypt(jwe_of(vector), keys_of(vector).proof)


# Base64url


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_bytes_are_encoded_and_decoded(data: bytes) -> None:
    text = seal.encode(data)
    assert re.fullmatch("[A-Za-z0-9_-]*", text)
    assert seal.decode(text) == data


@settings(max_examples=500, deadline=None)
@given(st.text("AQgw_-+/=\n é", max_size=8))
def test_bytes_have_one_form(text: str) -> None:
    try:
        data = seal.decode(text)
    except ValueError:
        return
    assert seal.encode(data) == text


# Places


def test_a_place_is_given_back_whatever_happens() -> None:
    deriver = KeyDeriver(1)
    for _ in range(5):
        with pytest.raises(UnicodeEncodeError):
            deriver.derive("\ud800", Seal(SALT))


def test_beyond_the_bound_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_deriver, "_QUEUE_TIMEOUT", 0.01)
    deriver, refused = KeyDeriver(1), []

    def meanwhile(_password: str, _params: Seal) -> Keys:
        monkeypatch.setattr(key_deriver, "derive", lambda *_: KEYS)
        with pytest.raises(BusyError) as busy:
            deriver.derive("password", Seal(SALT))
        refused.append(busy)
        return KEYS

    monkeypatch.setattr(key_deriver, "derive", meanwhile)
    assert deriver.derive("password", Seal(SALT)) == KEYS
    assert len(refused) == 1
    assert deriver.derive("password", Seal(SALT)) == KEYS


# JavaScript

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


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_the_maximum_length_is_that_of_a_text_behind_the_longest_header(size: int) -> None:
    jwe = seal.encrypt("x" * size, Seal(SALT, seal.ITERATIONS), KEYS, NONCE)
    header = jwe.partition(".")[0]
    assert seal.max_characters(size) == len(jwe) - len(header) + seal._MAX_HEADER_CHARACTERS
    assert len(header) <= seal._MAX_HEADER_CHARACTERS


def test_a_text_with_nul_is_refused_with_the_rule() -> None:
    with pytest.raises(BadSealError, match=r"^text: must not contain NUL$"):
        seal.encrypt("a\0b", Seal(SALT, seal.ITERATIONS), KEYS, NONCE)

"""Sealed texts: round trips, what is refused, parameters, base64url, how many derivations at a time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saver import key_deriver, seal
from saver.key_deriver import BusyError, KeyDeriver
from saver.seal import BadSealError, Keys, Seal
from tests.support.vectors import (
    KEYS,
    SALT,
    TEXTS,
    VECTORS,
    jwe_of,
    keys_of,
    protected,
)

NONCE = b"twelve bytes"
any_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200
)


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


def test_a_live_transfer_has_a_header_of_its_own() -> None:
    header = b'{"alg":"dir","enc":"A256GCM","kdf":{"name":"CPACE-X25519-SHA512"}}'
    assert seal.decode(seal.LIVE_HEADER) == header
    live = seal.encrypt_under(seal.LIVE_HEADER, "한글\r\n", KEYS.key, NONCE)
    assert seal.decrypt(live, KEYS.key, live=True) == "한글\r\n"
    for jwe, is_live in (live, False), (GOOD, True):
        with pytest.raises(BadSealError, match=r"header|kdf"):
            seal.decrypt(jwe, KEYS.key, live=is_live)
    with pytest.raises(BadSealError, match="does not open"):
        seal.decrypt(live, bytes(32), live=True)


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


@settings(deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.text(max_size=40), min_size=5, max_size=5).map(".".join)))
def test_invalid_input_raises_only_bad_seal_errors(given_: str) -> None:
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
        while shown:  # A traceback would show the exception that caused this one.
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


@pytest.mark.parametrize(
    "iterations", [1, 0, -600_000, 599_999, 10_000_001, 10**9, 600_000.0, True, "600000", None]
)
def test_iterations_have_a_minimum_and_a_maximum(iterations: Any) -> None:
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


def test_a_place_is_released_after_an_error() -> None:
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


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_the_maximum_length_is_that_of_a_text_behind_the_longest_header(size: int) -> None:
    jwe = seal.encrypt("x" * size, Seal(SALT, seal.ITERATIONS), KEYS, NONCE)
    header = jwe.partition(".")[0]
    assert seal.max_characters(size) == len(jwe) - len(header) + seal._MAX_HEADER_CHARACTERS
    assert len(header) <= seal._MAX_HEADER_CHARACTERS


def test_a_text_with_nul_is_refused_with_the_rule() -> None:
    with pytest.raises(BadSealError, match=r"^text: must not contain NUL$"):
        seal.encrypt("a\0b", Seal(SALT, seal.ITERATIONS), KEYS, NONCE)

"""The key exchange of a live transfer against the draft's test vectors and those published here."""

from __future__ import annotations

import pytest

from saver import seal
from saver.live_transfer import cpace
from saver.live_transfer.cpace import BadShareError
from saver.live_transfer.exchange import BadTagError, Joiner, Maker, other_role
from saver.seal import BadSealError, Keys
from tests.support.live_vectors import DRAFT, EXCHANGES, FILE, REFUSED, Vector, raw, secret_of
from tests.vectors import make_live

FIRST = EXCHANGES["the maker sends"]
POINTS = DRAFT["X25519_points"]
G = {name: bytes.fromhex(value) for name, value in DRAFT["G_25519"].items()}


def both(vector: Vector, joiner: Vector) -> tuple[Maker, Joiner]:
    """A maker by one vector and a joiner by another."""
    maker = Maker(secret_of(vector), raw(vector, "session"), raw(vector, "scalar_a"))
    return maker, Joiner.answer(
        secret_of(joiner), raw(joiner, "session"), maker.share, raw(joiner, "scalar_b")
    )


def test_the_file_is_what_its_script_makes() -> None:
    assert make_live.document() == FILE.read_text("utf-8")


def test_the_script_makes_the_values_of_the_draft() -> None:
    assert make_live.generator(G["PRS"], G["CI"], G["sid"]) == G["g"]
    assert make_live.x25519(G["ya"], G["g"]) == G["Ya"]
    assert make_live.x25519(G["yb"], G["Ya"]) == G["K"]
    assert make_live.isk_of(G["sid"], G["K"], G["Ya"], G["Yb"], G["ADa"], G["ADb"]) == G["ISK_IR"]


def test_cpace_makes_the_values_of_the_draft() -> None:
    assert cpace.generator(G["PRS"], G["CI"], G["sid"]) == G["g"]
    assert cpace.multiply(G["ya"], G["g"]) == G["Ya"]
    assert cpace.multiply(G["yb"], G["g"]) == G["Yb"]
    assert cpace.multiply(G["ya"], G["Yb"]) == cpace.multiply(G["yb"], G["Ya"]) == G["K"]
    isk = cpace.session_key(
        G["sid"], G["K"], cpace.lv_cat(G["Ya"], G["ADa"]), cpace.lv_cat(G["Yb"], G["ADb"])
    )
    assert isk == G["ISK_IR"]


def test_a_length_takes_as_many_octets_as_it_needs() -> None:
    for length, head in (0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (16_384, "808001"):
        assert cpace.lv_cat(bytes(length)) == bytes.fromhex(head) + bytes(length)


@pytest.mark.parametrize("name", DRAFT["must_be_refused"])
def test_the_points_of_the_draft_are_refused(name: str) -> None:
    with pytest.raises(BadShareError):
        cpace.multiply(G["ya"], bytes.fromhex(POINTS[name]))


@pytest.mark.parametrize("vector", EXCHANGES.values(), ids=EXCHANGES)
def test_both_sides_agree_to_the_byte(vector: Vector) -> None:
    maker, joiner = both(vector, vector)
    agreement = maker.agree(joiner.share)
    assert maker.secret.generator(maker.session) == raw(vector, "generator")
    assert (maker.share, joiner.share) == (raw(vector, "share_a"), raw(vector, "share_b"))
    assert (agreement.tag, joiner.agreement.tag) == (raw(vector, "tag_a"), raw(vector, "tag_b"))
    agreement.check(joiner.agreement.tag)
    joiner.agreement.check(agreement.tag)
    assert agreement.keys == joiner.agreement.keys == Keys(raw(vector, "key"), raw(vector, "proof"))


@pytest.mark.parametrize("vector", EXCHANGES.values(), ids=EXCHANGES)
def test_the_text_is_sealed_and_opened_to_the_byte(vector: Vector) -> None:
    key, nonce = raw(vector, "key"), raw(vector, "nonce")
    assert seal.encrypt_under(seal.LIVE_HEADER, vector["text"], key, nonce) == vector["jwe"]
    assert seal.decrypt(vector["jwe"], key, live=True) == vector["text"]


@pytest.mark.parametrize("changed", REFUSED["joiners"], ids=lambda changed: changed["name"])
def test_who_knows_something_else_never_agrees(changed: Vector) -> None:
    maker, joiner = both(FIRST, {**FIRST, **changed})
    agreement = maker.agree(joiner.share)
    assert agreement.keys.key != joiner.agreement.keys.key
    assert agreement.keys.proof != joiner.agreement.keys.proof
    with pytest.raises(BadTagError):
        agreement.check(joiner.agreement.tag)
    with pytest.raises(BadTagError):
        joiner.agreement.check(agreement.tag)


@pytest.mark.parametrize("vector", REFUSED["shares"], ids=lambda vector: vector["name"])
def test_a_share_is_refused_by_both_sides(vector: Vector) -> None:
    maker, _ = both(FIRST, FIRST)
    with pytest.raises(BadShareError):
        maker.agree(raw(vector, "share"))
    with pytest.raises(BadShareError):
        Joiner.answer(maker.secret, maker.session, raw(vector, "share"), raw(FIRST, "scalar_b"))


@pytest.mark.parametrize("vector", REFUSED["texts"], ids=lambda vector: vector["name"])
def test_a_text_with_another_header_is_refused(vector: Vector) -> None:
    with pytest.raises(BadSealError, match="header: must be that of a live transfer"):
        seal.decrypt(vector["jwe"], raw(vector, "key"), live=True)


def test_a_tag_with_any_byte_changed_or_of_another_length_is_refused() -> None:
    maker, joiner = both(FIRST, FIRST)
    agreement, tag = maker.agree(joiner.share), joiner.agreement.tag
    changed = [tag[:n] + bytes([tag[n] ^ 1]) + tag[n + 1 :] for n in range(64)]
    for wrong in (*changed, b"", tag[:-1], tag + b"\0", agreement.tag):
        with pytest.raises(BadTagError):
            agreement.check(wrong)


def test_no_secret_is_in_a_representation() -> None:
    maker, joiner = both(FIRST, FIRST)
    shown = repr((maker, joiner, maker.agree(joiner.share)))
    for name in ("scalar_a", "key", "proof"):
        assert repr(raw(FIRST, name)) not in shown
    assert FIRST["letters"] not in shown


def test_the_other_of_two_roles() -> None:
    assert other_role("sender") == "receiver"
    assert other_role("receiver") == "sender"

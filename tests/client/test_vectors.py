"""The published test vectors, through the program's own code; phrases as the extension reads them."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from random import Random

import pytest

from saver import seal
from saver.client import phrases
from saver.client.api import Api
from saver.client.errors import NotSealedError, UnexpectedAnswerError
from saver.client.texts import Draft, Reader
from saver.codes import Code
from saver.live_transfer.messages import Response
from tests.support.server import ROOT
from tests.support.vectors import SALT, TEXTS, VECTORS, Vector, closed, jwe_of, text_of

REFUSED = {vector["name"]: vector for vector in VECTORS["refused"]}
# The others are only read: no client writes them.
WRITTEN = {
    name: vector
    for name, vector in TEXTS.items()
    if vector["iterations"] == seal.ITERATIONS and name != "members in another order"
}
LIST = phrases.words()
PHRASE = "thaw react slum bask motto"
JS_TEST = (ROOT / "tests/js/phrase.test.mjs").read_text("utf-8")


class Drawn(Random):
    """Draws the salt and the nonce of a vector."""

    def __init__(self, *parts: str) -> None:
        super().__init__()
        self._parts = [urlsafe_b64decode(part + "==") for part in parts]

    def randbytes(self, n: int) -> bytes:
        part = self._parts.pop(0)
        assert len(part) == n
        return part


class Keeper:
    """A service that has one text, and takes any proof."""

    def __init__(self, jwe: str, params: object) -> None:
        self._jwe = jwe
        self._params = params
        self.proofs: list[object] = []

    def post(self, path: str, body: object, headers: object) -> Response:
        assert isinstance(body, dict)
        if "proof" not in body:
            return Response(404, {"type": "urn:saver:problem:no-text", "seal": self._params})
        self.proofs.append(body["proof"])
        loaded = {"text": self._jwe, "sealed": True, "once": False, "expires_at": "2030-01-01T00:00:00Z"}
        return Response(200, loaded)


def params_of(vector: Vector) -> dict[str, object]:
    return {"name": "PBKDF2-SHA256", "iterations": vector["iterations"], "salt": vector["salt"]}


@pytest.mark.parametrize("vector", WRITTEN.values(), ids=WRITTEN)
def test_a_text_is_sealed_to_the_byte(vector: Vector) -> None:
    body = Draft(text_of(vector), vector["passwords"][0]).body(Drawn(vector["salt"], vector["nonce"]))
    assert body == {"text": closed(vector), "proof": vector["proof"]}


@pytest.mark.parametrize("vector", TEXTS.values(), ids=TEXTS)
def test_a_text_is_opened_to_the_byte(vector: Vector) -> None:
    for password in vector["passwords"]:
        keeper = Keeper(jwe_of(vector), params_of(vector))
        found = Reader(Api(keeper), Code("wUrp"), "claim").load(password, phrases.normalize)
        assert found.text == text_of(vector)
        assert keeper.proofs == [vector["proof"]]


@pytest.mark.parametrize("vector", REFUSED.values(), ids=REFUSED)
def test_what_is_to_be_refused_is_refused(vector: Vector) -> None:
    keeper = Keeper(vector["jwe"], {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": SALT})
    with pytest.raises((UnexpectedAnswerError, NotSealedError)):
        Reader(Api(keeper), Code("wUrp"), "claim").load(vector["password"], str)


def strings_of(name: str) -> list[str]:
    """The list of that name in the extension's test of phrases."""
    (found,) = re.findall(rf"const {name} = \[\n(.*?)\n\];", JS_TEST, re.DOTALL)
    lines = [line.strip().removesuffix(",") for line in found.splitlines()]
    return [PHRASE if line == "PHRASE" else json.loads(line) for line in lines if not line.startswith("//")]


def test_a_phrase_is_read_as_the_extension_reads_it() -> None:
    assert len(strings_of("SPELLINGS")) > 5
    for given in strings_of("SPELLINGS"):
        assert phrases.normalize(given) == PHRASE
    for given in strings_of("OTHERS"):
        assert phrases.normalize(given) == given
    assert phrases.normalize("Yo-Yo thaw react slum bask") == "yo-yo thaw react slum bask"


def test_a_phrase_has_five_words_of_the_list_and_all_come_up() -> None:
    random = Random(5)
    drawn = [phrases.make_phrase(random).split(" ") for _ in range(4_000)]
    assert {len(words) for words in drawn} == {5}
    assert {word for words in drawn for word in words} == set(LIST)
    assert len(LIST) == 1_296

"""A service in the middle that guesses the letters of a live transfer, against the flows of Python."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from saver import seal
from saver.live_transfer import exchange
from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.codes import LiveCode, draw_letters
from saver.live_transfer.errors import LiveTransferError
from saver.live_transfer.exchange import BadTagError, Secret
from saver.live_transfer.meeting import Tools, Written
from saver.live_transfer.messages import Messages, Response
from tests.support.live_service import DONE, ENDED, SERVICE, Body


@dataclass
class Middle:
    """A service that plays the joiner to a maker, and the maker to a joiner, with letters that it guesses.

    ``right``: letters that it tries first, as if it had guessed well. ``tags``: how many the client has
    checked, or sent. ``hit``: it has agreed on a key with the client.
    """

    random: Random
    right: str | None = None
    tags: int = 0
    hit: bool = False

    def guess(self) -> Secret:
        letters = self.right or draw_letters(self.random)
        self.right = None
        return Secret(letters, SERVICE, 7, "sender")


class AgainstMaker(Middle):
    """Answers every offer."""

    offer: Body
    agreement: exchange.Agreement
    text: str | None = None

    def post(self, path: str, body: Body, _headers: object) -> Response:
        """As a transport."""
        if path == "live/open":
            return Response(201, {"number": 7})
        if path == "live/offer":
            self.offer = body
            return Response(200, {"tries_left": 3})
        if path == "live/poll":
            return Response(200, self._answer())
        if path == "live/confirm":
            self.hit = True
        if path == "write":
            self.text = seal.decrypt(body["text"], self.agreement.keys.key, live=True)
            return Response(201, {"code": "wXyZ", "owner_token": "o"})
        return DONE

    def _answer(self) -> dict[str, Any]:
        self.tags += 1
        session, share = seal.decode(self.offer["session"]), seal.decode(self.offer["share"])
        joiner = exchange.Joiner.answer(self.guess(), session, share, self.random.randbytes(32))
        self.agreement = joiner.agreement
        tag, own = seal.encode(joiner.agreement.tag), seal.encode(joiner.share)
        return {"state": "answered", "share": own, "tag": tag, "code": None}


class AgainstJoiner(Middle):
    """Makes an offer to whoever joins, as often as it is asked."""

    maker: exchange.Maker
    tag: str | None = None

    def post(self, path: str, body: Body, _headers: object) -> Response:
        """As a transport."""
        if path == "live/join":
            self.maker = exchange.Maker(self.guess(), self.random.randbytes(16), self.random.randbytes(32))
            session, share = seal.encode(self.maker.session), seal.encode(self.maker.share)
            return Response(200, {"role": "receiver", "session": session, "share": share, "tries_left": 3})
        if path == "live/answer":
            return self._check(body)
        if path == "live/poll":
            return (
                Response(200, {"state": "confirmed", "share": None, "tag": self.tag, "code": "wXyZ"})
                if self.hit
                else ENDED
            )
        return ENDED

    def _check(self, body: Body) -> Response:
        self.tags += 1
        agreement = self.maker.agree(seal.decode(body["share"]))
        try:
            agreement.check(seal.decode(body["tag"]))
        except BadTagError:
            return DONE
        self.hit, self.tag = True, seal.encode(agreement.tag)
        return DONE


def tools(middle: AgainstMaker | AgainstJoiner, random: Random) -> Tools:
    return Tools(Messages(middle, lambda _: None), SERVICE, random, lambda: 0.0)


def attack_maker(random: Random, *, is_right: bool = False) -> AgainstMaker:
    """One attack on a maker that sends a text."""
    middle = AgainstMaker(random)
    maker = Maker.open(tools(middle, random), "sender")
    middle.right = maker.live_code.letters if is_right else None
    try:
        assert isinstance(maker.hand_over("the text"), Written)
    except LiveTransferError:
        assert middle.text is None
    return middle


def attack_joiner(random: Random, *, is_right: bool = False) -> AgainstJoiner:
    """One attack on a joiner whose user types the same letters twice, as they are shown."""
    middle = AgainstJoiner(random)
    attempts = Attempts(lambda: 0.0)
    code = LiveCode(7, draw_letters(random))
    middle.right = code.letters if is_right else None
    for _ in range(2):
        try:
            Joiner(tools(middle, random), code, attempts).receive()
        except LiveTransferError:
            if middle.hit:
                break
    return middle

"""A small service for live transfers in memory, and two sides that take turns; without HTTP and waiting."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.codes import LiveCode
from saver.live_transfer.errors import NoAnswerError
from saver.live_transfer.exchange import Role, other_role
from saver.live_transfer.meeting import Tools
from saver.live_transfer.messages import Messages, Response

SERVICE = "https://example.org/saver"
ENDED = Response(404, {"type": "urn:saver:problem:no-meeting"})
DONE = Response(204)
Body = Mapping[str, Any]
Change = Callable[[str, Body, Response], Response]


class LiveService:
    """One meeting, number 7, by the rules of docs/live-transfer.md. ``requests`` has all that was sent.

    ``change`` makes another answer of each one. ``loses``: every answer is lost once.
    """

    def __init__(
        self, change: Change = lambda _path, _body, response: response, *, loses: bool = False
    ) -> None:
        self.requests: list[tuple[str, Body, Mapping[str, str]]] = []
        self.answers: list[Response] = []
        self._change = change
        self._loses = loses
        self._lost: set[str] = set()
        self._texts: dict[str, Body] = {}
        self.role: Role = "sender"
        self.maker: str | None = None
        self.offer: Body | None = None
        self.reply: Body | None = None
        self.confirm: Body | None = None
        self.code: str | None = None
        self.tries_left = 3
        self.ended = False

    def post(self, path: str, body: Body, headers: Mapping[str, str]) -> Response:
        """As a transport."""
        self.requests.append((path, body, headers))
        response = self._change(path, body, self.answer(path, body))
        self.answers.append(response)
        name = json.dumps([path, body])
        if self._loses and name not in self._lost:
            self._lost.add(name)
            raise NoAnswerError
        return response

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.requests]

    def everything(self) -> str:
        """All that a service sees and says."""
        return json.dumps([self.requests, self.answers])

    def answer(self, path: str, body: Body) -> Response:
        """What an honest service answers."""
        if path == "live/open":
            self.maker, self.role = body["token"], body["role"]
            return Response(201, {"number": 7, "expires_at": "2030-01-01T00:00:00Z"})
        if path == "write":
            self._texts.setdefault("wXyZ", body)
            return Response(201, {"code": "wXyZ", "owner_token": "o", "expires_at": "2030-01-01T00:00:00Z"})
        if path == "load":
            stored = self._texts.get(body["code"])
            if stored is None or stored["proof"] != body["proof"]:
                return Response(404, {"type": "urn:saver:problem:no-text"})
            return Response(200, {"text": stored["text"], "sealed": True, "once": True})
        if path == "ack":
            return DONE
        return ENDED if self.ended or body["number"] != 7 else self._meeting(path.removeprefix("live/"), body)

    def _meeting(self, path: str, body: Body) -> Response:
        return {
            "offer": self._offer,
            "join": self._join,
            "answer": self._answer,
            "poll": self._poll,
            "confirm": self._confirm,
            "deliver": self._deliver,
            "close": self._close,
        }[path](body)

    def _offer(self, body: Body) -> Response:
        if self.offer and self.offer["session"] == body["session"]:
            return Response(200, {"tries_left": self.tries_left})
        if self.reply:
            self.tries_left -= 1
        if not self.tries_left:
            self.ended = True
            return ENDED
        self.offer, self.reply = body, None
        return Response(200, {"tries_left": self.tries_left})

    def _join(self, body: Body) -> Response:
        if not self.offer or self.reply:
            return ENDED
        offered = {
            "session": self.offer["session"],
            "share": self.offer["share"],
            "tries_left": self.tries_left,
        }
        return Response(200, {**offered, "role": other_role(self.role), "expires_at": "2030-01-01T00:00:00Z"})

    def _answer(self, body: Body) -> Response:
        if not self.offer or body["session"] != self.offer["session"] or self.reply not in (None, body):
            return ENDED
        self.reply = body
        return DONE

    def _poll(self, body: Body) -> Response:
        is_maker = body["token"] == self.maker
        if not is_maker and (not self.reply or body["token"] != self.reply["token"]):
            return ENDED
        seen: dict[str, object] = {"state": "waiting", "share": None, "tag": None, "code": None}
        if self.reply:
            seen["state"] = "answered"
            if is_maker and not self.confirm:
                seen |= {"share": self.reply["share"], "tag": self.reply["tag"]}
        if self.confirm:
            is_receiver = is_maker == (self.role == "receiver")
            tag = None if is_maker else self.confirm["tag"]
            seen |= {"state": "confirmed", "tag": tag, "code": self.code if is_receiver else None}
        return Response(200, seen)

    def _confirm(self, body: Body) -> Response:
        self.confirm = body
        return DONE

    def _deliver(self, body: Body) -> Response:
        self.code = body["code"]
        return DONE

    def _close(self, body: Body) -> Response:
        # A joiner only after it was confirmed, as anybody can be one.
        is_joiner = self.confirm and self.reply and body["token"] == self.reply["token"]
        if body["token"] != self.maker and not is_joiner:
            return ENDED
        self.ended = True
        return DONE


class Turns:
    """Runs two sides; one goes on when the other one would sleep. Time passes only by these sleeps."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self._free = [threading.Semaphore(0), threading.Semaphore(0)]
        self._done = [False, False]
        self._local = threading.local()

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        side: int | None = getattr(self._local, "side", None)
        if side is not None and not self._done[1 - side]:
            self._free[1 - side].release()
            self._free[side].acquire()

    def clock(self) -> float:
        return self.time

    def run(self, *works: Callable[[], object]) -> list[object]:
        """The result, or the exception, of each of the two."""
        results: list[object] = [None, None]

        def side(number: int) -> None:
            self._local.side = number
            self._free[number].acquire()
            try:
                results[number] = works[number]()
            except Exception as error:
                results[number] = error
            self._done[number] = True
            self._free[1 - number].release()

        threads = [threading.Thread(target=side, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        self._free[0].release()
        for thread in threads:
            thread.join()
        return results


class Pair:
    """A maker and joiners at the same service."""

    def __init__(self, service: LiveService, role: Role = "sender", seed: int = 15) -> None:
        self.service = service
        self.turns = Turns()
        self.random = Random(seed)
        self.stored: list[object] = []
        self.attempts = Attempts(self.turns.clock, store=self.stored.append)
        self.role = role
        self.maker = Maker.open(self.tools(), role, self.stored.append)

    def tools(self) -> Tools:
        messages = Messages(self.service, self.turns.sleep)
        return Tools(messages, SERVICE, Random(self.random.random()), self.turns.clock)

    def joiner(self, letters: str | None = None, number: int = 7) -> Joiner:
        code = self.maker.live_code
        typed = LiveCode.parse(f"{number} {letters or code.letters}")
        return Joiner(self.tools(), typed, self.attempts)

    def transfer(self, text: str, *letters: str | None) -> list[object]:
        """Hand over a text; the joiner types ``letters`` in turn (None: the right ones)."""

        def join() -> object:
            result: object = None
            for typed in letters or (None,):
                try:
                    joiner = self.joiner(typed)
                    return joiner.receive() if self.role == "sender" else joiner.hand_over(text)
                except Exception as error:
                    result = error
            return result

        def make() -> object:
            return self.maker.hand_over(text) if self.role == "sender" else self.maker.receive()

        return self.turns.run(make, join)

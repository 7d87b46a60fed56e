"""The two clients of a live transfer with random bytes: the service does not look into shares and tags."""

from __future__ import annotations

from random import Random

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver.seal import decode, encode

MAKER, JOINER = "192.0.2.1", "192.0.2.2"


class LiveClient:
    """One client: its address, its token, and the messages that it can send to its meeting."""

    def __init__(self, client: FlaskClient, seed: int, address: str = MAKER) -> None:
        self._client = client
        self._random = Random(seed)
        self.address = address
        self.token = self.draw(16)
        self.number = 0
        self.session = ""
        self.share = ""
        self.tag = ""

    @property
    def raw_token(self) -> bytes:
        """The bytes of the token."""
        return decode(self.token)

    def use(self, client: FlaskClient) -> None:
        """Send the next messages to another process of the service."""
        self._client = client

    def draw(self, size: int) -> str:
        """Random bytes in base64url."""
        return encode(self._random.randbytes(size))

    def post(self, path: str, **body: object) -> TestResponse:
        """Send a message with exactly these fields."""
        overrides = {"REMOTE_ADDR": self.address}
        return self._client.post(f"/api/v1/live/{path}", json=body, environ_overrides=overrides)

    def open(self, role: str = "sender") -> int:
        """Open a meeting; return its number."""
        opened = self.post("open", token=self.token, role=role)
        assert opened.status_code == 201, opened.text
        self.number = opened.json["number"]
        return self.number

    def offer(self) -> TestResponse:
        """Begin a new session."""
        self.session, self.share = self.draw(16), self.draw(32)
        return self.send("offer", session=self.session, share=self.share)

    def join(self, number: int) -> TestResponse:
        """Ask for the offer of a number."""
        self.number = number
        joined = self.post("join", number=number)
        self.session = joined.json.get("session", "")
        return joined

    def answer(self) -> TestResponse:
        """Answer the session that was seen last."""
        self.share, self.tag = self.draw(32), self.draw(64)
        return self.send("answer", session=self.session, share=self.share, tag=self.tag)

    def confirm(self) -> TestResponse:
        """Say that the answer was right."""
        self.tag = self.draw(64)
        return self.send("confirm", session=self.session, tag=self.tag)

    def poll(self) -> TestResponse:
        """Ask what has come."""
        return self.send("poll")

    def send(self, path: str, **more: object) -> TestResponse:
        """Send a message with the number and the token."""
        return self.post(path, number=self.number, token=self.token, **more)


def pair(client: FlaskClient, seed: int = 1) -> tuple[LiveClient, LiveClient]:
    """A maker and a joiner, each with its own address."""
    return LiveClient(client, 2 * seed, MAKER), LiveClient(client, 2 * seed + 1, JOINER)


def meet(maker: LiveClient, joiner: LiveClient, role: str = "sender") -> None:
    """Bring both to ``confirmed``."""
    maker.open(role)
    assert maker.offer().status_code == 200
    assert joiner.join(maker.number).status_code == 200
    assert joiner.answer().status_code == 204
    assert maker.confirm().status_code == 204

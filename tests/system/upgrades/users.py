"""What users have saved with one version, and whether another version still has it. Standard library only.

    python3 users.py save|check|finish URL FILE

``save`` writes texts of every kind and stores in FILE how to read them. ``check`` may be repeated; ``finish``
also reads the one-time texts, extends and deletes, and ends the live transfer.
"""

import base64
import http.client
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# The path, the document and the headers of a POST; the status and the document of the answer.
Ask = Callable[[str, object, Mapping[str, str]], tuple[int, dict[str, Any]]]

API = "/api/v1"
HOUR = 3_600
CLAIM_SECONDS = 120
PASSWORD = "correct horse battery \N{HORSE FACE}"
TEXT = "\N{BYTE ORDER MARK}\N{HANGUL SYLLABLE HAN}\N{HANGUL SYLLABLE GEUL} & <text>\r\n\t"
# More than a page of SQLite.
LONG = "0123456789abcdef" * 400


class LostError(Exception):
    """Something that a user had saved is not what it was."""


def must(name: str, found: object, wanted: object) -> None:
    """Raise LostError unless both are the same."""
    if found != wanted:
        raise LostError(f"{name}: {found!r:.300} is not {wanted!r:.300}")


class Users:
    """The users of one service; ``saved`` is what they have written down."""

    def __init__(
        self, ask: Ask, saved: dict[str, Any] | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._ask = ask
        self._now = now
        self.saved: dict[str, Any] = {} if saved is None else saved

    def post(self, path: str, **document: object) -> tuple[int, dict[str, Any]]:
        """POST below /api/v1."""
        return self._ask(API + path, document, {})

    def save(self) -> None:
        """Save texts of every kind, read some of them, and open a live transfer if there are any."""
        self._write("open", text=TEXT)
        self._write("long", text=LONG)
        self._write("password", text=TEXT, password=PASSWORD)
        self._write("once", text=TEXT, once=True)
        self._write("claimed", text=TEXT, once=True, claim=str(uuid.uuid4()))
        self._write("read", text=TEXT, once=True, claim=str(uuid.uuid4()))
        self._write("deleted", text=TEXT)
        self._write("extended", text=TEXT)
        self._write("old wire", text=TEXT)
        for name in ("open", "claimed", "read"):
            must(name, self.load(name), TEXT)
        must("ack", self.post("/ack", **self._of("read", "code", "claim"))[0], 204)
        must("delete", self.post("/delete", **self._of("deleted", "code", "owner_token"))[0], 204)
        self.saved["claimed_at"] = self._now()
        self.saved["loaded_at"] = self._status("open")["first_loaded_at"]
        self._open_live_transfer()

    def check(self) -> None:
        """Check what can be checked again and again. Raises LostError."""
        for name, text in {"open": TEXT, "long": LONG, "extended": TEXT}.items():
            must(name, self.load(name), text)
        must("claimed", self.load("claimed"), TEXT if self._has_claim else None)
        must("with its password", self.load("password", password=PASSWORD), TEXT)
        must("with another password", self.load("password", password="wrong"), None)
        must("without a password", self.load("password"), None)
        must("read by another reader", self.load("claimed", claim=str(uuid.uuid4())), None)
        must("read once", self.load("read"), None)
        must("deleted", self.load("deleted"), None)
        states = {"long": "loaded", "once": "waiting", "read": "read", "deleted": "deleted"}
        states["claimed"] = "loaded" if self._has_claim else "read"
        for name, state in states.items():
            must(f"state of {name}", self._status(name)["state"], state)
        must("receipt", self._status("open")["first_loaded_at"], self.saved["loaded_at"])
        must("another owner", self.post("/status", code=self.code("open"), owner_token="A" * 22)[0], 404)
        for name in ("open", "password"):
            must(f"{name} written again", self._send(name), self.saved[name]["answer"])
        document = {"ldcode": self.code("old wire"), "ldpassword": ""}
        must("old wire", self._ask("/load/", document, {})[1].get("message"), TEXT)
        self._check_live_transfer()

    def finish(self) -> None:
        """Check, and then do what can be done once. Raises LostError."""
        self.check()
        self.saved["once"]["claim"] = str(uuid.uuid4())
        must("once", self.load("once"), TEXT)
        must("once, by another reader", self.load("once", claim=str(uuid.uuid4())), None)
        for name in ("once", "claimed") if self._has_claim else ("once",):
            must(f"ack of {name}", self.post("/ack", **self._of(name, "code", "claim"))[0], 204)
            must(f"{name} after its ack", self.load(name), None)
        before = self.saved["extended"]["answer"]["expires_at"]
        status, answer = self.post(
            "/extend", expires_in=2 * HOUR, **self._of("extended", "code", "owner_token")
        )
        must("extend", (status, answer["expires_at"] > before), (200, True))
        must("delete", self.post("/delete", **self._of("extended", "code", "owner_token"))[0], 204)
        must("after it", self.load("extended"), None)
        self._end_live_transfer()

    @property
    def _has_claim(self) -> bool:
        """Whether the reader of a one-time text can still read it again."""
        return self._now() < float(self.saved["claimed_at"]) + CLAIM_SECONDS

    def code(self, name: str) -> str:
        """The code of a text."""
        return str(self.saved[name]["answer"]["code"])

    def load(self, name: str, **more: object) -> str | None:
        """The text that has a name here, or None."""
        known = self._of(name, "code", "claim")
        status, answer = self.post("/load", **{**known, **more})
        must(f"status of {name}", status in (200, 404), True)
        return str(answer["text"]) if status == 200 else None

    def _write(self, name: str, claim: str = "", **sent: object) -> None:
        self.saved[name] = {"sent": {**sent, "expires_in": HOUR}, "key": str(uuid.uuid4())}
        self.saved[name]["answer"] = self._send(name)
        if claim:
            self.saved[name]["claim"] = claim

    def _send(self, name: str) -> dict[str, Any]:
        status, answer = self._ask(
            f"{API}/write", self.saved[name]["sent"], {"Idempotency-Key": self.saved[name]["key"]}
        )
        must(f"status of writing {name}", status, 201)
        return answer

    def _of(self, name: str, *fields: str) -> dict[str, Any]:
        known = {**self.saved[name], **self.saved[name]["answer"]}
        return {field: known[field] for field in fields if field in known}

    def _status(self, name: str) -> dict[str, Any]:
        status, answer = self.post("/status", **self._of(name, "code", "owner_token"))
        must(f"status of the owner of {name}", status, 200)
        return answer

    def _open_live_transfer(self) -> None:
        maker = {"token": _random(16)}
        status, answer = self.post("/live/open", role="sender", **maker)
        if status == 404:
            return
        must("open", status, 201)
        maker["number"] = answer["number"]
        self.saved["live"] = {"maker": maker, "offer": {"session": _random(16), "share": _random(32)}}
        must("offer", self.post("/live/offer", **maker, **self.saved["live"]["offer"])[0], 200)

    def _check_live_transfer(self) -> None:
        if live := self.saved.get("live"):
            status, answer = self.post("/live/join", number=live["maker"]["number"])
            must("join", (status, {name: answer.get(name) for name in live["offer"]}), (200, live["offer"]))

    def _end_live_transfer(self) -> None:
        if not (live := self.saved.get("live")):
            return
        maker, session = live["maker"], live["offer"]["session"]
        joiner = {"number": maker["number"], "token": _random(16)}
        answered, confirmed = {"share": _random(32), "tag": _random(64)}, _random(64)
        must("answer", self.post("/live/answer", **joiner, session=session, **answered)[0], 204)
        must("tag of the joiner", self.post("/live/poll", **maker)[1].get("tag"), answered["tag"])
        must("confirm", self.post("/live/confirm", **maker, session=session, tag=confirmed)[0], 204)
        must("tag of the maker", self.post("/live/poll", **joiner)[1].get("tag"), confirmed)
        must("deliver", self.post("/live/deliver", **maker, code=self.code("open"))[0], 204)
        must("code", self.post("/live/poll", **joiner)[1].get("code"), self.code("open"))


def _random(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode().rstrip("=")


def over_http(url: str, patience: float = 30) -> Ask:
    """Ask a service at an address. A 503 or a closed connection is tried again for some seconds."""

    def ask(path: str, document: object, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        until = time.monotonic() + patience
        while True:
            try:
                status, answer = _ask(url + path, document, headers)
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
                status, answer = 503, {"error": str(error)}
            if status != 503 or time.monotonic() > until:
                return status, answer
            time.sleep(0.2)

    return ask


def _ask(url: str, document: object, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    all_headers = {"Content-Type": "application/json", **headers}
    asked = urllib.request.Request(url, json.dumps(document).encode(), all_headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
            return error.code, json.loads(body) if "json" in error.headers.get_content_type() else {}


def main() -> None:
    what, url, file = sys.argv[1:]
    if what == "save":
        users = Users(over_http(url))
        users.save()
        Path(file).write_text(json.dumps(users.saved, indent=1))
    else:
        users = Users(over_http(url), json.loads(Path(file).read_text()))
        users.check() if what == "check" else users.finish()
    print(f"{what}: {len(users.saved) - 1} of them", flush=True)


if __name__ == "__main__":
    try:
        main()
    except LostError as error:
        sys.exit(f"LOST: {error}")

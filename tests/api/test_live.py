"""Live transfers: every message, in its order and out of it; docs/live-transfer.md."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import ALL_DATABASES
from tests.support.live import pair
from tests.support.snapshot import Database, query

DATABASES = ALL_DATABASES
NOTHING = {"share": None, "tag": None, "code": None}
REFUSED = (
    b'{"type": "urn:saver:problem:no-meeting", "title": "No such meeting.", "status": 404,'
    b' "detail": "There is no live transfer that the request fits."}'
)


def stored(database: Database) -> list[tuple[object, ...]]:
    return query(database, "SELECT * FROM meeting ORDER BY number")


def test_a_transfer_from_the_maker(client: FlaskClient) -> None:
    maker, joiner = pair(client)
    opened = maker.post("open", token=maker.token, role="sender")
    assert (opened.status_code, opened.json) == (
        201,
        {"number": 1, "expires_at": "2027-01-15T08:10:00Z"},
    )
    maker.number = 1
    assert maker.poll().json == {"state": "waiting", **NOTHING}
    assert maker.offer().json == {"tries_left": 3}
    assert joiner.join(1).json == {
        "role": "receiver",
        "session": maker.session,
        "share": maker.share,
        "tries_left": 3,
        "expires_at": "2027-01-15T08:10:00Z",
    }
    assert maker.poll().json == {"state": "waiting", **NOTHING}
    answered = joiner.answer()
    assert (answered.status_code, answered.data) == (204, b"")
    assert maker.poll().json == {"state": "answered", "share": joiner.share, "tag": joiner.tag, "code": None}
    assert joiner.poll().json == {"state": "answered", **NOTHING}
    assert maker.confirm().status_code == 204
    assert maker.poll().json == {"state": "confirmed", **NOTHING}
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": None}
    assert maker.send("deliver", code="wUrp").status_code == 204
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": "wUrp"}
    assert maker.poll().json == {"state": "confirmed", **NOTHING}
    assert joiner.send("close").status_code == 204
    assert [one.poll().data for one in (maker, joiner)] == [REFUSED, REFUSED]

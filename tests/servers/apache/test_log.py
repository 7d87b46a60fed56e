"""The logs have what an operator needs, and no code, text, password or complete address."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from random import Random

from saver import create_app
from tests.conftest import settings_in
from tests.servers.apache.instance import Apache
from tests.servers.client import Client, request
from tests.servers.names import WWW
from tests.servers.private import MARK, broken, longer_than_said
from tests.support.server import ROOT


def test_the_logged_routes_are_those_of_the_service(tmp_path: Path) -> None:
    pattern = re.search(r'^SetEnvIf Request_URI "(.+)" SAVER_ROUTE', conf("log"), re.MULTILINE)
    assert pattern
    app = create_app(settings_in(tmp_path))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {rule for rule in rules if re.fullmatch(pattern[1], rule)} == {
        rule for rule in rules if "<" not in rule
    }
    random = Random(4)
    for _ in range(1_000):
        assert not re.fullmatch(pattern[1], "/" + "".join(random.choices("abcdWXYZ", k=4)))


def conf(name: str) -> str:
    """One of the shipped files."""
    return (ROOT / "apache" / "conf" / f"{name}.conf").read_text()


def test_what_is_private_stays_out_of_every_log(apache: Apache, https: Client) -> None:
    code = str(https.post("/api/v1/write", {"text": MARK, "password": MARK}).document["code"])
    marks = f"{MARK}{code}"
    headers = {
        "Referer": f"https://{WWW}/#{code}",
        "User-Agent": marks,
        "Cookie": marks,
        "X-Forwarded-For": marks,
    }
    assert https.post("/api/v1/load", {"code": code, "password": MARK}, headers=headers).status == 200
    assert https.post(f"/api/v1/load?code={code}", {"code": code, "password": "wrong"}).status == 422
    for tls in (True, False):
        for path in (f"/{code}", f"/?{code}", f"/{code}%zz", f"/{code}%2F", f"/../{code}", f"/_error/{code}"):
            https.get(path, tls=tls, headers=headers)
        https.get("/", tls=tls, host=f"{code}.test", headers=headers)
        https.get(f"/.well-known/acme-challenge/{code}", tls=tls, headers=headers)
        https.send(request(code, f"/{code}", {"Host": WWW, **headers}), tls=tls)
        https.send(f"{code} {code}\r\n\r\n".encode(), tls=tls)
        https.send(request("GET", "/", {"Host": f"{code} {code}"}), tls=tls)
        https.send(request("TRACE", f"/{code}", {"Host": WWW, "Connection": "close"}), tls=tls)
        https.send(
            request("GET", f"/{code}", {"Host": WWW, "Connection": "close", code: "a" * 9_000}), tls=tls
        )
        for raw in broken(code):
            assert MARK.encode() not in https.send(raw, tls=tls).body
    longer_than_said(https, code)
    https.get("/metrics", source="127.0.0.2", headers=headers)
    said = apache.said()
    assert MARK not in said
    assert not re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", said)


def test_the_database_was_really_written(apache: Apache, https: Client) -> None:
    """The daemons use the data directory of their ".env"."""
    https.post("/api/v1/write", {"text": MARK})
    connection = sqlite3.connect(apache.root / "data" / "saver.db")
    assert connection.execute("SELECT count(*) FROM text").fetchone()[0] > 0
    connection.close()

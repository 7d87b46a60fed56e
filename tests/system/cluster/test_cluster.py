"""Two app servers behind HAProxy with what ships: below a path, rate limits, faults."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urljoin

import pytest

from tests.system.checks import BrokenError
from tests.system.cluster.clients import Response, User
from tests.system.cluster.cluster import Cluster
from tests.system.cluster.conftest import BELOW
from tests.system.cluster.faults import BUDGET, Faults
from tests.system.cluster.load import Load, guesses
from tests.system.cluster.network import ADDRESSES, USER_ADDRESSES

PAUSE = 0.1
# No other test uses the second address.
FIRST_USER, SECOND_USER = USER_ADDRESSES[30], USER_ADDRESSES[31]
LINK = re.compile(r'(?:href|src)="([^"#?]+)"')
# The short ones; `python -m tests.system.cluster faults` has all of them.
WITHOUT_FAILURES = ("worker-killed", "balancer-reloaded")
WITH_FEW = ("app-killed",)
WITH_AN_OUTAGE = ("redis-killed", "database-stopped")


def ask(cluster: Cluster, path: str, *, root: bool = False) -> Response:
    """GET, below the path or outside it."""

    def get(user: User) -> Response:
        if root:
            user.below = ""
        return user.get(path)

    answer = cluster.ask(get)
    assert isinstance(answer, Response)
    return answer


def test_the_page_and_all_its_files_are_there_below_a_path(cluster: Cluster) -> None:
    page = ask(cluster, "/")
    links = LINK.findall(page.body.decode())
    assert len(links) > 30
    for link in links:
        place = urljoin(f"{BELOW}/", link)
        assert place.startswith(f"{BELOW}/"), link
        assert ask(cluster, place.removeprefix(BELOW)).status == 200, link


def test_without_its_slash_the_path_leads_to_the_page(cluster: Cluster) -> None:
    answer = ask(cluster, "")
    assert (answer.status, answer.headers["location"]) == (308, f"{BELOW}/")


def test_what_else_is_at_the_name_stays_what_it_is(cluster: Cluster) -> None:
    for path in ("/", "/api/v1/limits", "/memoirs/"):
        assert ask(cluster, path, root=True).body == b"others", path


def test_a_text_is_loaded_whichever_app_server_is_asked(cluster: Cluster) -> None:
    def write_and_load(user: User) -> list[object]:
        code = str(user.write("from one to the other").document["code"])
        return [user.load(code).document["text"] for _ in range(6)]

    assert cluster.ask(write_and_load) == ["from one to the other"] * 6
    assert {name for name in ("app1", "app2") if f"load {name} 200" in logged(cluster)} == {"app1", "app2"}


def test_the_old_wire_works_below_the_path(cluster: Cluster) -> None:
    def write_and_load(user: User) -> object:
        asked = {"wrtext": "old", "wrpassword": "", "wrdelete_at": "10min"}
        code = user.post("/write/", asked).document["message"]
        return user.post("/load/", {"ldcode": code, "ldpassword": ""}).document["message"]

    assert cluster.ask(write_and_load) == "old"


def test_no_header_renews_a_budget_over_both_app_servers(cluster: Cluster) -> None:
    def guess(user: User) -> Counter[int]:
        forged = [
            {"X-Forwarded-For": f"192.0.2.{n}", "X-Real-IP": f"192.0.2.{n}", "Forwarded": f"for=192.0.2.{n}"}
            for n in range(BUDGET + 4)
        ]
        return Counter(user.post("/api/v1/load", {"code": "ZZZZ"}, each).status for each in forged)

    assert cluster.ask(guess, FIRST_USER) == {404: BUDGET, 429: 4}
    assert guesses(cluster, SECOND_USER, 1) == {"404": 1}


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_the_operators_routes_are_closed(cluster: Cluster, path: str) -> None:
    answer = ask(cluster, path)
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")


def test_what_the_balancer_refuses_it_refuses_as_the_api_does(cluster: Cluster) -> None:
    def refused(user: User) -> list[tuple[int, object]]:
        long = user.post("/api/v1/write", {}, {"Content-Length": "7000000"})
        user.leave()
        chunks = b"2\r\n{}\r\n0\r\n\r\n"
        chunked = user.ask("POST", "/api/v1/write", chunks, {"Transfer-Encoding": "chunked"})
        return [(answer.status, answer.document.get("type")) for answer in (long, chunked)]

    assert cluster.ask(refused) == [
        (413, "urn:saver:problem:http-413"),
        (415, "urn:saver:problem:media-type"),
    ]


def test_no_log_has_a_complete_address_or_an_unknown_path(cluster: Cluster) -> None:
    code = "qZxW"
    ask(cluster, f"/{code}?{code}")
    said = "".join(log.read_text() for log in (cluster.folder / "log").glob("*.log"))
    assert "10.78.0.0 - " in logged(cluster)
    for whole in (code, *USER_ADDRESSES, f"{ADDRESSES['client']} "):
        assert whole not in said, whole


@pytest.fixture(scope="module")
def faults(cluster: Cluster) -> Faults:
    return Faults(cluster, Load(cluster, PAUSE), down=2.0)


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_lost(cluster: Cluster, faults: Faults):  # type: ignore[no-untyped-def]
    yield
    faults.load.check()
    cluster.audit()


@pytest.mark.parametrize("fault", [*WITHOUT_FAILURES, *WITH_FEW, *WITH_AN_OUTAGE])
def test_a_fault_is_seen_for_a_while_and_nothing_is_wrong(faults: Faults, fault: str) -> None:
    with faults.load:
        seen = faults.cause(fault)
    failed = sum(sum(kinds.values()) for kinds in seen.failed.values())
    if fault in WITHOUT_FAILURES:
        assert failed == 0, seen
    if fault in WITH_FEW:
        # Requests that the killed app server was handling.
        assert failed <= 8, seen
    kinds = set().union(*seen.failed.values())
    assert kinds <= {"502", "503", "closed"}, seen


def test_a_lost_text_would_be_found(cluster: Cluster) -> None:
    load = Load(cluster)
    load.history.acknowledge("ZZZZ", "never written")
    with pytest.raises(BrokenError, match="lost"):
        load.check()


def logged(cluster: Cluster) -> str:
    """The log of the balancer."""
    return (cluster.folder / "log" / "balancer.log").read_text()

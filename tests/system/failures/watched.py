"""Real faults under a real Prometheus: the alerts that ship fire, and every panel of the dashboard has data.

The rules are those that ship, with their waiting times and windows shortened; the limits are the same. Needs
Prometheus (apt-get install prometheus). With a folder as argument it writes there what the panels showed.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

from tests.support.process import free_port
from tests.support.server import ROOT
from tests.system.checks import must, report, until
from tests.system.failures.service import Service, failure_test, service_in

RULES = ROOT / "deploy" / "prometheus" / "saver.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "saver.json"
_CODES = 200
_MISSES = 20
# Of two seconds instead of some minutes.
_FOR = re.compile(r"^( +for:) .*$", re.MULTILINE)
_WINDOW = "[5m]", "[30s]"
_LOCKED_SECONDS = 7.0


class Prometheus:
    """A Prometheus that reads a service each second."""

    def __init__(self, folder: Path, service: Service) -> None:
        program = shutil.which("prometheus")
        must(program, "prometheus is missing; run: apt-get install -y --no-install-recommends prometheus")
        folder.mkdir()
        (folder / "saver.rules.yml").write_text(_FOR.sub(r"\1 2s", RULES.read_text()).replace(*_WINDOW))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["saver.rules.yml"],
            "scrape_configs": [
                {"job_name": "saver", "static_configs": [{"targets": [f"127.0.0.1:{service.port}"]}]}
            ],
        }
        # JSON is YAML too.
        (folder / "prometheus.yml").write_text(json.dumps(config))
        address = f"127.0.0.1:{free_port()}"
        self._url = f"http://{address}/api/v1"
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(program),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={address}",
                ],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def ask(self, path: str, **parameters: object) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}") as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                # 503 until it has read its files.
                must(error.code == HTTPStatus.SERVICE_UNAVAILABLE, f"{parameters}: {error.read().decode()}")
        except OSError:
            pass
        return None

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        alerts = (self.ask("alerts") or {"alerts": []})["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def is_scraping(self) -> bool:
        """Whether it has read the service."""
        found = self.ask("query", query="up == 1")
        return bool(found and found["result"])


@contextmanager
def prometheus_of(folder: Path, service: Service) -> Iterator[Prometheus]:
    prometheus = Prometheus(folder, service)
    try:
        until(prometheus.is_scraping, "Prometheus reads /metrics")
        yield prometheus
    finally:
        prometheus.stop()


def expect(prometheus: Prometheus, *names: str, timeout: float = 60.0) -> None:
    """Require that alerts fire."""
    for name in names:
        waited = until(partial(is_firing, prometheus, name), f"{name} fires", timeout)
        report(f"{name} fires after, s", f"{waited:.0f}")


def is_firing(prometheus: Prometheus, name: str) -> bool:
    """Whether an alert fires."""
    return name in prometheus.firing()


def is_calm(prometheus: Prometheus) -> bool:
    """Whether no alert fires."""
    return not prometheus.firing()


def fill_pool(service: Service) -> None:
    """Write until fewer than a tenth of the codes are free."""
    for number in range(_CODES * 9 // 10 + 1):
        must(service.write(f"text {number}")[0] == 201, "a text is stored")


def guess(service: Service) -> None:
    """Use more than four fifths of the misses of a day."""
    for _ in range(_MISSES * 9 // 10):
        must(service.guess("") == 404, "a miss")


def lock_database(service: Service) -> None:
    """Writes wait for five seconds and get 503."""
    other = sqlite3.connect(service.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as clients:
        statuses = {status for status, _ in clients.map(service.write, ["x"] * 8)}
    must(statuses == {503}, f"writes are refused while the database is locked: {statuses}")
    report("writes got 503 after, s", f"{time.monotonic() - began:.1f}")
    other.execute("ROLLBACK")
    other.close()


def render(prometheus: Prometheus, began: float) -> dict[str, list[dict[str, Any]]]:
    """Ask what each panel of the dashboard asks, for the time of this run: the series of each panel."""
    shown: dict[str, list[dict[str, Any]]] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "30s")
            found = prometheus.ask("query_range", query=query, start=began, end=time.time(), step="5s")
            must(found and found["result"], f"the panel {panel['title']} has no data: {query}")
            shown.setdefault(panel["title"], []).extend(found["result"])
        series = shown[panel["title"]]
        points = sum(value != "NaN" for one in series for _, value in one["values"])
        must(points, f"the panel {panel['title']} has no number")
        report(f"panel {panel['title']}: series, points", f"{len(series)}, {points}")
    return shown


def main() -> None:
    settings = {"misses_a_day_in_all": _MISSES, "min_expires_in": 1, "processes": 2}
    with failure_test() as folder, service_in(folder / "data", **settings) as service:
        with closing(sqlite3.connect(service.database)) as database, database:
            database.execute("DELETE FROM code WHERE code NOT IN (SELECT code FROM code LIMIT ?)", (_CODES,))
        must(service.flask("backup").returncode == 0, "a backup is made")
        web, worker = service.web(), service.worker()
        began = time.time()
        until(service.heartbeat, "the worker sweeps")
        with prometheus_of(folder / "prometheus", service) as prometheus:
            until(lambda: is_calm(prometheus), "no alert fires", 30)
            time.sleep(10)
            must(is_calm(prometheus), f"no alert fires while all is well: {prometheus.firing()}")
            service.write("soon overdue", 1)
            worker.send_signal(SIGSTOP)
            stopped = time.monotonic()
            fill_pool(service)
            expect(prometheus, "SaverPoolLow")
            guess(service)
            expect(prometheus, "SaverMissesNearLimit")
            lock_database(service)
            expect(prometheus, "SaverServerErrors", "SaverSlow")
            expect(prometheus, "SaverSweeperLate", timeout=120)
            expect(prometheus, "SaverTextsOverdue", timeout=180)
            report("  the worker was stopped before, s", f"{time.monotonic() - stopped:.0f}")
            worker.send_signal(SIGCONT)
            until(lambda: not {"SaverSweeperLate", "SaverTextsOverdue"} & prometheus.firing(), "they end")
            (service.folder / "last_backup").write_text(f"{time.time() - 4 * 3600:.0f}\n")
            expect(prometheus, "SaverBackupOld")
            away = service.database.with_name("away")
            service.database.rename(away)
            expect(prometheus, "SaverDown")
            away.rename(service.database)
            until(lambda: "SaverDown" not in prometheus.firing(), "SaverDown ends")
            web.terminate()
            web.wait()
            service.environ["SAVER_DISK_RESERVE"] = str(1 << 60)
            service.web()
            expect(prometheus, "SaverDiskLow", "SaverWritesRefused")
            shown = render(prometheus, began)
            for target in sys.argv[1:]:
                (Path(target) / "panels.json").write_text(json.dumps(shown))


if __name__ == "__main__":
    main()

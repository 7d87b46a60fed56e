"""The files for Traefik, which no test runs: their limits, and labels that say the same."""

from __future__ import annotations

import re

import yaml

from saver.settings import Settings
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "traefik"
README = (FOLDER / "README.md").read_text()


def test_the_files_fit_together() -> None:
    static = yaml.safe_load((FOLDER / "traefik.yml").read_text())
    http = yaml.safe_load((FOLDER / "saver.yml").read_text())["http"]
    router = http["routers"]["saver"]
    assert set(router["entryPoints"]) < set(static["entryPoints"])
    assert set(router["middlewares"]) == set(http["middlewares"])
    assert router["service"] in http["services"]
    assert static["entryPoints"]["websecure"]["forwardedHeaders"] == {"insecure": False, "trustedIPs": []}
    longest = Settings(_env_file=None).max_body_bytes
    limit = {"maxRequestBodyBytes": longest, "memRequestBodyBytes": longest}
    assert http["middlewares"]["saver-body"]["buffering"] == limit


def test_the_labels_say_the_same() -> None:
    http = yaml.safe_load((FOLDER / "saver.yml").read_text())["http"]
    [block] = re.findall(r"^```yaml\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)
    labels = dict(label.split("=", 1) for label in yaml.safe_load(block)["labels"])
    rule = labels["traefik.http.routers.saver.rule"].replace("$$", "$")
    assert rule == http["routers"]["saver"]["rule"]
    longest = str(Settings(_env_file=None).max_body_bytes)
    body = "traefik.http.middlewares.saver-body.buffering"
    assert labels[f"{body}.maxrequestbodybytes"] == labels[f"{body}.memrequestbodybytes"] == longest

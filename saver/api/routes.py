"""The names under which requests are counted: the endpoint of a route, never a path."""

from __future__ import annotations

from collections.abc import Iterator

from werkzeug.routing import Map

from saver.ops.request_counts import UNKNOWN


class Endpoints(dict[str, str]):
    """The endpoint of each path of an app. It stays as it is when it is asked for another path."""

    def __init__(self, rules: Map) -> None:
        self._prefixes: dict[str, str] = {}
        for rule in rules.iter_rules():
            if rule.arguments:
                self._prefixes[rule.rule.partition("<")[0]] = rule.endpoint
            else:
                # The rules are not strict about a slash at the end.
                self |= {rule.rule: rule.endpoint, f"{rule.rule}/": rule.endpoint}

    def __missing__(self, path: str) -> str:
        return next((self._prefixes[prefix] for prefix in self._prefixes if path.startswith(prefix)), UNKNOWN)


def endpoints_of(rules: Map) -> Iterator[str]:
    """The names of all routes."""
    return (rule.endpoint for rule in rules.iter_rules())

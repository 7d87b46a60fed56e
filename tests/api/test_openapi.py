"""openapi.json against the service: Schemathesis sends what the document allows and what it forbids."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from saver import create_app, seal
from saver.codes import Code
from tests.api.test_description import links
from tests.conftest import Clock, settings_in
from tests.support.snapshot import put_codes

pytestmark = pytest.mark.slow
ALLOWED = (200, 201, 204, 404, 411)


@pytest.fixture
def schema(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> BaseSchema:
    shutil.copy(migrated, tmp_path / "saver.db")
    put_codes(tmp_path / "saver.db", [Code.nth(number) for number in range(20_000)])
    # There are hundreds of passwords, so the real derivation runs with fewer rounds.
    monkeypatch.setattr(seal, "ITERATIONS", 1)
    monkeypatch.setattr(seal, "MIN_ITERATIONS", 1)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(settings_in(tmp_path), Clock()))


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/{operation}"
        for operation in (
            *("write", "load", "ack", "status", "extend", "delete", "limits"),
            *("live/open", "live/offer", "live/join", "live/answer"),
            *("live/poll", "live/confirm", "live/deliver", "live/close"),
        )
    ],
)
def test_the_service_keeps_to_its_description(schema: BaseSchema, path: str, mode: GenerationMode) -> None:
    operation = schema[path]["GET" if path.endswith("limits") else "POST"]
    if mode is GenerationMode.NEGATIVE and path.endswith("limits"):
        return  # It takes no input, so no input can be wrong.

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def query(case: schemathesis.Case[Any]) -> None:
        answer = case.call()
        # An empty body has no length here, and 411 is a refusal that Schemathesis does not know.
        unknown = [negative_data_rejection] if answer.status_code == 411 else []
        case.validate_response(answer, excluded_checks=[positive_data_acceptance, *unknown])
        assert answer.status_code < 500
        if mode is GenerationMode.POSITIVE and answer.status_code not in ALLOWED:
            # A schema cannot state these rules: the lifetime that a text may have, which of the two
            # bodies takes it from the URL, and the format of a sealed text.
            named = {error["pointer"] for error in answer.json().get("errors", [])}
            assert named <= (
                {"/expires_in", "", "/proof", "/text"} if "proof" in str(case.body) else {"/expires_in", ""}
            )
        assert "text/html" not in str(answer.headers.get("content-type"))

    query()


def test_what_follows_by_the_links_keeps_to_the_description_too(schema: BaseSchema) -> None:
    for _, link in links(schema.raw_schema):
        link["requestBody"] = link.pop("x-requestBody")
    # A link fills in a JSON body; with plain bodies half of the loads would use random codes.
    del schema.raw_schema["paths"]["/api/v1/load"]["post"]["requestBody"]["content"]["text/plain"]
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    seen: Counter[tuple[str, int]] = Counter()

    class Following(schema.as_state_machine()):  # type: ignore[misc]
        def validate_response(
            self,
            response: schemathesis.Response,
            case: schemathesis.Case[Any],
            additional_checks: list[CheckFunction] | None = None,
            **more: Any,
        ) -> None:
            seen[case.path.rpartition("/")[2], response.status_code] += 1
            assert response.status_code < 500
            case.validate_response(
                response,
                additional_checks=additional_checks,
                excluded_checks=[positive_data_acceptance],
                transport_kwargs=more or None,
                recorder=self.recorder,
            )

    # Random requests never cause these answers, and too few claims come at the right moment.
    wanted = {("write", 201), ("load", 200), ("status", 200), ("extend", 200), ("delete", 204)}
    # Hypothesis also draws constants from the modules that are loaded, so one round may miss one of them.
    for steps in (8, 12, 16, 20):
        run_state_machine_as_test(
            Following,
            settings=settings(
                max_examples=50,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        if wanted <= set(seen):
            break
    assert wanted <= set(seen), seen

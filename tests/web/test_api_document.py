"""The OpenAPI document says exactly what the API does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.support.api import ApiHouse, api_house

EXAMPLES = 40
"""Requests of each kind to each operation."""


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """What the document allows is taken, what it does not allow is refused, and every answer is as described."""
    with api_house(tmp_path) as at:
        probe(at, EXAMPLES)


def probe(at: ApiHouse, examples: int) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", at.web)
    headers = {"Authorization": f"Bearer {at.secret}"}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )  # fmt: skip
            @given(case=strategy)
            def run(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(headers=headers)

            run()

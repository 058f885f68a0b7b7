"""Every operation of an OpenAPI document, asked what hypothesis draws from it, and held to what the document says."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import CheckContext, GenerationMode, Response, checks
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.fuzz.effort import effort

# The document cannot say all that makes a value good, such as which instants lie ahead; and what it calls bad may be
# harmless, such as a field that nobody reads.
checks.load_all_checks()
_NOT_CHECKED = (checks.CHECKS.get_one("positive_data_acceptance"), checks.CHECKS.get_one("negative_data_rejection"))

Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
Check = Callable[[CheckContext, Response, Case], bool | None]

# Changes a case before it is sent.
Steer = Callable[[st.DataObject, Case], None]


def operations(document: Mapping[str, Any], base_url: str) -> Iterator[Operation]:
    """Return the operations that a document describes."""
    schema = schemathesis.openapi.from_dict({**document, "servers": [{"url": base_url}]})
    schema.config.update(base_url=base_url)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def hold(
    operation: Operation,
    examples: int,
    headers: st.SearchStrategy[Mapping[str, str]],
    steer: Steer,
    *more_checks: Check,
) -> None:
    """Ask an operation for good and bad things: each answer has a documented status, type and body, none is a 5xx."""
    drawn = operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE)
    not_checked: Any = _NOT_CHECKED
    with requests.Session() as session:

        @effort(examples)
        @given(st.data(), drawn, headers)
        def asked(data: st.DataObject, case: Case, own_headers: Mapping[str, str]) -> None:
            steer(data, case)
            case.call_and_validate(
                session=session,
                headers=dict(own_headers),
                additional_checks=list(more_checks),
                excluded_checks=not_checked,
            )

        asked()

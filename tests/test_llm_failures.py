"""What the refusals of a language model's endpoint mean."""

import json

import pytest

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from agentvoice.llm_failures import refusal


@pytest.mark.parametrize(
    ("status", "error", "kind", "says"),
    [
        (401, {"error": {"message": "no such key"}}, ProviderRejected, "answers 401; check the API key; no such key"),
        (404, {"error": "no such model"}, ProviderRejected, "answers 404; check the model and the URL; no such model"),
        (400, {"detail": "too\n long"}, ProviderRejected, "answers 400; too long"),
        (422, [{"error": {"message": "no"}}], ProviderRejected, "answers 422; no"),
        (429, {"message": "slow down"}, ProviderUnavailable, "answers 429; too many requests; slow down"),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, ProviderRejected, "requests; pay"),
        (500, [], ProviderUnavailable, r"answers 500; \[\]"),
        (529, {"type": "error", "error": {"message": "busy"}}, ProviderUnavailable, "answers 529; overloaded; busy"),
    ],
)
def test_a_refusal_says_what_to_do_and_whether_it_may_pass(
    status: int, error: object, kind: type[ProviderError], says: str
) -> None:
    found = refusal("acme", status, json.dumps(error).encode())

    assert type(found) is kind
    with pytest.raises(kind, match=f"acme: .*{says}$"):
        raise found


def test_a_hint_may_name_the_setting() -> None:
    found = refusal("acme", 401, b"", hints={401: "check AGENTVOICE_ACME_API_KEY"})

    assert str(found) == "acme: answers 401; check AGENTVOICE_ACME_API_KEY"


def test_it_says_how_long_to_wait_when_it_was_told() -> None:
    assert str(refusal("acme", 503, b"busy", retry_after="7")) == "acme: answers 503; busy; it asks to wait 7 s"
    assert str(refusal("acme", 503, b"busy", retry_after="tomorrow")) == "acme: answers 503; busy"

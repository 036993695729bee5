"""Nothing that is kept about an exchange with Daraja holds a secret."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from majuu_core.providers import ProviderError
from majuu_core.providers.http import Exchange
from tests.mpesa.support import (
    ACCEPTED,
    CALLBACK_URL,
    SECRETS,
    ScriptedDaraja,
    answer,
    error,
    fetch,
    make_provider,
    payment,
)

TOKEN = "SGWcJPtNtYNPGm6uSYR9yPYrAI3Bm"
BASIC = base64.b64encode(f"{SECRETS['consumer_key']}:{SECRETS['consumer_secret']}".encode()).decode()
HIDDEN = [*SECRETS.values(), TOKEN, BASIC, CALLBACK_URL.rsplit("/", 1)[1]]


def run(*replies: Any) -> tuple[list[Exchange], list[str], str]:
    """The exchanges of a push and a query, their texts, and the password that was sent."""
    seen: list[Exchange] = []
    problems: list[str] = []
    daraja = ScriptedDaraja(
        *replies, oauth=lambda: httpx.Response(200, json={"access_token": TOKEN, "expires_in": "3599"})
    )
    provider = make_provider(daraja, observe=seen.append)
    for call in (lambda: provider.sale(payment()), lambda: provider.fetch_payment(fetch())):
        try:
            problems.append(repr(call()))
        except ProviderError as problem:
            problems.append(f"{problem!r} {problem}")
    return seen, [repr(seen), *problems, repr(provider), repr(provider.context)], daraja.body(0)["Password"]


@pytest.mark.parametrize(
    "replies",
    [
        (answer(200, ACCEPTED), answer(200, {"ResultCode": "4999"})),
        (answer(500, text=f"<p>Bearer {TOKEN}</p>"), httpx.ReadTimeout(f"Bearer {TOKEN}")),
        (
            error(400, "400.002.02", f"Bad Request - Invalid Access Token - {TOKEN}"),
            error(500, "500.001.1001", f"Error Occurred - Invalid Access Token - {TOKEN}"),
            error(500, "500.001.1001", "Internal Server Error"),
        ),
    ],
)
def test_no_secret_is_kept_of_any_exchange(replies: tuple[Any, ...]) -> None:
    seen, texts, password = run(*replies)

    assert [found.operation for found in seen][:2] == ["oauth", "stk_push"]
    for hidden in [*HIDDEN, password]:
        assert not any(hidden in text for text in texts), hidden


def test_what_people_need_to_see_is_kept() -> None:
    seen, _, _ = run(answer(200, ACCEPTED), answer(200, {"ResultCode": "4999"}))
    push = json.loads(seen[1].request_body)

    assert [found.operation for found in seen] == ["oauth", "stk_push", "stk_query"]
    assert (push["Amount"], push["PhoneNumber"], push["AccountReference"]) == (1500, "254708374149", "ORDER1042")
    assert (push["Password"], push["CallBackURL"]) == ("[redacted]", CALLBACK_URL.rsplit("/", 1)[0] + "/[redacted]")
    assert json.loads(seen[1].response_body) == ACCEPTED
    assert json.loads(seen[0].response_body)["access_token"] == "[redacted]"
    assert (seen[1].status, seen[1].method, seen[1].error) == (200, "POST", "")


def test_what_comes_back_in_a_result_is_redacted() -> None:
    body = {**ACCEPTED, "access_token": TOKEN, "CustomerMessage": f"Bearer {TOKEN}"}
    result = make_provider(ScriptedDaraja(answer(200, body))).sale(payment())

    assert TOKEN not in repr(result)

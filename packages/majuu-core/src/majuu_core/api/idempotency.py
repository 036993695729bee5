"""Idempotency-Key on every POST (promise P1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from majuu_core.api.responses import json_response, raw_json_response
from majuu_core.common.money import AmountError
from majuu_core.common.problems import Problem
from majuu_core.idempotency.services import (
    RequestIdentity,
    StoredAnswer,
    begin_request,
    check_key,
    find_answer,
    finish_request,
    hash_request,
    release_request,
)
from majuu_core.merchants.api_keys import KeyIdentity

Answer = tuple[int, Any]


def identity_of(request: HttpRequest, caller: KeyIdentity) -> RequestIdentity | None:
    """The request under its key; None when it was sent without one. Raises Invalid for an unusable key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    return RequestIdentity(
        store_id=caller.store_id,
        livemode=caller.livemode,
        key=check_key(key),
        request_hash=hash_request(request.method or "", request.path, request.body),
    )


def replay(request: HttpRequest, answer: StoredAnswer) -> HttpResponse:
    """The first answer again, marked as such."""
    response = raw_json_response(request, answer.status, answer.body)
    response["Idempotency-Replayed"] = "true"
    return response


def replay_or_conflict(request: HttpRequest, identity: RequestIdentity) -> HttpResponse:
    """For a request that lost to another with the same key: its answer, or the conflict."""
    answer = find_answer(identity)
    if answer is None:
        raise RuntimeError("an idempotency key was taken and then gone")
    return replay(request, answer)


def run_once(request: HttpRequest, caller: KeyIdentity, work: Callable[[str], Answer]) -> HttpResponse:
    """Run ``work`` under the request's key and store its answer; a repeat gets the stored one.

    ``work`` is given a name for this request (empty without a key) under which it can find what an earlier, killed run
    of the same request left behind. A refusal releases the key: nothing had happened.
    """
    identity = identity_of(request, caller)
    if identity is None:
        return json_response(request, *work(""))
    begun = begin_request(identity)
    if isinstance(begun, StoredAnswer):
        return replay(request, begun)
    try:
        status, payload = work(_name(identity))
    except (Problem, AmountError):
        release_request(begun)
        raise
    body = orjson.dumps(payload).decode()
    finish_request(begun, status=status, body=body)
    return raw_json_response(request, status, body)


def run_once_atomically(
    request: HttpRequest, caller: KeyIdentity, work: Callable[[], Answer], *, secret: bool = False
) -> HttpResponse:
    """As ``run_once``, for work that only writes to the database: its effect and its answer commit together.

    A run that is killed leaves nothing behind, so the one that takes its key over does the work for the first time.
    ``secret`` answers are kept encrypted.
    """
    identity = identity_of(request, caller)
    if identity is None:
        return json_response(request, *work())
    begun = begin_request(identity)
    if isinstance(begun, StoredAnswer):
        return replay(request, begun)
    try:
        with transaction.atomic():
            status, payload = work()
            body = orjson.dumps(payload).decode()
            finish_request(begun, status=status, body=body, secret=secret)
    except BaseException:
        release_request(begun)
        raise
    return raw_json_response(request, status, body)


def _name(identity: RequestIdentity) -> str:
    """The same for every run of the same request, also when its key was released in between."""
    text = f"{identity.store_id}:{identity.livemode}:{identity.key}:{identity.request_hash}"
    return hashlib.sha256(text.encode()).hexdigest()

"""One effect, one answer: the life of an idempotency key."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.idempotency.services import (
    KEEP,
    Begun,
    RequestIdentity,
    StoredAnswer,
    begin_request,
    build_finished,
    check_key,
    find_answer,
    finish_request,
    hash_request,
    purge_keys,
    release_request,
)

pytestmark = pytest.mark.django_db
IDENTITY = RequestIdentity(store_id=uuid.UUID(int=7), livemode=False, key="order-7", request_hash="a" * 64)


def begin(identity: RequestIdentity = IDENTITY) -> Begun:
    begun = begin_request(identity)
    assert isinstance(begun, Begun)
    return begun


def test_a_finished_request_gives_its_answer_again(virtual_clock: VirtualClock) -> None:
    finish_request(begin(), status=201, body='{"a":1}')
    assert begin_request(IDENTITY) == StoredAnswer(201, '{"a":1}')
    assert find_answer(IDENTITY) == StoredAnswer(201, '{"a":1}')


def test_while_the_first_runs_the_second_is_asked_to_wait(virtual_clock: VirtualClock) -> None:
    begin()
    with pytest.raises(Conflict) as refused:
        begin_request(IDENTITY)
    assert (refused.value.code, refused.value.retry_after) == ("idempotency_key_in_use", 2)
    assert IdempotencyKey.objects.count() == 1


def test_another_request_under_the_key_is_refused_at_any_time(virtual_clock: VirtualClock) -> None:
    other = replace(IDENTITY, request_hash="b" * 64)
    begun = begin()
    with pytest.raises(Conflict) as refused:
        begin_request(other)
    assert refused.value.code == "idempotency_key_reused"
    finish_request(begun, status=200, body="{}")
    with pytest.raises(Conflict) as refused:
        find_answer(other)
    assert refused.value.code == "idempotency_key_reused"


@pytest.mark.parametrize("change", [{"store_id": uuid.UUID(int=8)}, {"livemode": True}, {"key": "order-8"}])
def test_store_mode_and_key_make_the_identity(virtual_clock: VirtualClock, change: dict[str, object]) -> None:
    begin()
    assert begin(replace(IDENTITY, **change)).taken_over is False  # type: ignore[arg-type]


def test_a_released_key_may_be_used_again(virtual_clock: VirtualClock) -> None:
    release_request(begin())
    assert find_answer(IDENTITY) is None
    assert begin().taken_over is False


def test_a_finished_key_cannot_be_released(virtual_clock: VirtualClock) -> None:
    begun = begin()
    finish_request(begun, status=200, body="{}")
    release_request(begun)
    assert find_answer(IDENTITY) == StoredAnswer(200, "{}")


def test_a_request_that_died_is_taken_over_once_its_lock_is_over(virtual_clock: VirtualClock) -> None:
    begin()
    virtual_clock.advance(89)
    with pytest.raises(Conflict):
        begin_request(IDENTITY)
    virtual_clock.advance(1)
    assert begin().taken_over is True
    with pytest.raises(Conflict):
        begin_request(IDENTITY)


def test_keys_are_kept_four_days_and_then_removed(virtual_clock: VirtualClock) -> None:
    assert timedelta(hours=72) <= KEEP
    build_finished(IDENTITY, status=200, body="{}").save(force_insert=True)
    virtual_clock.advance(KEEP)
    assert purge_keys() == 0
    virtual_clock.advance(1)
    assert purge_keys() == 1
    assert find_answer(IDENTITY) is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ké", "\x00"])
def test_unusable_keys_are_refused(key: str) -> None:
    with pytest.raises(Invalid):
        check_key(key)


def test_method_path_and_body_make_the_hash() -> None:
    hashes = {
        hash_request(*parts)
        for parts in (("POST", "/a", b"x"), ("PUT", "/a", b"x"), ("POST", "/b", b"x"), ("POST", "/a", b"y"))
    }
    assert len(hashes) == 4


def test_a_secret_answer_is_not_readable_in_the_table(virtual_clock: VirtualClock) -> None:
    """given an answer that shows a signing secret / then the row does not, and whoever repeats the request gets it."""
    body = '{"secret":"whsec_verysecret"}'
    finish_request(begin(), status=201, body=body, secret=True)
    row = IdempotencyKey.objects.get()
    assert "verysecret" not in row.response_body
    assert find_answer(IDENTITY) == StoredAnswer(201, body)


def test_a_sealed_answer_belongs_to_its_row(virtual_clock: VirtualClock) -> None:
    """given two requests / when somebody puts the answer of one under the other / then it does not open."""
    finish_request(begin(), status=201, body='{"secret":"a"}', secret=True)
    other = replace(IDENTITY, key="order-8")
    finish_request(begin(other), status=201, body='{"secret":"b"}', secret=True)
    stolen = IdempotencyKey.objects.get(key=IDENTITY.key).response_body
    IdempotencyKey.objects.filter(key=other.key).update(response_body=stolen)
    with pytest.raises(Conflict) as refused:
        find_answer(other)
    assert refused.value.code == "idempotency_answer_lost"


def test_a_sealed_answer_survives_the_rotation_of_the_master_key_only_while_the_old_one_is_listed(
    virtual_clock: VirtualClock, settings: Any
) -> None:
    old, new = "the old master key of at least 32 characters", "the new master key of at least 32 characters"
    settings.MAJUU_ENCRYPTION_KEYS = [old]
    finish_request(begin(), status=201, body='{"secret":"a"}', secret=True)
    settings.MAJUU_ENCRYPTION_KEYS = [new, old]
    assert find_answer(IDENTITY) == StoredAnswer(201, '{"secret":"a"}')
    settings.MAJUU_ENCRYPTION_KEYS = [new]
    with pytest.raises(Conflict) as refused:
        find_answer(IDENTITY)
    assert (refused.value.code, refused.value.field) == ("idempotency_answer_lost", "Idempotency-Key")

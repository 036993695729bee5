"""Adding, changing and removing webhook endpoints, and rotating their secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.webhooks import endpoints
from majuu_core.webhooks.endpoints import (
    MAX_ENDPOINTS,
    create_webhook_endpoint,
    delete_webhook_endpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    open_secrets,
    rotate_secret,
    send_test_event,
    update_webhook_endpoint,
)
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from majuu_core.webhooks.signing import key_of

URL = "https://shop.example/webhooks"


@pytest.fixture
def made(virtual_clock: VirtualClock, store: Store) -> endpoints.Created:
    return create_webhook_endpoint(store=store, livemode=False, url=URL)


def audited() -> list[str]:
    # By name: entries of one virtual moment have no order of their own.
    return sorted(AuditEntry.objects.filter(action__startswith="webhook").values_list("action", flat=True))


def secrets_of(endpoint: WebhookEndpoint) -> list[bytes]:
    rows = WebhookSecret.objects.filter(endpoint=endpoint).order_by("-pk").values_list("sealed", "expires_at")
    return [key for key, _ in open_secrets(endpoint.public_id, rows)]


def test_a_new_endpoint_shows_its_secret_once_and_stores_it_encrypted(store: Store) -> None:
    """given a store / when it adds an endpoint / then it gets a secret that is nowhere stored in clear."""
    made = create_webhook_endpoint(
        store=store, livemode=False, url=URL, event_types=["charge.*", "charge.*"], description="Orders"
    )

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.event_types, endpoint.status) == (URL, ["charge.*"], "enabled")
    assert made.secret.startswith("whsec_")
    sealed = WebhookSecret.objects.get().sealed
    assert made.secret not in sealed
    assert made.secret.removeprefix("whsec_") not in sealed
    assert secrets_of(endpoint) == [key_of(made.secret)]
    assert made.secret not in repr(made)
    assert audited() == ["webhook_endpoint.created"]


def test_a_secret_copied_to_another_endpoint_does_not_open(store: Store, made: endpoints.Created) -> None:
    """given two endpoints / when one's sealed secret is put in the other's row / then it cannot be opened."""
    other = create_webhook_endpoint(store=store, livemode=False, url=URL + "/2").endpoint
    sealed = WebhookSecret.objects.get(endpoint=made.endpoint).sealed

    with pytest.raises(Exception, match="changed or belongs elsewhere"):
        open_secrets(other.public_id, [(sealed, None)])


BAD_URLS = [
    ("", "url_invalid"),
    ("shop.example", "url_invalid"),
    ("/webhooks", "url_invalid"),
    ("ftp://shop.example/", "url_invalid"),
    ("javascript:alert(1)", "url_invalid"),
    ("https://", "url_invalid"),
    ("https:///path", "url_invalid"),
    ("https://shop.example:0/", "url_invalid"),
    ("https://shop.example:99999/", "url_invalid"),
    ("https://shop.example:port/", "url_invalid"),
    ("https://user@shop.example/", "url_invalid"),
    ("https://user:password@shop.example/", "url_invalid"),
    ("https://:password@shop.example/", "url_invalid"),
    ("https://shop.example/#top", "url_invalid"),
    ("https://shop.example/a b", "url_invalid"),
    ("https://shop.example/a\nHost: evil", "url_invalid"),
    ("https://shop.example\\@evil.example/", "url_invalid"),
    ("https://shöp.example/", "url_invalid"),
    ("https://[::1/", "url_invalid"),
    ("https://shop.example/" + "a" * 480, "url_too_long"),
    ("http://shop.example/", "url_not_https"),
    ("https://localhost/", "url_private"),
    ("https://LOCALHOST./", "url_private"),
    ("https://db.internal/", "url_private"),
    ("https://printer.local/", "url_private"),
    ("https://intranet/", "url_private"),
    ("https://127.0.0.1/", "url_private"),
    ("https://127.1/", "url_private"),
    ("https://2130706433/", "url_private"),
    ("https://0x7f000001/", "url_private"),
    ("https://0177.0.0.1/", "url_private"),
    ("https://10.0.0.7:8443/", "url_private"),
    ("https://169.254.169.254/latest/meta-data", "url_private"),
    ("https://[::1]/", "url_private"),
    ("https://[::ffff:10.0.0.1]/", "url_private"),
    ("https://[64:ff9b::a00:1]/", "url_private"),
]


@pytest.mark.parametrize("livemode", [False, True])
@pytest.mark.parametrize(("url", "code"), BAD_URLS)
def test_an_address_that_cannot_be_used_is_refused_with_its_reason(
    store: Store, url: str, code: str, livemode: bool
) -> None:
    """given an address that is malformed, not https or not public / when it is added / then nothing is stored."""
    with pytest.raises(Invalid) as refused:
        create_webhook_endpoint(store=store, livemode=livemode, url=url)

    assert (refused.value.code, refused.value.field) == (code, "url")
    assert not WebhookEndpoint.objects.exists()
    assert audited() == []


@pytest.mark.parametrize(
    "url", [URL, "https://shop.example:8443/a?b=c", "https://41.90.1.2/hook", "HTTPS://Shop.Example/"]
)
def test_public_https_addresses_are_taken_in_both_modes(store: Store, url: str) -> None:
    """given a public https address / when it is added in test and live mode / then it is kept as it was written."""
    for livemode in (False, True):
        assert create_webhook_endpoint(store=store, livemode=livemode, url=url).endpoint.url == url


def test_a_sandbox_takes_http_and_private_addresses_in_test_mode_only(store: Store, settings: Settings) -> None:
    """given the sandbox setting / when http addresses of this machine are added / then test takes them, live not."""
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True

    assert create_webhook_endpoint(store=store, livemode=False, url="http://127.0.0.1:8001/hook").secret
    with pytest.raises(Invalid) as refused:
        create_webhook_endpoint(store=store, livemode=True, url="http://127.0.0.1:8001/hook")
    assert refused.value.code == "url_not_https"


@pytest.mark.parametrize(
    ("patterns", "code"),
    [
        (["payment_intent.suceeded"], "event_type_unknown"),
        (["parcel.*"], "event_type_unknown"),
        (["*.succeeded"], "event_type_unknown"),
        (["payment_intent"], "event_type_unknown"),
        ([""], "event_type_unknown"),
        (["Payment_intent.*"], "event_type_unknown"),
        ([f"charge.x{number}" for number in range(51)], "event_types_too_many"),
    ],
)
def test_unknown_event_types_are_refused(store: Store, patterns: list[str], code: str) -> None:
    """given a type that no event has / when an endpoint asks for it / then it is refused instead of staying silent."""
    with pytest.raises(Invalid) as refused:
        create_webhook_endpoint(store=store, livemode=False, url=URL, event_types=patterns)

    assert (refused.value.code, refused.value.field) == (code, "event_types")
    assert not WebhookEndpoint.objects.exists()


def test_a_store_has_at_most_twenty_endpoints_per_mode(store: Store) -> None:
    """given twenty endpoints / when one more is added / then it is refused until one is deleted; live counts apart."""
    rows = [create_webhook_endpoint(store=store, livemode=False, url=URL).endpoint for _ in range(MAX_ENDPOINTS)]

    with pytest.raises(Conflict) as refused:
        create_webhook_endpoint(store=store, livemode=False, url=URL)
    assert refused.value.code == "endpoints_too_many"
    assert WebhookEndpoint.objects.count() == MAX_ENDPOINTS

    create_webhook_endpoint(store=store, livemode=True, url=URL)
    delete_webhook_endpoint(endpoint=rows[0])
    create_webhook_endpoint(store=store, livemode=False, url=URL)


def test_update_changes_what_is_given_and_records_before_and_after(made: endpoints.Created) -> None:
    """given an endpoint / when its address changes / then only that changes and the audit entry says what it was."""
    before = made.endpoint.updated_at

    changed = update_webhook_endpoint(endpoint=made.endpoint, url=URL + "/new")

    assert (changed.url, changed.event_types, changed.description) == (URL + "/new", [], "")
    assert changed.updated_at > before
    entry = AuditEntry.objects.get(action="webhook_endpoint.updated")
    assert entry.changes == {"url": [URL, URL + "/new"]}
    assert (entry.object_id, entry.store_id) == (changed.public_id, changed.store_id)


def test_an_update_that_changes_nothing_writes_nothing(made: endpoints.Created) -> None:
    """given an endpoint / when it is updated to what it is / then there is no audit entry and the same time."""
    same = update_webhook_endpoint(endpoint=made.endpoint, url=URL, event_types=[], description="")

    assert same.updated_at == WebhookEndpoint.objects.get().updated_at == made.endpoint.updated_at
    assert audited() == ["webhook_endpoint.created"]


def test_a_refused_update_changes_nothing(made: endpoints.Created) -> None:
    """given an endpoint / when it is updated with one good and one bad value / then neither is stored."""
    with pytest.raises(Invalid):
        update_webhook_endpoint(endpoint=made.endpoint, description="new", url="http://shop.example/")
    with pytest.raises(Invalid):
        update_webhook_endpoint(endpoint=made.endpoint, description="x" * 256)

    assert WebhookEndpoint.objects.get().description == ""


def test_deleting_keeps_the_log_and_removes_the_secrets(
    made: endpoints.Created, make_event: Callable[..., Event]
) -> None:
    """given an endpoint with a waiting delivery / when deleted twice / then it is canceled, the row stays."""
    WebhookDelivery.objects.create(event=make_event(), endpoint=made.endpoint, next_attempt_at=made.endpoint.created_at)

    delete_webhook_endpoint(endpoint=made.endpoint)
    gone = delete_webhook_endpoint(endpoint=made.endpoint)

    assert gone.status == "archived"
    assert not WebhookSecret.objects.exists()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.next_attempt_at) == ("canceled", None)
    assert audited() == ["webhook_endpoint.created", "webhook_endpoint.deleted"]


@pytest.mark.parametrize(
    "change",
    [
        lambda endpoint: update_webhook_endpoint(endpoint=endpoint, description="x"),
        lambda endpoint: rotate_secret(endpoint=endpoint),
        lambda endpoint: enable_webhook_endpoint(endpoint=endpoint),
        lambda endpoint: send_test_event(endpoint=endpoint),
    ],
)
def test_a_deleted_endpoint_cannot_come_back(made: endpoints.Created, change: Callable[[Any], Any]) -> None:
    """given a deleted endpoint / when anything is done with it / then it is refused and stays deleted."""
    delete_webhook_endpoint(endpoint=made.endpoint)

    with pytest.raises(Conflict) as refused:
        change(made.endpoint)

    assert refused.value.code == "endpoint_deleted"
    assert WebhookEndpoint.objects.get().status == "archived"
    assert not WebhookSecret.objects.exists()


def test_rotation_keeps_the_old_secret_for_the_overlap(made: endpoints.Created, virtual_clock: VirtualClock) -> None:
    """given a secret / when it is rotated twice / then the newest comes first and older ones end, each in its time."""
    second = rotate_secret(endpoint=made.endpoint)
    third = rotate_secret(endpoint=made.endpoint, overlap=timedelta(hours=1))

    assert secrets_of(made.endpoint) == [key_of(item.secret) for item in (third, second, made)]
    ends = WebhookSecret.objects.order_by("pk").values_list("expires_at", flat=True)
    assert list(ends) == [virtual_clock.now() + timedelta(hours=1)] * 2 + [None]
    assert audited()[1:] == ["webhook_endpoint.secret_rotated"] * 2


def test_rotation_without_overlap_ends_the_old_secret_at_once(
    made: endpoints.Created, virtual_clock: VirtualClock
) -> None:
    """given a leaked secret / when it is rotated without overlap / then only the new one is left."""
    fresh = rotate_secret(endpoint=made.endpoint, overlap=timedelta(0))

    assert secrets_of(made.endpoint) == [key_of(fresh.secret)]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_an_overlap_outside_seven_days_is_refused(made: endpoints.Created, overlap: timedelta) -> None:
    """given an overlap that is negative or too long / when rotating / then the secret stays as it is."""
    with pytest.raises(Invalid) as refused:
        rotate_secret(endpoint=made.endpoint, overlap=overlap)

    assert (refused.value.code, refused.value.field) == ("overlap_invalid", "overlap")
    assert secrets_of(made.endpoint) == [key_of(made.secret)]


def test_disabling_cancels_what_waits_and_tells_the_store(
    made: endpoints.Created, make_event: Callable[..., Event], virtual_clock: VirtualClock
) -> None:
    """given an enabled endpoint / when it is disabled, twice / then its work is canceled and one event tells of it."""
    WebhookDelivery.objects.create(event=make_event(), endpoint=made.endpoint, next_attempt_at=virtual_clock.now())

    assert disable_webhook_endpoint(endpoint=made.endpoint, reason="It answered 410 Gone.")
    assert not disable_webhook_endpoint(endpoint=made.endpoint, reason="again")

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "It answered 410 Gone.")
    assert endpoint.disabled_at == virtual_clock.now()
    assert WebhookDelivery.objects.get().state == "canceled"
    event = Event.objects.get(type="webhook_endpoint.disabled")
    assert event.data["webhook_endpoint"]["id"] == endpoint.public_id
    assert "secret" not in str(event.data)


def test_enabling_starts_with_a_clean_slate(made: endpoints.Created, virtual_clock: VirtualClock) -> None:
    """given a disabled endpoint with a history of failures / when it is enabled / then the history is forgotten."""
    now = virtual_clock.now()
    WebhookEndpoint.objects.update(failing_since=now, last_failure_at=now, notice_sent_at=now, throttled_until=now)
    disable_webhook_endpoint(endpoint=made.endpoint, reason="test")

    endpoint = enable_webhook_endpoint(endpoint=made.endpoint)

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason, endpoint.disabled_at) == ("enabled", "", None)
    assert [endpoint.failing_since, endpoint.last_failure_at, endpoint.notice_sent_at, endpoint.throttled_until] == [
        None
    ] * 4


def test_a_test_event_goes_to_this_endpoint_alone(store: Store, made: endpoints.Created) -> None:
    """given two endpoints / when one asks for a test event / then it alone gets one delivery."""
    create_webhook_endpoint(store=store, livemode=False, url=URL)

    delivery = send_test_event(endpoint=made.endpoint)

    assert WebhookDelivery.objects.get() == delivery
    assert delivery.endpoint == made.endpoint
    assert (delivery.event.type, delivery.event.dispatched_at is not None) == ("webhook_endpoint.test", True)


def test_a_disabled_endpoint_gets_no_test_event(made: endpoints.Created) -> None:
    """given a disabled endpoint / when it asks for a test event / then it is refused and nothing is written."""
    disable_webhook_endpoint(endpoint=made.endpoint, reason="test")

    with pytest.raises(Conflict) as refused:
        send_test_event(endpoint=made.endpoint)

    assert refused.value.code == "endpoint_disabled"
    assert not WebhookDelivery.objects.exists()

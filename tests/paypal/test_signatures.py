"""What is refused before any signature is looked at, and certificates made for these tests."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

pytest.importorskip("majuu_sim.paypal", reason="majuu-sim is not installed")
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import Trust, WebhookRejected, WebhookRequest
from majuu_core.testing.memory import MemoryCache
from majuu_paypal.certificates import verified_key
from majuu_paypal.options import verification
from majuu_paypal.signatures import signed_text
from majuu_sim.paypal.signing import EXPIRED, GENUINE, chains
from tests.paypal.scripted import CREDENTIALS, ScriptedPaypal
from tests.paypal.shop import root_file

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
BODY = '{"id":"WH-1","summary":"Ndizi — 20 €"}'.encode()


def _signed(headers: dict[str, str] | None = None, time: str = "2026-01-05T09:00:00Z") -> WebhookRequest:
    text = signed_text("b2384410-f8d2", time, CREDENTIALS["webhook_id"], BODY)
    return WebhookRequest(
        method="POST",
        headers={
            "paypal-transmission-id": "b2384410-f8d2",
            "paypal-transmission-time": time,
            "paypal-transmission-sig": chains().signers[GENUINE].sign(text),
            "paypal-cert-url": URL,
            "paypal-auth-algo": "SHA256withRSA",
            **(headers or {}),
        },
        query={},
        body=BODY,
        remote_addr="203.0.113.9",
    )


def _verify(message: WebhookRequest, *replies: httpx.Response) -> Trust:
    settings = {"root_certificates": str(root_file())}
    with use_clock(VirtualClock(NOW)):
        return ScriptedPaypal(*replies).provider(options=settings).verify_webhook(message)


def _certificate(signer: str = GENUINE) -> httpx.Response:
    return httpx.Response(200, text=chains().signers[signer].pem)


def test_the_text_that_is_signed_holds_the_checksum_of_the_raw_bytes() -> None:
    assert signed_text("id", "time", "hook", b"123456789") == b"id|time|hook|3421780262"


def test_a_message_of_any_bytes_is_verified_as_it_came() -> None:
    assert _verify(_signed(), _certificate()) is Trust.SIGNED
    with pytest.raises(WebhookRejected):
        _verify(replace(_signed(), body=BODY.decode().encode("ascii", "backslashreplace")), _certificate())


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"paypal-transmission-sig": ""}, "is missing"),
        ({"paypal-cert-url": "x" * 1001}, "too long"),
        ({"paypal-transmission-time": "yesterday"}, "cannot be read"),
        ({"paypal-transmission-time": "2026-01-05T09:00:00"}, "cannot be read"),
        ({"paypal-transmission-time": "0001-01-01T00:00:00+14:00"}, "cannot be read"),
        ({"paypal-transmission-time": "2026-01-05T09:11:00Z"}, "in the future"),
        ({"paypal-transmission-time": "2026-01-02T02:59:00Z"}, "too long ago"),
        ({"paypal-auth-algo": "SHA1withRSA"}, "SHA256withRSA only"),
        ({"paypal-cert-url": "https://evil.example/v1/notifications/certs/CERT-1"}, "PayPal's host"),
        ({"paypal-cert-url": "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"}, "PayPal's host"),
        ({"paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-1"}, "PayPal's host"),
    ],
)
def test_headers_that_cannot_be_paypals_are_refused_without_asking_anybody(
    headers: dict[str, str], reason: str
) -> None:
    with pytest.raises(WebhookRejected, match=reason):
        _verify(_signed(headers))  # any request would fail: there is no reply


@pytest.mark.parametrize("signature", ["not base64", base64.b64encode(b"x" * 256).decode(), "", "AAAA"])
def test_signatures_that_are_none(signature: str) -> None:
    with pytest.raises(WebhookRejected):
        _verify(_signed({"paypal-transmission-sig": signature}), _certificate())


def test_only_post_is_taken() -> None:
    with pytest.raises(WebhookRejected, match="POST"):
        _verify(replace(_signed(), method="GET"))


@pytest.mark.parametrize(
    ("reply", "trust"),
    [
        (httpx.Response(500), Trust.UNSIGNED),
        (httpx.Response(429), Trust.UNSIGNED),
        (httpx.Response(404), None),
        (httpx.Response(302, headers={"Location": "https://evil.example"}), None),
        (httpx.Response(200, text="no certificate"), None),
        (httpx.Response(200, text="x" * 50_001), None),
    ],
)
def test_answers_in_place_of_a_certificate(reply: httpx.Response, trust: Trust | None) -> None:
    if trust is not None:
        assert _verify(_signed(), reply) is trust
        return
    with pytest.raises(WebhookRejected, match="no certificate"):
        _verify(_signed(), reply)


def test_a_certificate_counts_from_its_first_day_to_its_last() -> None:
    settings = replace(verification({}, livemode=False), root_certificates=str(root_file()))
    pem = chains().signers[EXPIRED].pem

    assert verified_key(pem, settings=settings, now=datetime(2024, 6, 1, tzinfo=UTC)).key_size == 2048
    for moment in (datetime(2023, 12, 31, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=1)):
        with pytest.raises(WebhookRejected, match="not PayPal's"):
            verified_key(pem, settings=settings, now=moment)


def test_a_kept_certificate_that_is_over_is_fetched_anew() -> None:
    """Given a certificate that was kept and ended, when it was replaced at its address, then messages are believed."""
    cache, settings = MemoryCache(), {"root_certificates": str(root_file())}
    old, new = ScriptedPaypal(_certificate(EXPIRED)), ScriptedPaypal(_certificate(GENUINE))
    trusts = []
    for paypal, now in (
        (old, datetime(2024, 12, 31, 23, 50, tzinfo=UTC)),
        (new, datetime(2025, 1, 1, 0, 10, tzinfo=UTC)),
    ):
        with use_clock(VirtualClock(now)):
            provider = paypal.provider(cache=cache, options=settings)
            trusts.append(provider.verify_webhook(_signed(time=f"{now:%Y-%m-%dT%H:%M:%SZ}")))

    assert trusts == [Trust.SIGNED, Trust.SIGNED]
    assert len(new.requests) == 1


def test_a_sandbox_certificate_proves_nothing_to_a_live_account() -> None:
    settings = replace(verification({}, livemode=True), root_certificates=str(root_file()))

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        verified_key(chains().signers[GENUINE].pem, settings=settings, now=NOW)

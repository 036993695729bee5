"""The callback self-test: what comes back from our own address says what stands in the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url
from majuu_core.providers.http import ProviderHttp
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.self_test import NAME, run_self_test

pytestmark = pytest.mark.django_db
HTTPS = "https://pay.example.com"
Answerer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def account(virtual_clock: VirtualClock, db: None, settings: Any) -> ProviderAccount:
    settings.MAJUU_PUBLIC_URL = HTTPS
    return make_provider_account()


def ourselves(request: httpx.Request) -> httpx.Response:
    """This site, reached directly."""
    answer = Client().post(request.url.path, request.content, content_type="application/json", secure=True)
    return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": answer["content-type"]})


def verdicts(account: ProviderAccount, answerer: Answerer) -> list[tuple[str, str, str]]:
    http = ProviderHttp(client=httpx.Client(transport=httpx.MockTransport(answerer)))
    return [(check.name, check.state, check.message) for check in run_self_test(account, http=http)]


def verdict(account: ProviderAccount, answerer: Answerer) -> tuple[str, str]:
    name, state, message = verdicts(account, answerer)[-1]
    assert name == NAME
    return state, message


def test_a_message_that_arrives_is_kept_and_found(account: ProviderAccount) -> None:
    """given a site that its own address reaches / when tested / then the message is kept, not parked."""
    found = verdicts(account, ourselves)
    row = InboundWebhook.objects.get()
    assert found == [
        ("Public address", "ok", f"Providers are told to call {HTTPS}."),
        (NAME, "ok", f"A message to our public address arrived as {row.public_id}."),
    ]
    assert (row.state, row.topic, row.provider_account, row.reason) == (
        "applied",
        "selftest",
        account,
        "A self-test of ours: it arrived.",
    )
    assert row.processed_at is not None


def fails_with(problem: type[httpx.TransportError], text: str) -> Answerer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise problem(text)

    return answer


def answers_with(status: int, text: str = "", kind: str = "text/html; charset=utf-8", **headers: str) -> Answerer:
    return lambda request: httpx.Response(status, text=text, headers={"content-type": kind, **headers})


def redirects_to(change: Callable[[str], str]) -> Answerer:
    return lambda request: httpx.Response(301, headers={"location": change(str(request.url))})


@pytest.mark.parametrize(
    ("answerer", "says"),
    [
        (fails_with(httpx.ConnectError, "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer"), "TLS certificate of"),
        (fails_with(httpx.ConnectError, "[Errno -2] Name or service not known"), "is not known to the DNS"),
        (fails_with(httpx.ConnectError, "[Errno 111] Connection refused"), "Nothing listens at pay.example.com"),
        (fails_with(httpx.ConnectTimeout, "timed out"), "Nothing listens at pay.example.com"),
        (fails_with(httpx.ReadTimeout, "timed out"), "did not answer within 10 s"),
        (redirects_to(lambda url: url + "/"), "to the same address with a slash"),
        (redirects_to(lambda url: url.replace("https://", "http://")), "to http://. Set MAJUU_PUBLIC_URL"),
        (redirects_to(lambda url: url.replace("//pay.", "//www.")), "to another host, www.example.com"),
        (redirects_to(lambda url: "/accounts/login/"), "to '/accounts/login/'. Exempt /in/"),
        (answers_with(403, "<html>Request unsuccessful. Incapsula"), "a firewall or login in front of this"),
        (answers_with(200, "<html>Checking your browser"), "a firewall or login in front of this"),
        (answers_with(429, "", "application/json"), "a firewall or login in front of this"),
        (answers_with(404, "<h1>Not Found</h1>"), "does not know the address"),
        (answers_with(502, "Bad gateway", "text/plain"), "HTTP 502: this site, or the proxy"),
        (answers_with(200, '{"ok": true}', "application/json"), "the answer is not ours"),
        (answers_with(200, '{"majuu_self_test": "forged"}', "application/json"), "the answer is not ours"),
        (answers_with(200, r'{"majuu_self_test": "\ud800"}', "application/json"), "the answer is not ours"),
        (
            answers_with(200, '{"majuu_self_test": null}', "application/json"),
            "arrived changed, or at a Majuu with other",
        ),
    ],
)
def test_each_obstacle_is_told_apart(account: ProviderAccount, answerer: Answerer, says: str) -> None:
    """given something between the world and this site / when tested / then the error names it."""
    state, message = verdict(account, answerer)
    assert state == "error"
    assert says in message
    assert InboundWebhook.objects.count() == 0


def test_a_majuu_with_another_database_is_told_apart(account: ProviderAccount) -> None:
    """given an answer that only our keys can give / when the message is not in this database / then it says so."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = ourselves(request)
        InboundWebhook.objects.all().delete()
        return found

    state, message = verdict(account, answer)
    assert state == "error"
    assert "two sites share the address" in message


@pytest.mark.parametrize(("proxies", "warned"), [([], True), (["10.0.0.0/8"], False)])
def test_a_proxy_that_is_not_named_is_found(
    account: ProviderAccount, settings: Any, proxies: list[str], warned: bool
) -> None:
    """given a proxy in front / when it is not in MAJUU_TRUSTED_PROXIES / then a warning."""
    settings.MAJUU_TRUSTED_PROXIES = proxies

    def answer(request: httpx.Request) -> httpx.Response:
        through: Any = {"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "41.90.1.1", "secure": True}
        found = Client().post(request.url.path, request.content, content_type="application/json", **through)
        return httpx.Response(found.status_code, content=found.content)

    checks = verdicts(account, answer)
    assert ("Sender's address" in {name for name, _, _ in checks}) is warned
    assert checks[1][1] == "ok"


@pytest.mark.parametrize(
    ("address", "livemode", "state"),
    [
        ("https://pay.example.com", True, "ok"),
        ("http://pay.example.com", True, "error"),
        ("http://pay.example.com", False, "ok"),
        ("http://127.0.0.1:8000", False, "warning"),
        ("https://10.0.0.5", True, "error"),
        ("https://pay.local", True, "error"),
        ("http://localhost:8000", False, "warning"),
    ],
)
def test_the_public_address_is_judged(
    virtual_clock: VirtualClock, settings: Any, address: str, livemode: bool, state: str
) -> None:
    """given an address / when tested / then what no provider can reach is said before anything is sent."""
    settings.MAJUU_PUBLIC_URL = address
    account = make_provider_account(livemode=livemode)
    assert verdicts(account, ourselves)[0][1] == state


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"majuu_self_test": 5}',
        b'{"majuu_self_test": "a.b"}',
        b"\xff" * 9000,
        b'{"x":' * 50,
        rb'{"majuu_self_test": "\ud800.\ud800"}',
    ],
)
def test_a_strangers_self_test_is_kept_as_rejected(account: ProviderAccount, body: bytes) -> None:
    """given the secret address / when somebody else posts a self-test / then it proves nothing and little is kept."""
    path = account_callback_url(account.pk).removeprefix(HTTPS)
    answer = Client().post(f"{path}/selftest", body, content_type="application/json", secure=True)
    assert (answer.status_code, json.loads(answer.content)) == (200, {"majuu_self_test": None})
    row = InboundWebhook.objects.get()
    assert (row.state, row.reason) == ("rejected", "A self-test that this site did not send.")
    assert len(bytes(row.body)) <= 200


def test_another_address_answers_nothing(account: ProviderAccount) -> None:
    """given a self-test of ours / when it is sent to a wrong secret / then 404 and nothing is kept."""
    path = account_callback_url(account.pk).removeprefix(HTTPS)
    wrong = path[:-4] + ("0000" if not path.endswith("0000") else "1111")
    assert Client().post(f"{wrong}/selftest", b"{}", content_type="application/json", secure=True).status_code == 404
    assert InboundWebhook.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_over_a_real_connection(live_server: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """given a running site / when the command tests its callbacks over HTTP / then it arrives; elsewhere, it fails."""
    settings.MAJUU_PUBLIC_URL = live_server.url
    account = make_provider_account()
    call_command("majuu_check_account", account.public_id, "--callback")
    printed = capsys.readouterr().out
    assert re.search(r"ok +Callback self-test +A message to our public address arrived as iwh_", printed)

    settings.MAJUU_PUBLIC_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match="1 of 1 accounts have errors"):
        call_command("majuu_check_account", account.public_id, "--callback")
    assert "Nothing listens at 127.0.0.1:1" in capsys.readouterr().out

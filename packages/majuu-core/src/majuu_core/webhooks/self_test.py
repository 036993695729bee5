"""The callback self-test: post to our own public address as a provider would, and see whether it arrives here.

What a provider cannot tell us is why its callbacks do not come. A redirect, a firewall's page, a certificate, another
host behind the name: each looks different from outside, and from outside is where the test comes from.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from majuu_core import configuration
from majuu_core.common import clock, crypto, randomness
from majuu_core.common.addresses import is_public_address
from majuu_core.common.redaction import redact_text
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.calls import refuse_open_transaction
from majuu_core.providers import NotSent, OutcomeUnknown, SelfCheck
from majuu_core.providers.http import Answer, ProviderHttp
from majuu_core.providers.types import WebhookResponse
from majuu_core.webhooks.models import InboundWebhook

SELF_TEST_TOPIC = "selftest"
NAME = "Callback self-test"
_PURPOSE = "callback-self-test"
_MOST = 200  # bytes of a self-test's body
_CONNECT_SECONDS, _READ_SECONDS = 5, 10


def answer_self_test(inbound: InboundWebhook) -> WebhookResponse:
    """Keep a self-test of ours and prove that it was us who got it. Anybody else's is kept as rejected."""
    text = _read_nonce(bytes(inbound.body))
    inbound.processed_at = clock.now()
    if text is None:
        inbound.state, inbound.reason = InboundWebhook.State.REJECTED, "A self-test that this site did not send."
        inbound.body = bytes(inbound.body)[:_MOST]
    else:
        inbound.state, inbound.reason = InboundWebhook.State.APPLIED, "A self-test of ours: it arrived."
    inbound.save(force_insert=True)
    proof = {"majuu_self_test": _seal(text, "answer") if text else None}
    return WebhookResponse(status=200, body=json.dumps(proof).encode())


def run_self_test(account: ProviderAccount, *, http: ProviderHttp | None = None) -> Iterator[SelfCheck]:
    """Post to the account's own callback address and say what became of it, one answer after the other.

    Our own address is called on purpose, so the rules against calls to private networks do not apply. No redirect is
    followed, as no provider follows one. Talks to the network.
    """
    refuse_open_transaction()
    url = f"{account_callback_url(account.pk)}/{SELF_TEST_TOPIC}"
    yield _check_address(url, livemode=account.livemode)
    nonce = randomness.encode_url_safe(randomness.secret_bytes(20))
    http = http or ProviderHttp(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)
    body = {"majuu_self_test": f"{nonce}.{_seal(nonce, 'question')}"}
    try:
        answer = http.send("POST", url, operation="self_test", json_body=body)
    except (NotSent, OutcomeUnknown) as problem:
        yield SelfCheck(name=NAME, state="error", message=_explain_silence(url, problem))
        return
    if (objection := _explain_answer(url, answer, nonce)) is not None:
        yield SelfCheck(name=NAME, state="error", message=objection)
        return
    yield from _check_arrival(account, nonce)


def _check_arrival(account: ProviderAccount, nonce: str) -> Iterator[SelfCheck]:
    arrived = InboundWebhook.objects.filter(provider_account=account, topic=SELF_TEST_TOPIC).order_by("-pk")
    row = next((row for row in arrived[:20] if nonce.encode() in bytes(row.body)), None)
    if row is None:
        text = "It was answered by a Majuu with our keys, but it is not in this database: two sites share the address."
        yield SelfCheck(name=NAME, state="error", message=text)
        return
    yield SelfCheck(name=NAME, state="ok", message=f"A message to our public address arrived as {row.public_id}.")
    if "x-forwarded-for" in row.headers and row.remote_addr not in row.headers["x-forwarded-for"]:
        text = (
            f"Requests pass a proxy, and it looks as if all of them came from {row.remote_addr}. Name the proxy in "
            "MAJUU_TRUSTED_PROXIES, or callbacks are refused because of their sender."
        )
        yield SelfCheck(name="Sender's address", state="warning", message=text)


def _check_address(url: str, *, livemode: bool) -> SelfCheck:
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"{parts.scheme}://{parts.netloc}"
    if livemode and parts.scheme != "https":
        text = f"MAJUU_PUBLIC_URL is {shown}. Live callbacks need https://."
        return SelfCheck(name="Public address", state="error", message=text)
    if host == "localhost" or not _may_be_public(host):
        text = f"MAJUU_PUBLIC_URL is {shown}: only this machine or network reaches that, no provider does."
        return SelfCheck(name="Public address", state="error" if livemode else "warning", message=text)
    return SelfCheck(name="Public address", state="ok", message=f"Providers are told to call {shown}.")


def _explain_silence(url: str, problem: Exception) -> str:
    """Why there was no answer, and what to do."""
    parts, text = urlsplit(url), redact_text(str(problem))
    lower = text.lower()
    if "certificate" in lower or "ssl" in lower or "tls" in lower:
        return (
            f"The TLS certificate of {parts.hostname} is not accepted ({text[:150]}). Providers refuse it too: install "
            "one of a public authority, with its whole chain."
        )
    if "name or service" in lower or "nodename" in lower or "getaddrinfo" in lower or "name resolution" in lower:
        return f"The name {parts.hostname} is not known to the DNS. Correct MAJUU_PUBLIC_URL or make the record."
    if isinstance(problem, NotSent):
        return (
            f"Nothing listens at {parts.netloc} ({text[:150]}). Is the site running, and does the firewall let "
            "connections to this port in?"
        )
    return (
        f"{parts.netloc} took the request and did not answer within {_READ_SECONDS} s. Is another thread or process of "
        "the web server free to take it? One that can do only one thing at a time cannot call itself."
    )


def _explain_answer(url: str, answer: Answer, nonce: str) -> str | None:
    """What is wrong with an answer; None for one that only we can have given."""
    found = answer.json()
    proof = found.get("majuu_self_test") if isinstance(found, dict) else None
    if isinstance(proof, str) and proof.isascii() and hmac.compare_digest(proof, _seal(nonce, "answer")):
        return None
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if 300 <= answer.status < 400:
        return _explain_redirect(url, answer)
    if proof is None and isinstance(found, dict) and "majuu_self_test" in found:
        return "The message arrived changed, or at a Majuu with other keys. Compare MAJUU_ENCRYPTION_KEYS and the host."
    if answer.status in {401, 403, 406, 429, 503} or (kind == "text/html" and answer.status != 404):
        return (
            f"HTTP {answer.status} with {kind or 'no content type'} came back: a firewall or login in front of this "
            "site answered in our place. Let POST requests to /in/ pass without a challenge."
        )
    if answer.status == 404:
        return (
            f"HTTP 404: what answers at {urlsplit(url).netloc} does not know the address. Either it is another site, "
            'or its urls.py does not include "majuu_core.webhooks.urls" at the root.'
        )
    if answer.status >= 500:
        return f"HTTP {answer.status}: this site, or the proxy in front of it, failed. Its log says why."
    return f"HTTP {answer.status}, but the answer is not ours: another site answers at {urlsplit(url).netloc}."


def _explain_redirect(url: str, answer: Answer) -> str:
    asked, target = urlsplit(url), urlsplit(answer.headers.get("location", ""))
    if target.scheme and target.scheme != asked.scheme:
        why = f"to {target.scheme}://. Set MAJUU_PUBLIC_URL to the address with {target.scheme}"
    elif target.hostname and target.hostname != asked.hostname:
        why = f"to another host, {target.hostname}. Set MAJUU_PUBLIC_URL to that, if it is this site"
    elif target.path == asked.path + "/":
        why = "to the same address with a slash. A proxy or a middleware adds it (APPEND_SLASH): exempt /in/"
    else:
        why = f"to {target.path[:40]!r}. Exempt /in/"
    return f"HTTP {answer.status} sends the message {why}. Providers follow no redirect: the callback would be lost."


def _may_be_public(host: str) -> bool:
    """Whether a name or address can be reached from elsewhere, as far as the text tells."""
    try:
        return is_public_address(ip_address(host))
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".test", ".invalid", ".localhost"))


def _read_nonce(body: bytes) -> str | None:
    """The nonce of a self-test that one of our keys sealed; None for anything else."""
    try:
        text = json.loads(body[:_MOST])["majuu_self_test"]
        if not text.isascii():  # half of a surrogate pair cannot even be hashed
            return None
        nonce, _, tag = text.partition(".")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    good = [hmac.compare_digest(_seal(nonce, "question", master).encode(), tag.encode()) for master in _masters()]
    return nonce if any(good) else None


def _masters() -> tuple[str, ...]:
    return configuration.encryption_keys()


def _seal(nonce: str, part: str, master: str = "") -> str:
    return randomness.encode_url_safe(
        crypto.keyed_hash(master or _masters()[0], _PURPOSE, f"{part}:{nonce}".encode())[:20]
    )

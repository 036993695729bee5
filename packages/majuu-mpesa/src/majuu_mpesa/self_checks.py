"""What is wrong with an account, found before customers find it. Nothing here moves money or repeats a secret."""

from __future__ import annotations

from collections.abc import Iterator

from majuu_core.common import clock
from majuu_core.providers import InvalidCredentials, ProviderError, SelfCheck
from majuu_mpesa.account import Account, missing_initiator_text
from majuu_mpesa.callback_urls import forbidden_words, is_public
from majuu_mpesa.options import OptionsError, may_send_callbacks, web_scheme
from majuu_mpesa.security import SMALLEST_KEY, SecurityError, public_key, security_credential

OK, WARNING, ERROR = "ok", "warning", "error"
# Daraja's Timestamp has no published tolerance; prompts live about a minute.
_SKEW_WARNING, _SKEW_ERROR = 30, 300


def run(account: Account, callback_url: str) -> Iterator[SelfCheck]:
    """One answer after the other."""
    yield from _check_token_and_clock(account)
    yield from _check_callback_url(account, callback_url)
    yield _check_senders(account)
    yield from _check_initiator(account)
    yield from _check_what_is_offered(account)


def _check_token_and_clock(account: Account) -> Iterator[SelfCheck]:
    try:
        theirs = account.client.server_time()
    except InvalidCredentials as problem:
        yield SelfCheck(name="access_token", state=ERROR, message=str(problem))
        return
    except ProviderError as problem:
        text = f"Safaricom could not be asked: {problem}"
        yield SelfCheck(name="access_token", state=ERROR, message=text)
        return
    yield SelfCheck(name="access_token", state=OK, message="Safaricom takes the consumer key and secret.")
    if theirs is None:
        yield SelfCheck(name="clock", state=WARNING, message="Safaricom's answer does not say what time it is.")
        return
    off = abs(int((clock.now() - theirs).total_seconds()))
    state = OK if off <= _SKEW_WARNING else WARNING if off <= _SKEW_ERROR else ERROR
    advice = "" if state == OK else " Switch on time synchronisation (NTP) on this machine."
    yield SelfCheck(name="clock", state=state, message=f"This machine's clock is {off} s off Safaricom's.{advice}")


def _check_callback_url(account: Account, url: str) -> Iterator[SelfCheck]:
    scheme = web_scheme(url)
    if scheme is None:
        text = "There is no address that M-Pesa could call back. Set MAJUU_PUBLIC_URL."
        yield SelfCheck(name="callback_url", state=ERROR, message=text)
        return
    found = forbidden_words(url)
    if found:
        text = f"M-Pesa refuses addresses that hold {', '.join(found)}. Use another host name or path."
        yield SelfCheck(name="callback_words", state=ERROR, message=text)
    else:
        yield SelfCheck(name="callback_words", state=OK, message="The address holds no word that M-Pesa refuses.")
    if scheme != "https":
        state = ERROR if account.livemode else WARNING
        text = "M-Pesa calls back https addresses only; http will do for C2B in the sandbox."
        yield SelfCheck(name="callback_https", state=state, message=text)
    else:
        yield SelfCheck(name="callback_https", state=OK, message="The address starts with https://.")
    if not is_public(url):
        state = ERROR if account.livemode else WARNING
        text = "Safaricom cannot reach this host from outside. Use a public host name."
        yield SelfCheck(name="callback_host", state=state, message=text)


def _check_senders(account: Account) -> SelfCheck:
    try:
        may_send_callbacks("192.0.2.1", account.options, livemode=account.livemode)
    except OptionsError as problem:
        return SelfCheck(name="callback_addresses", state=ERROR, message=str(problem))
    return SelfCheck(name="callback_addresses", state=OK, message="The list of Safaricom's addresses can be read.")


def _check_initiator(account: Account) -> Iterator[SelfCheck]:
    credentials = account.credentials
    if not credentials.has_initiator:
        yield SelfCheck(name="initiator", state=WARNING, message=missing_initiator_text())
        return
    yield SelfCheck(name="initiator", state=OK, message="There is an initiator. Its role is only known by a request.")
    if credentials.security_credential is not None:
        text = "A ready security credential is used. It ends with the password, after 90 days at most."
        yield SelfCheck(name="security_credential", state=OK, message=text)
        return
    try:
        size = public_key(credentials, account.options).key_size
    except SecurityError as problem:
        yield SelfCheck(name="certificate", state=ERROR, message=str(problem))
        return
    small = size < SMALLEST_KEY
    text = f"The certificate holds an RSA key of {size} bits" + (
        f"; Safaricom's have {SMALLEST_KEY} or more." if small else "."
    )
    yield SelfCheck(name="certificate", state=WARNING if small else OK, message=text)
    try:
        made = security_credential(credentials, account.options)
    except SecurityError as problem:
        yield SelfCheck(name="security_credential", state=ERROR, message=str(problem))
        return
    text = f"The password can be encrypted ({len(made)} characters)."
    yield SelfCheck(name="security_credential", state=OK, message=text)


def _check_what_is_offered(account: Account) -> Iterator[SelfCheck]:
    credentials = account.credentials
    if credentials.nominated_number:
        yield SelfCheck(name="pull", state=OK, message="Lost notices can be listed by the Pull API for 48 hours.")
    else:
        text = "Without a nominated number, payments whose notice was lost cannot be listed (Pull API)."
        yield SelfCheck(name="pull", state=WARNING, message=text)
    yield SelfCheck(
        name="c2b",
        state=OK,
        message=f"Notices of incoming money are registered as {credentials.c2b_version} for "
        f"{' and '.join(sorted(credentials.receivers))}.",
    )

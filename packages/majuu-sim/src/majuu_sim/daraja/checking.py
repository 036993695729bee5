"""Reads request bodies as strictly as Daraja does, and says no in its words."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from majuu_sim.daraja import refusals
from majuu_sim.daraja.config import DarajaConfig, Shortcode
from majuu_sim.daraja.formats import parse_eat
from majuu_sim.daraja.records import PushRequest

MSISDN = re.compile(r"254[17][0-9]{8}")
SHORTCODE = re.compile(r"[0-9]{5,7}")
AMOUNT = re.compile(r"[1-9][0-9]{0,11}")
COMMANDS = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")
_TUNNELS = ("ngrok", "mockbin", "requestbin")
_TROUBLESOME = re.compile(r"[@#&]")


def is_msisdn(text: object) -> bool:
    """True for 254 and nine digits that begin with 7 or 1."""
    return isinstance(text, str) and MSISDN.fullmatch(text) is not None


def text_in(body: Mapping[str, Any], name: str) -> str:
    """The field as text; numbers are taken when they are whole. Refuses what is missing or of another kind."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise refusals.invalid_field(name)
    return str(value)


def matching(body: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    """The field as text that matches ``pattern`` from end to end; Refusal names it otherwise."""
    value = text_in(body, name)
    if pattern.fullmatch(value) is None:
        raise refusals.invalid_field(name)
    return value


def check_merchant(body: Mapping[str, Any], config: DarajaConfig, now: datetime) -> Shortcode:
    """The shortcode that asks, once its number, timestamp and password are right."""
    number = matching(body, "BusinessShortCode", SHORTCODE)
    stamp = text_in(body, "Timestamp")
    _check_timestamp(stamp, config, now)
    password = text_in(body, "Password")
    shortcode = config.find(number)
    if shortcode is None:
        raise refusals.unknown_merchant()
    right = base64.b64encode(f"{number}{shortcode.passkey}{stamp}".encode())
    if not hmac.compare_digest(password.encode(), right):
        raise refusals.wrong_credentials()
    return shortcode


def _check_timestamp(stamp: str, config: DarajaConfig, now: datetime) -> None:
    try:
        moment = parse_eat(stamp)
    except (ValueError, OverflowError) as error:
        raise refusals.invalid_field("Timestamp") from error
    if config.max_clock_skew is not None and abs((now - moment).total_seconds()) > config.max_clock_skew:
        raise refusals.invalid_field("Timestamp")


def check_push(body: Mapping[str, Any], config: DarajaConfig, now: datetime) -> PushRequest:
    """The push a body asks for; Refusal names the first field that is wrong."""
    shortcode = check_merchant(body, config, now)
    transaction_type = text_in(body, "TransactionType")
    if transaction_type not in COMMANDS:
        raise refusals.invalid_field("TransactionType")
    amount = _check_amount(body, config)
    matching(body, "PartyA", MSISDN)
    receiver = matching(body, "PartyB", SHORTCODE)
    msisdn = matching(body, "PhoneNumber", MSISDN)
    callback_url = check_url(body, "CallBackURL", config)
    reference = _check_words(body, "AccountReference", "AccountReference", config.max_account_reference)
    description = _check_words(body, "TransactionDesc", "Remarks", config.max_description)
    return PushRequest(
        shortcode=shortcode.number,
        receiver=receiver,
        transaction_type=transaction_type,
        amount=amount,
        msisdn=msisdn,
        callback_url=callback_url,
        account_reference=reference,
        description=description,
    )


def check_query(body: Mapping[str, Any], config: DarajaConfig, now: datetime) -> tuple[Shortcode, str]:
    """The shortcode that asks and the CheckoutRequestID it asks about."""
    shortcode = check_merchant(body, config, now)
    value = body.get("CheckoutRequestID")
    if not isinstance(value, str) or not value:
        raise refusals.invalid_field("CheckoutRequestID")
    return shortcode, value


def _check_amount(body: Mapping[str, Any], config: DarajaConfig) -> int:
    amount = int(matching(body, "Amount", AMOUNT))
    if amount > config.max_amount:
        raise refusals.invalid_field("Amount")
    return amount


def _check_words(body: Mapping[str, Any], name: str, shown: str, longest: int) -> str:
    """Short free text. Daraja calls the description "Remarks" when it is missing."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or _TROUBLESOME.search(value):
        raise refusals.invalid_field(shown)
    return value


def check_url(body: Mapping[str, Any], name: str, config: DarajaConfig, *, plain_http: bool = False) -> str:
    """An address callbacks may go to. ``plain_http``: http will do too."""
    url = body.get(name)
    if not isinstance(url, str) or not is_callback_url(url, config, plain_http=plain_http):
        raise refusals.invalid_field(name)
    return url


def is_callback_url(url: str, config: DarajaConfig, *, plain_http: bool = False) -> bool:
    """True when callbacks may be sent there: public https without a forbidden word, or a host the settings allow."""
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 2000:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.scheme not in ("http", "https"):
        return False
    lowered = url.lower()
    if any(word in lowered for word in (*config.forbidden_words, *_TUNNELS)):
        return False
    if host in config.callback_hosts or (config.allow_loopback_callbacks and _is_loopback(host)):
        return True
    return (parts.scheme == "https" or plain_http) and _is_public(host)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")


def _is_public(host: str) -> bool:
    """Judged by its looks: a public address, or a name with a dot. Names are not resolved."""
    address = _address(host)
    if address is not None:
        return address.is_global
    return "." in host and not host.endswith((".localhost", ".local", ".internal"))

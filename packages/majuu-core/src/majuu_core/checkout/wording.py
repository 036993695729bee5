"""Amounts, times and phone numbers as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.checkout.texts import TEXTS, Language, Texts
from majuu_core.common.money import decimal_places

CARD = "card"
_OWN_WORDS: Mapping[str, Mapping[Language, str]] = {
    CARD: {"en": "card", "sw": "kadi"},
    "bank_transfer": {language: texts.bank_transfer for language, texts in TEXTS.items()},
    "cash": {language: texts.cash for language, texts in TEXTS.items()},
}
_NO_BREAK = "\u00a0"
_LONG_NUMBER = re.compile(r"\+?[0-9]{8,15}")


def amount_text(money: Money) -> str:
    """``KES 1,500`` or ``KES 1,500.50``: thousands apart, decimals only where there are any."""
    code = money.currency.code
    text = f"{money.amount:,.{decimal_places(code)}f}"
    head, _, decimals = text.partition(".")
    return f"{code}{_NO_BREAK}{text if decimals.strip('0') else head}"


def rate_text(rate: Decimal, owed: str, charged: str) -> str:
    """``1 KES = 0.0077 USD``: what is charged for one of what is owed, by currency codes."""
    return f"1 {owed} = {rate.normalize():f} {charged}".replace(" ", _NO_BREAK)


def time_text(moment: datetime, texts: Texts) -> str:
    """``21 Nov 2026, 14:05 EAT``, in the project's time zone."""
    local = localtime(moment)
    return f"{local.day} {texts.months[local.month - 1]} {local.year}, {local:%H:%M %Z}".strip()


def method_label(code: str, label: str, language: Language) -> str:
    """What customers call a way to pay: the provider's own label, but what is no brand has a name in their language."""
    return _OWN_WORDS.get(code, {}).get(language, label)


def masked(payer: str) -> str:
    """A phone number with its middle hidden: ``2547 ***** 678``. What is masked already stays as it is."""
    bare = payer.replace(" ", "")
    return f"{bare[:4]} ***** {bare[-3:]}" if _LONG_NUMBER.fullmatch(bare) else payer


def clock_text(seconds: int) -> str:
    """Seconds left, as ``1:05``."""
    minutes, rest = divmod(max(seconds, 0), 60)
    return f"{minutes}:{rest:02d}"

"""Amounts, times and phone numbers as people read them."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.checkout.texts import Texts
from majuu_core.common.money import decimal_places

_NO_BREAK = "\u00a0"
_LONG_NUMBER = re.compile(r"\+?[0-9]{8,15}")


def amount_text(money: Money) -> str:
    """``KES 1,500`` or ``KES 1,500.50``: thousands apart, decimals only where there are any."""
    code = money.currency.code
    text = f"{money.amount:,.{decimal_places(code)}f}"
    head, _, decimals = text.partition(".")
    return f"{code}{_NO_BREAK}{text if decimals.strip('0') else head}"


def time_text(moment: datetime, texts: Texts) -> str:
    """``21 Nov 2026, 14:05 EAT``, in the project's time zone."""
    local = localtime(moment)
    return f"{local.day} {texts.months[local.month - 1]} {local.year}, {local:%H:%M %Z}".strip()


def masked(payer: str) -> str:
    """A phone number with its middle hidden: ``2547 ***** 678``. What is masked already stays as it is."""
    bare = payer.replace(" ", "")
    return f"{bare[:4]} ***** {bare[-3:]}" if _LONG_NUMBER.fullmatch(bare) else payer


def clock_text(seconds: int) -> str:
    """Seconds left, as ``1:05``."""
    minutes, rest = divmod(max(seconds, 0), 60)
    return f"{minutes}:{rest:02d}"

"""Daraja's ids, receipts and times. Times are East Africa Time (UTC+3, no summer time) without a zone mark."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta, timezone

EAT = timezone(timedelta(hours=3), "EAT")

_LETTERS = string.ascii_uppercase
_ALPHANUMERIC = string.ascii_uppercase + string.digits
_DAYS = "123456789" + _LETTERS  # 1…9, then A = 10 … V = 31
_FIRST_YEAR = 2006  # the letter moves on by one a year: L 2017, R 2023, U 2026


def eat_digits(moment: datetime) -> str:
    """``YYYYMMDDHHmmss`` in East Africa Time."""
    return moment.astimezone(EAT).strftime("%Y%m%d%H%M%S")


def parse_eat(text: str) -> datetime:
    """The UTC moment of ``YYYYMMDDHHmmss``; ValueError when it is none."""
    if len(text) != 14 or not (text.isascii() and text.isdecimal()):
        raise ValueError(f"not a timestamp: {text!r}")
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=EAT).astimezone(UTC)


def receipt(moment: datetime, rng: random.Random) -> str:
    """Ten characters: a letter for the year, one for the month, one for the day, seven at random."""
    local = moment.astimezone(EAT)
    year = _LETTERS[(local.year - _FIRST_YEAR) % 26]
    return year + _LETTERS[local.month - 1] + _DAYS[local.day - 1] + "".join(rng.choices(_ALPHANUMERIC, k=7))


def checkout_request_id(moment: datetime, msisdn: str) -> str:
    """``ws_CO_`` + DDMMYYYYHHMMSSmmm + the last nine digits of the number: predictable, as the real one is."""
    local = moment.astimezone(EAT)
    return f"ws_CO_{local.strftime('%d%m%Y%H%M%S')}{local.microsecond // 1000:03d}{msisdn[-9:]}"


def request_id(rng: random.Random, count: int) -> str:
    """Of the 2024 format: three groups of four hex digits, then twelve and a running number."""
    digits = f"{rng.getrandbits(96):024x}"
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:12]}-{digits[12:24]}{count}"


def access_token(rng: random.Random) -> str:
    """28 letters and digits."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=28))


def conversation_id(moment: datetime, rng: random.Random) -> str:
    """``AG_`` + YYYYMMDD + twenty hex digits."""
    return f"AG_{moment.astimezone(EAT).strftime('%Y%m%d')}_{rng.getrandbits(80):020x}"


def no_receipt(moment: datetime) -> str:
    """The TransactionID of a result without a transaction: the day's three characters and seven zeros."""
    local = moment.astimezone(EAT)
    return _LETTERS[(local.year - _FIRST_YEAR) % 26] + _LETTERS[local.month - 1] + _DAYS[local.day - 1] + "0000000"


def eat_dotted(moment: datetime) -> str:
    """``DD.MM.YYYY HH:MM:SS`` in East Africa Time."""
    return moment.astimezone(EAT).strftime("%d.%m.%Y %H:%M:%S")

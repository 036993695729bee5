"""Reads the message that M-Pesa sends to whoever paid, as customers paste it: English or Swahili, cut, unspaced.

What it says is what somebody claims, never a fact: anybody can type such a text. Compare it with the inbox. Pure; no
text makes it fail.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

LONGEST = 2000
CURRENCY = "KES"
_EAT = timezone(timedelta(hours=3))  # the messages give East African time, all year
_LONGEST_PARTY = 100
_LONGEST_ACCOUNT = 64

_I = re.IGNORECASE
_CONFIRMED = r"(?:confirmed|imethibitishwa|imedhibitishwa)"
# A receipt may be letters alone; then only capitals are taken for one, or every long word would be.
_RECEIPT = r"(?:(?=[A-Z0-9]{0,9}[0-9])(?=[A-Z0-9]{0,9}[A-Z])[A-Z0-9]{10}|(?-i:[A-Z]{10}))"
_HEADED = re.compile(rf"(?<![A-Z0-9])({_RECEIPT})[\s.,:;*_-]*{_CONFIRMED}", _I)
_ALONE = re.compile(rf"(?<![A-Z0-9])({_RECEIPT})(?![A-Z0-9])", _I)
_MONEY = re.compile(
    r"(?:(?:KSHS?|KES|SHS?|SH)[.\s]*(?P<after>\d[\d,]{0,12}(?:\.\d{1,2})?)|(?P<before>\d[\d,]{0,12}(?:\.\d{1,2})?)\s*/[=-])",
    _I,
)
_NOT_THE_AMOUNT = re.compile(
    r"(?:balance|salio|cost|fee|charge|gharama|ada|limit|day|siku|fuliza|kikomo)[^.;]{0,45}$", _I
)
_FEE = re.compile(r"(?:transaction\s*cost|transaction\s*fee|cost|gharama|ada)[^0-9]{0,40}$", _I)
_DATE = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:.](\d{2})(?::\d{2})?\s*(AM|PM|asubuhi|mchana|alasiri|jioni|usiku)?", _I)
_PHONE = re.compile(r"(?<!\d)(?:\+?254|0)[17]\d{8}(?!\d)")
_SWAHILI = re.compile(r"imethibitishwa|imedhibitishwa|imetumwa|umetuma|umelipa|imelipwa|umepokea|imepokelewa", _I)

_ENDS = (
    r"(?=\s*(?:for\s*account|kwa\s*akaunti|\bakaunti\b|\baccount\b|on\s*\d{1,2}[/.-]|tarehe|\bmnamo|\bsiku\s*ya\b|"
    r"\bat\s*\d|\bsaa\s*\d|\bnew\b|\bsalio|\btransaction\s*cost|\d{1,2}/\d{1,2}/\d{2})|[;\n]|\.\s|\.?$)"
)
_PARTY = r"\s*(?P<party>.{1,100}?)[\s.,]*" + _ENDS
# Tried in this order: what came in, paybill and person (both "sent to"), then goods.
_SHAPES = (
    (
        "received",
        re.compile(r"(?:received|umepokea|imepokelewa)\b.{0,40}?(?:\bfrom\b|\bkutoka(?:\s*kwa)?\b)" + _PARTY, _I),
    ),
    ("sent", re.compile(r"(?:sent\s*to|imetumwa\s*kwa|imetumwa\s*kwenda|transferred\s*to)" + _PARTY, _I)),
    ("sent", re.compile(r"(?:umetuma|umelipa)\b.{0,40}?\b(?:kwa|kwenda)\b" + _PARTY, _I)),
    ("paid", re.compile(r"(?:paid\s*to|imelipwa\s*kwa)" + _PARTY, _I)),
)
_ACCOUNT = re.compile(
    r"(?:for\s*account|kwa\s*akaunti|akaunti(?:\s*(?:ya|namba|no))?|account(?:\s*(?:number|no))?)[\s.:]*(?P<account>.{0,64}?)\s*"
    r"(?=on\s*\d{1,2}[/.-]|tarehe|\bmnamo|\bat\s*\d|\bsaa\s*\d|\bnew\b|\bsalio|\d{1,2}/\d{1,2}/\d{2}|[;\n]|\.\s|\.?$)",
    _I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidMessage:
    """What a message says. Everything but the receipt may be missing: None or "".

    ``direction`` is "sent" or "received", as the owner of the phone sees it; ``kind`` is "paybill", "till" or "person".
    ``occurred_at`` is in UTC. ``other_receipts`` are further receipts in the text, which are not looked at.
    """

    receipt: str
    amount: Decimal | None
    direction: str
    kind: str
    party: str
    account: str
    phone: str
    fee: Decimal | None
    occurred_at: datetime | None
    language: str
    other_receipts: tuple[str, ...] = ()


def parse_message(text: str) -> PaidMessage | None:
    """The first M-Pesa message in a text; None when there is no receipt in it."""
    seen = visible(text)
    headed = list(_HEADED.finditer(seen))
    found = headed or list(_ALONE.finditer(seen))
    if not found:
        return None
    start, end = found[0].start(), found[1].start() if len(found) > 1 and headed else len(seen)
    receipts = list(dict.fromkeys(match.group(1).upper() for match in found))
    body = seen[found[0].end(1) : end] if headed else seen[:start] + " " + seen[found[0].end(1) :]
    direction, party = _read_party(body)
    account = _read_account(body)
    phone = _PHONE.search(party)
    return PaidMessage(
        receipt=receipts[0],
        amount=_read_amount(body),
        direction="sent" if direction == "paid" else direction,
        kind=_kind(direction, account, phone is not None),
        party=_PHONE.sub("", party).strip(" .,-")[:_LONGEST_PARTY],
        account=account,
        phone=phone.group() if phone else "",
        fee=_read_fee(body),
        occurred_at=_read_time(body),
        language="sw" if _SWAHILI.search(body) else "en",
        other_receipts=tuple(receipts[1:]),
    )


def visible(text: str) -> str:
    """The text without what nobody sees, in ordinary characters, on one line."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST])
    shown = "".join(c for c in plain if unicodedata.category(c) not in {"Cf", "Cc", "Mn"} or c in "\n\t\r")
    return re.sub(r"\s+", " ", shown).strip()


def _kind(direction: str, account: str, has_phone: bool) -> str:
    if account:
        return "paybill"
    if direction == "paid":
        return "till"
    return "person" if has_phone or direction == "received" else ""


def _read_party(body: str) -> tuple[str, str]:
    for direction, shape in _SHAPES:
        if match := shape.search(body):
            return direction, match.group("party").strip()
    return "", ""


def _read_account(body: str) -> str:
    match = _ACCOUNT.search(body)
    return match.group("account").strip(" .,:")[:_LONGEST_ACCOUNT] if match else ""


def _read_amount(body: str) -> Decimal | None:
    for match in _MONEY.finditer(body):
        if not _NOT_THE_AMOUNT.search(body[: match.start()]):
            return _decimal(match)
    return None


def _read_fee(body: str) -> Decimal | None:
    for match in _MONEY.finditer(body):
        if _FEE.search(body[: match.start()]):
            return _decimal(match)
    return None


def _decimal(match: re.Match[str]) -> Decimal:
    return Decimal((match.group("after") or match.group("before")).replace(",", ""))


def _read_time(body: str) -> datetime | None:
    """The first date, day before month, with the time that follows it; None if there is no such time."""
    date = _DATE.search(body)
    time = date and _TIME.search(body, date.end())
    if not date or not time:
        return None
    day, month, year = (int(part) for part in date.groups())
    hour, minute = _hour(int(time.group(1)), (time.group(3) or "").lower()), int(time.group(2))
    try:
        return datetime(year if year > 99 else 2000 + year, month, day, hour, minute, tzinfo=_EAT).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _hour(hour: int, part: str) -> int:
    if part in ("am", "asubuhi"):
        return hour % 12
    return hour % 12 + 12 if part and hour <= 12 else hour

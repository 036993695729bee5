"""CAMT.053, the ISO 20022 bank statement, versions .02 and later: entry by entry, in constant memory.

Parsed with defusedxml: no document type, no entities, nothing fetched. What the file says of itself is never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError
from zoneinfo import ZoneInfo

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from majuu_core.common.money import AmountError, Money, parse_amount
from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.identities import Occurrences, line_identity, posting_identity
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable

_HEAD = 4096
_DOCUMENT = re.compile(rb"camt\.05[24]\.001\.[0-9]{2}|camt\.053\.001\.[0-9]{2}")
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.([0-9]{2})\}Document")
_OLDEST = 2
_NOTHING = frozenset({"NOTPROVIDED", "NONREF", "NOT PROVIDED"})
_MOST_ENTRIES = 500_000
_MOST_DETAILS = 200_000  # elements of one entry that wait in memory
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")


class _Part(ValueError):
    """Something of an entry that cannot be read: (where, what is wrong)."""


def is_camt(file: BinaryIO) -> bool:
    """Whether the file is XML at all; only CAMT.053 is then read."""
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith((b"<?xml", b"<Document", b"<!DOCTYPE")) or (
        start.startswith(b"<") and bool(_DOCUMENT.search(head))
    )


def read_camt(
    file: BinaryIO, *, account: ManualCredentials, account_id: str
) -> Iterator[StatementLine | StatementProblem]:
    """The booked entries, one line for each transaction in them. Raises StatementUnreadable."""
    reader = _Reader(account, account_id)
    file.seek(0)
    try:
        yield from reader.lines(file)
    except DefusedXmlException:
        raise StatementUnreadable(
            "The file has a document type or entities of its own. A bank writes none: it is not read."
        ) from None
    except (ParseError, LookupError, UnicodeError) as problem:
        raise StatementUnreadable(f"The file is not readable as XML: {problem}.") from problem
    if not reader.saw_statement:
        raise StatementUnreadable("The file is XML, but holds no account statement (CAMT.053).")


@dataclass(slots=True)
class _Posting:
    """A transaction of an entry: the entry itself where it has no details."""

    entry: Element
    details: Element | None
    number: int
    of: int


class _Reader:
    def __init__(self, account: ManualCredentials, account_id: str) -> None:
        self.account, self.account_id = account, account_id
        self.zone = ZoneInfo(account.time_zone)
        self.occurrences = Occurrences()
        self.saw_statement = False
        self._entries = 0

    def lines(self, file: BinaryIO) -> Iterator[StatementLine | StatementProblem]:
        """Everything in the file, freeing each entry once it is read."""
        path: list[Element] = []
        waiting = 0
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                self._check_root(path, element)
                path.append(element)
                waiting += 1
                if waiting > _MOST_DETAILS:
                    raise StatementUnreadable("One entry of the file is too large to be one.")
                continue
            path.pop()
            name = _name(element)
            if name == "Acct" and path and _name(path[-1]) == "Stmt":
                self._check_account(element)
            if name == "Ntry":
                yield from self._entry(element)
            if name in ("Ntry", "Bal", "TxsSummry", "GrpHdr", "Acct") and path:
                path[-1].remove(element)
                waiting = len(path)

    def _check_root(self, path: list[Element], element: Element) -> None:
        if not path:
            version = _NAMESPACE.fullmatch(element.tag)
            if version is None or int(version[1]) < _OLDEST:
                raise StatementUnreadable(
                    f"The file is {element.tag[:100]}, not an account statement: CAMT.053.001.02 or later."
                )
        if _name(element) == "Stmt":
            self.saw_statement = True

    def _check_account(self, element: Element) -> None:
        """A statement of another account is nobody's money here."""
        told = _text(element, "Id/IBAN") or _text(element, "Id/Othr/Id")
        known = {_compact(self.account.iban), _compact(self.account.account_number)} - {""}
        if told and known and _compact(told) not in known:
            raise StatementUnreadable(f"The statement is of the account {told[:40]}, not of this one.")

    def _entry(self, entry: Element) -> Iterator[StatementLine | StatementProblem]:
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise StatementUnreadable(f"A statement has at most {_MOST_ENTRIES:,} entries. Split it by days.")
        status = _text(entry, "Sts/Cd") or _text(entry, "Sts") or "BOOK"
        if status != "BOOK":
            text = f"The entry is {status[:20]}, not booked yet: no money moved. Left out."
            yield self._problem("Sts", text, status, is_error=False)
            return
        details = _all(entry, "NtryDtls/TxDtls")
        postings = [_Posting(entry, item, number, len(details)) for number, item in enumerate(details, start=1)]
        try:
            lines = [self._line(posting) for posting in postings or [_Posting(entry, None, 1, 1)]]
            if len(lines) > 1:
                self._compare_sums(entry, lines)
        except _Part as problem:
            where, message, value = problem.args
            yield self._problem(where, message, value)
            return
        yield from lines

    def _compare_sums(self, entry: Element, lines: list[StatementLine]) -> None:
        """Details that do not add up to what was booked would make money out of nothing."""
        whole = _money(entry, entry)
        if any(line.amount.currency != whole.currency for line in lines):
            raise _Part("TxDtls/Amt", "The transactions are in another currency than their entry.", "")
        sums = sum((line.amount.amount for line in lines), Decimal(0))
        if sums != whole.amount:
            raise _Part("TxDtls/Amt", f"The transactions come to {sums}; the entry says {whole.amount}.", "")

    def _line(self, posting: _Posting) -> StatementLine:
        entry, details = posting.entry, posting.details
        source = entry if details is None or posting.of == 1 else details
        amount = _money(source, entry)
        occurred_at = self._time(entry)
        is_in = _side(source, entry) == "CRDT"
        is_reversal = _text(entry, "RvslInd").lower() in ("true", "1")
        about = details if details is not None else entry
        text = _remittance(about) or _plain(_text(entry, "AddtlNtryInf"))
        end_to_end = _reference(about, "Refs/EndToEndId")
        payer = _plain(_party(about, "Dbtr" if is_in else "Cdtr"), 200)
        shown = " ".join(part for part in (text, end_to_end) if part)
        return StatementLine(
            line_number=self._entries,
            receipt=self._identity(posting, occurred_at, amount, (shown, payer, "in" if is_in else "out")),
            # Money that comes back of what we sent is no customer's payment.
            kind="charge" if is_in and not is_reversal else "refund" if is_reversal and not is_in else "adjustment",
            direction="in" if is_in else "out",
            amount=amount,
            occurred_at=occurred_at,
            counterparty=payer,
            description=shown[:300],
            reference=shown[:64],
            raw=_raw(posting, end_to_end),
        )

    def _identity(self, posting: _Posting, at: datetime, amount: Money, said: tuple[str, ...]) -> str:
        own = _reference(posting.details, "Refs/AcctSvcrRef")
        whole = _reference(posting.entry, "AcctSvcrRef")
        number = own or (f"{whole}/{posting.number}" if whole and posting.of > 1 else whole)
        day = at.date()
        if number:
            return posting_identity(self.account_id, number, day, self.occurrences.count(number, str(day)))
        texts = (str(at), f"{amount.amount:f}", amount.currency.code, *said)
        return line_identity(self.account_id, texts, day, self.occurrences.count(*texts))

    def _time(self, entry: Element) -> datetime:
        exact = _text(entry, "BookgDt/DtTm") or _text(entry, "BookgDt/Dt")
        told = exact or _text(entry, "ValDt/DtTm") or _text(entry, "ValDt/Dt")
        try:
            if "T" in told:
                found = datetime.fromisoformat(told)
            else:
                found = datetime.combine(date.fromisoformat(told[:10]), time())
        except ValueError:
            raise _Part("BookgDt", "This is no date: write it as 2026-12-31.", told) from None
        return found.astimezone(self.zone) if found.tzinfo else found.replace(tzinfo=self.zone)

    def _problem(self, where: str, message: str, value: str = "", *, is_error: bool = True) -> StatementProblem:
        return StatementProblem(
            line_number=self._entries, column=where, message=message, value=_plain(value, 100), is_error=is_error
        )


def _money(source: Element, entry: Element) -> Money:
    element = _first(source, "Amt")
    if element is None:
        element = _first(source, "AmtDtls/TxAmt/Amt")
    if element is None:
        raise _Part("Amt", "The transaction has no amount.", "")
    told, currency = (element.text or "").strip(), element.get("Ccy", "")
    try:
        # ISO 20022 allows more decimals than the currency has, such as 1500.00 for UGX.
        number = Decimal(told)
        if not number.is_finite() or len(told) > 24:
            raise InvalidOperation
        places = f"{number.normalize():f}"
        found = parse_amount(places, currency)
    except (InvalidOperation, AmountError) as problem:
        text = str(problem) if isinstance(problem, AmountError) else "This is no amount."
        raise _Part("Amt", text, f"{told[:40]} {currency[:8]}") from None
    if found.amount <= 0:
        raise _Part("Amt", "An amount is above zero; CdtDbtInd says which way it went.", told)
    return found


def _side(source: Element, entry: Element) -> str:
    told = _text(source, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    if told not in ("CRDT", "DBIT"):
        raise _Part("CdtDbtInd", "This must be CRDT or DBIT.", told)
    return told


def _remittance(about: Element) -> str:
    free = [item.text or "" for item in _all(about, "RmtInf/Ustrd")]
    fixed = [item.text or "" for item in _all(about, "RmtInf/Strd/CdtrRefInf/Ref")]
    return _plain(" ".join([*free, *fixed]))


def _party(about: Element, who: str) -> str:
    """Versions from .08 on put the party's name one step deeper."""
    for path in (f"RltdPties/{who}/Nm", f"RltdPties/{who}/Pty/Nm", f"RltdPties/Ultmt{who}/Nm"):
        if found := _text(about, path):
            return found
    return ""


def _reference(element: Element | None, path: str) -> str:
    found = _plain(_text(element, path), 200) if element is not None else ""
    return "" if found.upper() in _NOTHING else found


def _raw(posting: _Posting, end_to_end: str) -> dict[str, str]:
    told = {
        "AcctSvcrRef": _reference(posting.details, "Refs/AcctSvcrRef") or _reference(posting.entry, "AcctSvcrRef"),
        "EndToEndId": end_to_end,
        "ValDt": _text(posting.entry, "ValDt/Dt"),
        "NtryRef": _plain(_text(posting.entry, "NtryRef"), 60),
        "AddtlNtryInf": _plain(_text(posting.entry, "AddtlNtryInf"), 300),
    }
    return {name: text for name, text in told.items() if text}


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _first(element: Element, path: str) -> Element | None:
    found = _all(element, path)
    return found[0] if found else None


def _all(element: Element, path: str) -> list[Element]:
    found: list[Element] = [element]
    for step in path.split("/"):
        found = [child for item in found for child in item if _name(child) == step]
    return found


def _text(element: Any, path: str) -> str:
    found = _first(element, path)
    return (found.text or "").strip() if found is not None else ""


def _plain(text: str, limit: int = 300) -> str:
    return " ".join(_UNSEEN.sub(" ", text).split())[:limit]


def _compact(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())

"""CAMT.053 files written for the tests: what banks send, version by version."""

from __future__ import annotations

from collections.abc import Iterable

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


def camt(entries: Iterable[str], *, version: str = "02", account: str = "0123456789012", head: str = "") -> bytes:
    """A document with one statement."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<Document xmlns="{NAMESPACE}{version}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>1</Id>'
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>KES</Ccy></Acct>"
        '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="KES">0</Amt></Bal>'
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def entry(
    amount: str = "1500.00",
    *,
    side: str = "CRDT",
    currency: str = "KES",
    status: str = "<Sts>BOOK</Sts>",
    day: str = "<BookgDt><Dt>2026-01-12</Dt></BookgDt>",
    number: str = "AB1",
    details: str = "",
    more: str = "",
) -> str:
    """One booked entry; ``details`` are its TxDtls."""
    own = f"<AcctSvcrRef>{number}</AcctSvcrRef>" if number else ""
    inside = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    money = f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    return f"<Ntry>{money}{more}{status}{day}{own}{inside}</Ntry>"


def details(
    text: str = "",
    *,
    amount: str = "",
    end_to_end: str = "NOTPROVIDED",
    payer: str = "<Dbtr><Nm>Jane Wanjiku</Nm></Dbtr>",
    number: str = "",
    structured: str = "",
) -> str:
    """One transaction of an entry."""
    own = f"<AcctSvcrRef>{number}</AcctSvcrRef>" if number else ""
    told = f'<Amt Ccy="KES">{amount}</Amt>' if amount else ""
    free = f"<Ustrd>{text}</Ustrd>" if text else ""
    fixed = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>" if structured else ""
    return (
        f"<TxDtls><Refs>{own}<EndToEndId>{end_to_end}</EndToEndId></Refs>{told}<RltdPties>{payer}</RltdPties>"
        f"<RmtInf>{free}{fixed}</RmtInf></TxDtls>"
    )

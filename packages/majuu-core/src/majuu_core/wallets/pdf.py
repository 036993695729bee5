"""A wallet's statement as a PDF, for the customer. Needs ReportLab: ``pip install "majuu-core[pdf]"``."""

from __future__ import annotations

import io
from typing import Any

from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.wallets.statements import Movement, WalletStatement, closing_after, collect_movements

_HEADERS = ("Time (UTC)", "What", "Reference", "Description", "Amount", "Balance")
_WIDTHS = (98, 62, 150, 92, 64, 68)  # points; A4 less its margins is 534
_GREEN, _RULE, _SHADE = "#0f6b4f", "#c9d2ce", "#f2f6f4"


def statement_pdf(made: WalletStatement) -> bytes:
    """The whole document. Raises Invalid ``pdf_unavailable`` without ReportLab, ``period_too_long``."""
    try:
        from reportlab.lib.pagesizes import A4  # importing it takes its time
        from reportlab.platypus import SimpleDocTemplate
    except ImportError:
        text = 'This server makes no PDF: its operator can install "majuu-core[pdf]". JSON and CSV are here.'
        raise Invalid("pdf_unavailable", text, field="format") from None
    movements, out = collect_movements(made), io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=30,
        rightMargin=30,
        topMargin=36,
        bottomMargin=40,
        title=f"Statement of {made.wallet.public_id}",
        author=printable(made.wallet.store.name),
        invariant=1,  # the same statement is the same file
    )
    story = [*_heading(made), _summary(made, movements), _spacer(), _table(movements)]
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return out.getvalue()


def printable(text: str, length: int = 200) -> str:
    """The text in the characters that the built-in fonts have; others become question marks."""
    return text[:length].encode("cp1252", "replace").decode("cp1252")


def _heading(made: WalletStatement) -> list[Any]:
    from xml.sax.saxutils import escape

    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph

    styles, wallet = getSampleStyleSheet(), made.wallet
    mode = "" if wallet.livemode else " (test)"
    who = wallet.customer_name or wallet.customer_reference
    return [
        Paragraph(f"Wallet statement{mode}", styles["Title"]),
        Paragraph(escape(printable(f"{wallet.store.name} – {who}")), styles["Heading3"]),
        Paragraph(
            escape(f"{wallet.public_id}, from {made.start:%Y-%m-%d %H:%M} to {made.end:%Y-%m-%d %H:%M} UTC"),
            styles["Normal"],
        ),
        _spacer(),
    ]


def _summary(made: WalletStatement, movements: list[Movement]) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table

    closing = closing_after(made, movements[-1] if movements else None)
    rows = [
        ("Opening balance", f"{made.wallet.currency} {format_amount(made.opening)}"),
        ("Closing balance", f"{made.wallet.currency} {format_amount(closing)}"),
    ]
    style = [
        ("FONT", (0, 0), (-1, -1), "Helvetica", 10),
        ("FONT", (1, 0), (1, -1), "Helvetica-Bold", 10),
        ("ALIGN", (1, 0), (1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.HexColor(_RULE)),
    ]
    return Table(rows, colWidths=(140, 140), hAlign="LEFT", style=style)


def _table(movements: list[Movement]) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table

    rows = [_HEADERS, *(_row(movement) for movement in movements)]
    if not movements:
        rows.append(("No movements in this time.", "", "", "", "", ""))
    style = [
        ("FONT", (0, 0), (-1, -1), "Helvetica", 8),
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 8),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(_GREEN)),
        ("TEXTCOLOR", (0, 0), (-1, 0), colors.white),
        ("ALIGN", (4, 0), (5, -1), "RIGHT"),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), (colors.white, colors.HexColor(_SHADE))),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor(_RULE)),
    ]
    return Table(rows, colWidths=_WIDTHS, repeatRows=1, hAlign="LEFT", style=style)


def _row(movement: Movement) -> tuple[str, ...]:
    return (
        f"{movement.at:%Y-%m-%d %H:%M:%S}",
        movement.type,
        movement.reference,
        printable(movement.description, 20),
        format_amount(movement.amount),
        format_amount(movement.balance),
    )


def _spacer() -> Any:
    from reportlab.platypus import Spacer

    return Spacer(1, 12)


def _footer(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(565, 22, f"Page {document.page}")
    canvas.restoreState()

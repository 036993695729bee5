"""The safeguarding page: customers' money against the money that is kept for them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from majuu_core.accounts.trail import acting_user
from majuu_core.audit.exports import record_export
from majuu_core.common import clock
from majuu_core.common.problems import Invalid
from majuu_core.configuration import custodial, trust_accounts
from majuu_core.console.base import Table
from majuu_core.console.cells import money_cell, money_text
from majuu_core.wallets.safeguarding import Safeguarding, report_csv, safeguarding_report
from majuu_core.wallets.statements import parse_instant

PERMISSION = "majuu_wallets.view_wallet"
_SECTIONS = {
    "liability": ("Owed", "Nothing is owed to customers."),
    "trust": ("In trust accounts", "No movement to a trust account has been recorded."),
    "provider": ("With providers, on the way", "The platform's accounts hold nothing."),
    "reported": ("As providers said last", "No balance has been reported."),
}


def safeguarding_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """As of ``?at=`` (now), in ``?mode=`` (live); with ``?format=csv`` as a file. ``context`` is the site's."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    given, problem, at = request.GET.get("at", ""), "", clock.now()
    livemode = request.GET.get("mode") != "test"
    try:
        at = parse_instant(given, "end") if given else at
    except Invalid as refusal:
        problem = refusal.message
    reports = safeguarding_report(livemode=livemode, at=at)
    if request.GET.get("format") == "csv" and not problem:
        with acting_user(request):
            record_export(report="safeguarding", form="csv", rows=len(reports), filters=request.GET.dict())
        response = StreamingHttpResponse(report_csv(reports), content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="safeguarding-{at:%Y%m%dT%H%M%SZ}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response
    page = {
        **context,
        "title": "Safeguarding",
        "majuu_at": at,
        "majuu_given": given,
        "majuu_livemode": livemode,
        "majuu_problem": problem,
        "majuu_custodial": custodial(),
        "majuu_trust_accounts": trust_accounts(),
        "majuu_reports": [_shown(report) for report in reports],
    }
    return TemplateResponse(request, "majuu_console/safeguarding.html", page)


def _shown(report: Safeguarding) -> dict[str, Any]:
    """A report as the template draws it."""
    uncovered, shortfall = report.uncovered, report.shortfall
    return {
        "currency": report.currency,
        "findings": report.findings,
        "cards": [
            ("Owed to customers and stores", money_text(report.total("liability")), ""),
            ("In trust accounts", money_text(report.total("trust")), ""),
            ("Not in trust yet", money_text(uncovered), "warn" if uncovered.amount else "good"),
            ("Missing", money_text(shortfall), "bad" if shortfall.amount else "good"),
        ],
        "tables": [_table(report, section) for section in _SECTIONS],
    }


def _table(report: Safeguarding, section: str) -> Table:
    title, empty = _SECTIONS[section]
    rows = [(row.name, row.detail, money_cell(row.amount)) for row in report.rows if row.section == section]
    return Table(title=title, headers=("What", "Detail", "Amount"), rows=rows, note="" if rows else empty)

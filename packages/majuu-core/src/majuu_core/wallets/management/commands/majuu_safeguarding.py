"""``manage.py majuu_safeguarding``: customers' money against the money kept for them. Only reads."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.wallets.safeguarding import Safeguarding, report_csv, safeguarding_report
from majuu_core.wallets.statements import parse_instant


class Command(BaseCommand):
    help = "Report customer liabilities against trust balances; exit code 1 when money is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """[--at …] [--test] [--csv]"""
        parser.add_argument("--at", help="a time with its offset, or a day (UTC) at its end; default: now")
        parser.add_argument("--test", action="store_true", help="test money instead of live money")
        parser.add_argument("--csv", action="store_true", help="CSV instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        try:
            at = parse_instant(options["at"], "end") if options["at"] else clock.now()
        except Invalid as problem:
            raise CommandError(problem.message) from problem
        reports = safeguarding_report(livemode=not options["test"], at=at)
        if options["csv"]:
            for line in report_csv(reports):
                self.stdout.write(line, ending="")
        else:
            self.stdout.write(f"As of {at:%Y-%m-%d %H:%M:%S} UTC, {'test' if options['test'] else 'live'} money")
            for report in reports:
                self._table(report)
        if any(report.shortfall.amount > 0 for report in reports):
            sys.exit(1)

    def _table(self, report: Safeguarding) -> None:
        self.stdout.write("")
        for row in report.rows:
            self._line(row.section, f"{row.name} ({row.detail})", format_amount(row.amount), report.currency)
        for name in ("liability", "trust", "provider"):
            self._line("total", name, format_amount(report.total(name)), report.currency)
        self._line("total", "uncovered", format_amount(report.uncovered), report.currency)
        self._line("total", "shortfall", format_amount(report.shortfall), report.currency)
        for finding in report.findings:
            self.stdout.write(f"! {finding}")

    def _line(self, section: str, name: str, amount: str, currency: str) -> None:
        self.stdout.write(f"{section:<10} {name:<70} {amount:>20} {currency}")

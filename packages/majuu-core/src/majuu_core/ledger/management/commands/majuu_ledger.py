"""``manage.py majuu_ledger verify | balances | statement``: the books from the command line. Only reads."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from majuu_core.common.money import format_amount
from majuu_core.ledger.chart import AccountRef, parse_account
from majuu_core.ledger.selectors import Statement, balance, statement, trial_balance
from majuu_core.ledger.verification import Problem, count_rows, find_problems


class Command(BaseCommand):
    help = "Check the ledger, show balances, or print an account's statement."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """verify [--json] · balances [--live] [--account …] · statement --account … [--start …] [--end …]"""
        commands = parser.add_subparsers(dest="action", required=True, metavar="verify|balances|statement")
        verify = commands.add_parser("verify", help="recompute everything; exit code 1 if anything is wrong")
        verify.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        shown = commands.add_parser("balances", help="sums by kind and currency, or one account's balance")
        shown.add_argument("--live", action="store_true", help="live money instead of test money")
        shown.add_argument("--account", help="kind:owner:currency:live or :test")
        lines = commands.add_parser("statement", help="what moved on an account, line by line")
        lines.add_argument("--account", required=True, help="kind:owner:currency:live or :test")
        lines.add_argument("--start", required=True, help="first day or instant (ISO 8601, UTC)")
        lines.add_argument("--end", required=True, help="last day, or the instant before which to stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the named action."""
        if options["action"] == "verify":
            self._verify(as_json=options["json"])
        elif options["action"] == "balances":
            self._balances(options["account"], live=options["live"])
        else:
            self._statement(options["account"], options["start"], options["end"])

    def _verify(self, *, as_json: bool) -> None:
        counts, problems = count_rows(), []
        for problem in find_problems():
            problems.append(problem)
            if not as_json:
                self.stderr.write(f"{problem.check}: {problem.subject}: {problem.message}")
        if as_json:
            self.stdout.write(_report(counts, problems))
        else:
            seen = ", ".join(f"{name}: {number}" for name, number in counts.items())
            verdict = f"problems found: {len(problems)}" if problems else "all in order"
            self.stdout.write(f"{seen}; {verdict}")
        if problems:
            sys.exit(1)

    def _balances(self, account: str | None, *, live: bool) -> None:
        if account is not None:
            present = balance(_account(account))
            for name in ("posted", "available", "incoming"):
                self.stdout.write(f"{name:<10} {format_amount(getattr(present, name)):>24} {present.account.currency}")
            return
        for line in trial_balance(live):
            amounts = f"{format_amount(line.debits):>24} {format_amount(line.credits):>24}"
            self.stdout.write(f"{line.kind.value:<20} {line.debits.currency.code} {amounts}")

    def _statement(self, account: str, start: str, end: str) -> None:
        shown = _statement(_account(account), _instant(start), _instant(end, end_of_day=True))
        self.stdout.write(f"{shown.start:%Y-%m-%d %H:%M:%S} opening balance {format_amount(shown.opening)}")
        for line in shown.lines:
            self.stdout.write(
                f"{line.at:%Y-%m-%d %H:%M:%S} {line.side.value:<6} {format_amount(line.amount):>20} "
                f"{format_amount(line.balance):>20} {line.kind} {line.reference} {line.description}".rstrip()
            )
        self.stdout.write(f"{shown.end:%Y-%m-%d %H:%M:%S} closing balance {format_amount(shown.closing)}")


def _report(counts: dict[str, int], problems: list[Problem]) -> str:
    found = [{"check": item.check, "subject": item.subject, "message": item.message} for item in problems]
    return json.dumps({"ok": not problems, **counts, "problems": found})


def _statement(account: AccountRef, start: datetime, end: datetime) -> Statement:
    try:
        return statement(account, start, end)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _account(text: str) -> AccountRef:
    try:
        return parse_account(text)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _instant(text: str, *, end_of_day: bool = False) -> datetime:
    try:
        if len(text) == 10:
            day = datetime.combine(date.fromisoformat(text), time.min, UTC)
            return day + timedelta(days=1) if end_of_day else day
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no date such as 2026-01-31 or 2026-01-31T12:00:00+00:00") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

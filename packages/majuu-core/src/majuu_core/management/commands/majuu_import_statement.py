"""Imports a provider's or a bank's statement from a file, as the console's upload does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.models import Settlement
from majuu_core.reports.uploads import discard_settlement, import_settlement, stage_statement

_CHUNK = 1024 * 1024


class Command(BaseCommand):
    help = "Import a statement: CSV, XLSX or, for bank accounts, CAMT.053. The same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the provider account, pa_…")
        parser.add_argument("file", type=Path, help="the statement")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            account = ProviderAccount.objects.get(pk=ProviderAccount.uuid_of(options["account"]))
            with path.open("rb") as file:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                settlement = stage_statement(account=account, chunks=chunks, name=path.name)
            if settlement.state == Settlement.State.REFUSED:
                raise CommandError(settlement.message)
            if options["dry_run"] and settlement.state == Settlement.State.STAGED:
                discard_settlement(settlement=settlement)
            elif not options["dry_run"]:
                settlement = import_settlement(settlement=settlement)
        except (ValueError, ProviderAccount.DoesNotExist):
            raise CommandError(f"There is no provider account {options['account']!r}.") from None
        except OSError as problem:
            raise CommandError(f"{path} cannot be read: {problem.strerror}.") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._tell(settlement)

    def _tell(self, settlement: Settlement) -> None:
        for problem in settlement.problems:
            self.stderr.write(f"row {problem['row']}, {problem['column']}: {problem['message']}")
        counts = f"{settlement.new_lines} new, {settlement.changed_lines} changed, {settlement.known_lines} known"
        self.stdout.write(f"{settlement.public_id}: {counts}, {settlement.unreadable_rows} unreadable.")

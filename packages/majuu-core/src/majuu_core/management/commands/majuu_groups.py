"""``manage.py majuu_groups``: the groups of staff, with the permissions that fit them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Q

_CORE = Q(content_type__app_label__startswith="majuu_")
_VIEW = _CORE & Q(codename__startswith="view_")
_KYC = Q(content_type__app_label="majuu_merchants", content_type__model__startswith="kyc")
_AUDIT = Q(content_type__app_label="majuu_audit")
_MONEY_APPS = ("majuu_payments", "majuu_reports", "majuu_wallets", "majuu_ledger")
_MONEY = (
    Q(content_type__app_label__in=_MONEY_APPS) & ~Q(codename__startswith="delete_") & ~Q(codename__startswith="add_")
)

# What each group may do. Superusers may do everything, whatever their groups.
GROUPS: dict[str, Q] = {
    "support": _VIEW & ~_KYC & ~_AUDIT,
    "finance": (_VIEW & ~_KYC & ~_AUDIT) | _MONEY,
    "compliance": (_VIEW & ~_KYC) | (_KYC & (Q(codename__startswith="view_") | Q(codename="review_kyccase"))),
}


class Command(BaseCommand):
    help = (
        "Make the groups support, finance and compliance, or give them the permissions they lack. Permissions that "
        "somebody added stay; with --exact they are taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--exact", action="store_true", help="Take away what the groups do not come with.")

    def handle(self, *args: Any, **options: Any) -> None:
        for name, wanted in GROUPS.items():
            group, _ = Group.objects.get_or_create(name=name)
            permissions = Permission.objects.filter(wanted)
            if options["exact"]:
                group.permissions.set(permissions)
            else:
                group.permissions.add(*permissions)
            self.stdout.write(f"{name}: {group.permissions.count()} permissions")

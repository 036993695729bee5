"""What wallets know about a person: the customer's name, number, and what the shop calls them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from majuu_core.configuration import retention
from majuu_core.payments.representation import represent_time
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord
from majuu_core.wallets.models import Wallet


def _find(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for wallet in Wallet.objects.filter(customer_phone__in=identity.phones).order_by("pk"):
        closed = wallet.status == Wallet.Status.CLOSED
        yield PersonalRecord(
            id=wallet.public_id,
            kind="Wallet",
            data={
                "customer_name": wallet.customer_name,
                "customer_phone": wallet.customer_phone,
                "customer_reference": wallet.customer_reference,
                "currency": wallet.currency,
                "status": wallet.status,
                "created_at": represent_time(wallet.created_at),
            },
            keep_until=wallet.updated_at + retention("payments") if closed else None,
            keep_reason="Wallets are kept like payments (MAJUU_RETENTION)." if closed else "Close the wallet first.",
        )


def _erase(names: Sequence[str]) -> int:
    rows = list(Wallet.objects.filter(pk__in=[Wallet.uuid_of(name) for name in names]))
    for row in rows:
        Wallet.objects.filter(pk=row.pk).update(
            customer_name="", customer_phone="", customer_reference=f"erased-{row.public_id}"
        )
    return len(rows)


WALLETS = PersonalData(name="wallets.wallets", label="Wallets", find=_find, erase=_erase)

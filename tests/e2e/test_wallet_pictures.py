"""Wallets and the safeguarding page in a browser: nothing sticks out, and freezing works."""

from __future__ import annotations

import pytest
from moneyed import Money

from majuu_core.console.cells import address_of
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.testing.factories import make_provider_account
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.services import freeze_wallet
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.trust import record_trust_movement
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.console.world import make_staff
from tests.core.wallets.support import Counter
from tests.e2e.signing_in import sign_in_on


@pytest.fixture
def wallet(transactional_db, settings) -> Wallet:
    """A wallet that has seen everything; a frozen one beside it; and money at two banks."""
    settings.MAJUU_CUSTODIAL = True
    settings.MAJUU_TRUST_ACCOUNTS = {
        "kcb": {"name": "Majuu Customers Trust", "bank": "KCB Bank"},
        "equity": {"name": "Majuu Customers Trust 2", "bank": "Equity Bank"},
    }
    counter = Counter()
    made = counter.wallet(funds="15000", customer_name="Wanjiku Kamau-Odhiambo")
    pay_intent_from_wallet(wallet=made, intent=counter.intent("1300", description="Shoes"))
    withdraw(wallet=made, details=WithdrawalDetails(amount=Money(200, "KES"), reference="W-1"))
    withdraw(wallet=made, details=WithdrawalDetails(amount=Money(7723, "KES"), reference="W-2"))
    freeze_wallet(wallet=counter.wallet("C-2", customer_name="Otieno"), reason="The phone was stolen.")
    paybill = make_provider_account(platform=True, name="Paybill 600000")
    clearing = AccountRef(AccountKind.PROVIDER_CLEARING, paybill.public_id, "KES", False)
    payable = AccountRef(AccountKind.STORE_PAYABLE, counter.store.public_id, "KES", False)
    moves = [Move(debit=clearing, credit=payable, amount=Money(9000, "KES"))]
    record_transaction(key="paybill", kind="charge", reference="test", livemode=False, moves=moves)
    for code, amount in (("kcb", 4000), ("equity", 3000)):
        record_trust_movement(
            trust=code,
            incoming=True,
            amount=Money(amount, "KES"),
            reference="FT1",
            provider_account=counter.account,
            livemode=False,
        )
    return made


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_wallet_pages(width, dark, wallet, visit) -> None:
    """given a phone or a desk, light or dark / when wallets are looked at and one is frozen / then it all fits."""
    look, user = f"{width}-{'dark' if dark else 'light'}", make_staff(superuser=True)
    visitor = visit(width=width, dark=dark)
    sign_in_on(visitor, user, "/console/")
    visitor.page.wait_for_selector("#attention")
    pages = {
        "wallets": "/console/majuu_wallets/wallet/",
        "wallet": address_of(wallet),
        "safeguarding": "/console/safeguarding/?mode=test",
    }
    for name, path in pages.items():
        visitor.open(path)
        assert visitor.fits(), name
        visitor.picture(f"console-{name}-{look}")
    visitor.open(pages["wallet"])
    visitor.page.click("text=Freeze")
    visitor.page.wait_for_selector("text=Release")
    assert Wallet.objects.get(pk=wallet.pk).status == "frozen"
    assert visitor.complaints == []

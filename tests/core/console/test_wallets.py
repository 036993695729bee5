"""The wallet's page, its brake, and the safeguarding page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.console.cells import address_of
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.wallets.support import Counter

VIEW, CHANGE = "majuu_wallets.view_wallet", "majuu_wallets.change_wallet"


@pytest.fixture
def counter(db: None, virtual_clock: Any, settings: Any) -> Counter:
    settings.MAJUU_CUSTODIAL = True
    settings.MAJUU_TRUST_ACCOUNTS = {"kcb": {"name": "Majuu Trust", "bank": "KCB Bank"}}
    return Counter()


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("\u00a0", " ")


def test_the_page_shows_balance_and_what_moved(counter: Counter, superuser_client: Any) -> None:
    """given a wallet with a deposit, a payment and a withdrawal / when its page is read / then all of it is there."""
    wallet = counter.wallet(funds="1500", customer_name="Wanjiku <b>")
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300"))
    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(200, "KES"), reference="W-1"))
    page = words(superuser_client.get(address_of(wallet)))
    for text in ("KES 1,000.00", "KES -300.00", "KES -200.00", "Latest deposits", "Latest withdrawals", "Freeze"):
        assert text in page
    assert "Wanjiku &lt;b&gt;" in page


def test_staff_freeze_and_release(counter: Counter, staff_client: Any) -> None:
    """given staff who may / when they press Freeze, then Release / then the wallet follows, audited as theirs."""
    wallet, client = counter.wallet(), staff_client(VIEW, CHANGE)
    for action, status in (("freeze", "frozen"), ("unfreeze", "active")):
        answer = client.post(reverse(f"console:majuu_wallets_wallet_{action}", args=[wallet.public_id]))
        assert (answer.status_code, answer.headers["Location"]) == (302, address_of(wallet))
        assert Wallet.objects.get().status == status
    entries = AuditEntry.objects.filter(action="wallet.updated")
    assert [entry.actor_type for entry in entries] == ["user", "user"]


def test_others_do_not(counter: Counter, staff_client: Any) -> None:
    """given staff who may only look / when they try / then 403, no button, and the wallet is as it was."""
    wallet, client = counter.wallet(), staff_client(VIEW)
    address = reverse("console:majuu_wallets_wallet_freeze", args=[wallet.public_id])
    assert client.post(address).status_code == 403
    assert client.get(address).status_code in {403, 405}
    assert "Freeze" not in words(client.get(address_of(wallet)))
    assert Wallet.objects.get().status == "active"
    assert staff_client("majuu_payments.view_charge").get(address_of(wallet)).status_code == 403


def test_the_safeguarding_page(counter: Counter, staff_client: Any) -> None:
    """given wallets and no trust money / when the page is read / then it says what is owed and missing."""
    counter.wallet(funds="1500")
    client = staff_client(VIEW)
    address = reverse("console:safeguarding")
    page = words(client.get(address, {"mode": "test"}))
    for text in ("KES 1,500.00", "1500.00 KES of customers' money are missing", "Majuu Trust, KCB Bank (kcb)"):
        assert text in page.replace("&#x27;", "'")
    assert "No money is held for anybody" in words(client.get(address))
    earlier = words(client.get(address, {"mode": "test", "at": "2025-12-31"}))
    assert "No money is held for anybody" in earlier
    assert "Send a day such as" in words(client.get(address, {"mode": "test", "at": "<script>"}))
    exported = client.get(address, {"mode": "test", "format": "csv"})
    assert b"".join(exported.streaming_content).decode().splitlines()[1] == (
        "KES,liability,Wallets,1 with money on them,1500.00"
    )


def test_the_safeguarding_page_is_for_those_who_may_see_wallets(counter: Counter, staff_client: Any) -> None:
    """given staff without the permission / when they ask for it / then 403."""
    assert staff_client("majuu_payments.view_charge").get(reverse("console:safeguarding")).status_code == 403

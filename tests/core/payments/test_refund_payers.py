"""A refund goes to whoever paid, also when the provider tells of them only by a hash or a mask."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from majuu_core.common.problems import Invalid
from majuu_core.payments.models import Charge
from majuu_core.payments.refund_planner import make_plan
from majuu_core.providers import RefundRoute
from tests.core.payments.incoming_support import PHONE, arrive
from tests.core.payments.support import Till

B2C = RefundRoute(method="b2c", possible=True, reason="", books_as="payout", needs=("phone",))
HASH = hashlib.sha256(PHONE.encode()).hexdigest()


@pytest.mark.parametrize("told", [{"payer_phone_hash": HASH}, {"payer_phone_masked": "2547 ***** 678"}])
def test_a_claimed_payment_goes_back_to_its_payer_only(till: Till, told: dict[str, Any]) -> None:
    """Given money whose payer is told by hash or mask, then its charge still knows whose number is the payer's."""
    till.intent("1500", reference="1001")
    arrive(till.account, account_reference="1001", payer_phone="", **told)
    charge = Charge.objects.get()
    asked: dict[str, Any] = {
        "routes": [B2C],
        "amount": charge.amount,
        "refundable": charge.amount,
        "payer": charge.payer,
    }
    assert make_plan(**asked).missing == ("phone",)
    assert make_plan(**asked, destination={"phone": PHONE}).destination == {"phone": PHONE}
    with pytest.raises(Invalid) as caught:
        make_plan(**asked, destination={"phone": "254799000111"})
    assert caught.value.code == "refund_destination_not_payer"

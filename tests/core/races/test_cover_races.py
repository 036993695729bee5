"""Money of a store that two ways out want at the same moment: it leaves once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Conflict
from majuu_core.ledger.verification import find_problems
from majuu_core.payments import claim_undoing
from majuu_core.payments.claim_undoing import confirm_claim_undo, request_claim_undo
from majuu_core.payments.incoming_books import reverse_claim
from majuu_core.payments.models import Claim
from tests.core.payments.incoming_support import arrive, claim, payable
from tests.core.payments.payout_support import Paymaster
from tests.core.races.threads import Rendezvous, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("custodian")]
WRONG = "It was another shop's."


def confirm(made: Claim) -> Any:
    with acting_as(Actor(type="user", id="2")):
        return confirm_claim_undo(claim=made)


def test_a_claim_is_not_undone_while_its_money_is_paid_out(
    transactional_db: None, virtual_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given claimed money, when its claim is undone and it is paid out at once, then one of both is refused."""
    master = Paymaster(pooled=True)
    arrive(master.account)
    made = claim(master.store)
    with acting_as(Actor(type="user", id="1")):
        request_claim_undo(claim=made, reason=WRONG)
    looked = Rendezvous()

    def slowly(*args: Any, **kwargs: Any) -> None:
        looked.reached.set()
        looked.go_on.wait(1)  # the payout has had its chance, or waits for us
        reverse_claim(*args, **kwargs)

    monkeypatch.setattr(claim_undoing, "reverse_claim", slowly)

    def pay() -> Any:
        assert looked.reached.wait(20)
        try:
            return master.send("1500")
        finally:
            looked.go_on.set()

    works: list[Callable[[], Any]] = [partial(confirm, made), pay]
    results = at_once(works)
    assert [type(result) for result in results if isinstance(result, Exception)] == [Conflict], results
    assert (payable(master.store), list(find_problems())) == (Decimal(0), [])

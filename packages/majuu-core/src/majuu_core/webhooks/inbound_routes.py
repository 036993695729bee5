"""Which service of the payments room hears of which kind of event, charges apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from majuu_core.payments.balances import apply_balance_report
from majuu_core.payments.dispute_hearing import apply_dispute_event
from majuu_core.payments.incoming import check_incoming, receive_incoming
from majuu_core.payments.notices import Notice, Verdict
from majuu_core.payments.payout_sending import apply_payout_event
from majuu_core.payments.refund_notices import apply_refund_event
from majuu_core.payments.saved_methods import apply_saved_method_event

Route = Callable[[Notice], Verdict]

ROUTES: Mapping[str, Route] = {
    "payout.updated": apply_payout_event,
    "refund.updated": apply_refund_event,
    "saved_method.updated": apply_saved_method_event,
    "dispute.updated": apply_dispute_event,
    "balance.reported": apply_balance_report,
    "incoming.received": receive_incoming,
    "incoming.checked": check_incoming,
}

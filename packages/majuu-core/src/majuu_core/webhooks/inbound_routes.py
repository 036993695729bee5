"""Which service of the payments room hears of which kind of event, charges apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from majuu_core.payments.balances import apply_balance_report
from majuu_core.payments.notices import Notice, Verdict

Route = Callable[[Notice], Verdict]

ROUTES: Mapping[str, Route] = {
    "balance.reported": apply_balance_report,
}

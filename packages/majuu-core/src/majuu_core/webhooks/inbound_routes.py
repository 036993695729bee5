"""Which service of the payments room hears of which kind of event, charges apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from majuu_core.payments.incoming import check_incoming, receive_incoming
from majuu_core.payments.notices import Notice, Verdict

Route = Callable[[Notice], Verdict]

ROUTES: Mapping[str, Route] = {
    "incoming.received": receive_incoming,
    "incoming.checked": check_incoming,
}

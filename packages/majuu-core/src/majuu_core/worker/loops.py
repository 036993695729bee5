"""The work that is done in small pieces, again and again: who does it, and how often it is looked for.

Every function takes what is due, at most a group, and returns how much it took; 0 means nothing is due. All of them are
safe when several workers run them: each claims its rows. What is due and how far it is stands in the tables alone, so a
worker that is killed loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from majuu_core.plugins.contributions import import_function

_log = logging.getLogger("majuu.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One kind of work. ``function`` is a dotted path, imported when it is first needed, or the function itself."""

    name: str
    function: str | Callable[[], int]
    pause: float  # seconds to wait when nothing was due
    threads: int = 1  # how many of a worker's threads run it, where it waits for others

    def run(self) -> int:
        """Do one group. Returns how much was taken."""
        function = import_function(self.function) if isinstance(self.function, str) else self.function
        return int(function())


DISPATCH = Loop(name="events.dispatch", function="majuu_core.webhooks.dispatch.dispatch_due", pause=0.25)
CORE_LOOPS: tuple[Loop, ...] = (
    Loop(
        name="webhooks.inbound",
        function="majuu_core.webhooks.inbound_processing.process_waiting",
        pause=0.25,
        threads=4,
    ),
    Loop(name="payments.follow_ups", function="majuu_core.payments.follow_ups.run_due_follow_ups", pause=1, threads=4),
    Loop(name="payouts.send", function="majuu_core.payments.payout_sending.send_due_payouts", pause=1),
    Loop(name="payouts.follow_ups", function="majuu_core.payments.payout_sending.run_due_payout_questions", pause=1),
    Loop(name="payments.refunds", function="majuu_core.payments.refund_outcomes.run_due_refund_questions", pause=1),
    Loop(name="payments.saved_methods", function="majuu_core.payments.saved_methods.run_due_savings", pause=5),
    Loop(name="payments.disputes", function="majuu_core.payments.dispute_hearing.run_due_disputes", pause=30),
    Loop(name="incoming.settle", function="majuu_core.payments.incoming_settling.run_due_incoming", pause=1),
    Loop(name="payments.expiry", function="majuu_core.payments.intents.expire_due_intents", pause=5),
    Loop(name="reports.closes", function="majuu_core.reports.due.run_due_closes", pause=60),
    Loop(name="payments.balances", function="majuu_core.payments.balances.request_due_balances", pause=30),
    Loop(name="alerts.watch", function="majuu_core.webhooks.watching.watch", pause=60),
    Loop(name="wallets.deposits", function="majuu_core.wallets.deposits.credit_watched_deposits", pause=10),
    Loop(name="audit.seal", function="majuu_core.audit.sealing.seal_entries", pause=2),
    Loop(name="audit.seal_late", function="majuu_core.audit.sealing.seal_late_entries", pause=600),
    Loop(name="audit.anchors", function="majuu_core.audit.delivery.run_due_anchors", pause=60),
    DISPATCH,
    Loop(name="events.handlers", function="majuu_core.events.handlers.run_due_handlers", pause=0.5),
    Loop(name="webhooks.endpoints", function="majuu_core.webhooks.outbound_upkeep.look_after_endpoints", pause=30),
    Loop(name="webhooks.purge", function="majuu_core.webhooks.outbound_upkeep.purge_attempts", pause=600),
    Loop(name="idempotency.purge", function="majuu_core.idempotency.services.purge_keys", pause=600),
    Loop(name="oauth.purge", function="majuu_core.merchants.client_tokens.purge_tokens", pause=600),
)


class LoopsFailed(Exception):
    """Some loops raised; the others did their work. The text names them, the log has the details."""


def run_all(
    loops: Iterable[Loop] = CORE_LOOPS,
    *,
    deliver: Callable[[], int] | None = None,
    seconds: float | None = None,
) -> int:
    """Run every loop until nothing is due anywhere, or until ``seconds`` have passed. Returns how much was done.

    One loop's work may make another's: rounds go on until a whole round finds nothing. A loop that raises is left out
    of the following rounds. Raises LoopsFailed at the end when one did.
    """
    ends = None if seconds is None else monotonic() + seconds
    works = [*loops, *([Loop(name="webhooks.deliver", function=deliver, pause=0)] if deliver else [])]
    failed: list[str] = []
    total, done = 0, -1
    while done and not _is_over(ends):
        done = sum(_run_down(loop, ends, failed) for loop in works if loop.name not in failed)
        total += done
    if failed:
        raise LoopsFailed(f"failed: {', '.join(failed)}")
    return total


def _run_down(loop: Loop, ends: float | None, failed: list[str]) -> int:
    total, done = 0, -1
    try:
        while done and not _is_over(ends):
            done = loop.run()
            total += done
    except Exception:  # noqa: BLE001 - one room's fault must not stop the others
        _log.exception("the loop %s failed", loop.name)
        failed.append(loop.name)
    return total


def _is_over(ends: float | None) -> bool:
    return ends is not None and monotonic() >= ends


def find_loop(name: str, loops: Sequence[Loop] = CORE_LOOPS) -> Loop:
    """The loop of this name. Raises LookupError."""
    for loop in loops:
        if loop.name == name:
            return loop
    raise LookupError(f"there is no loop {name!r}")

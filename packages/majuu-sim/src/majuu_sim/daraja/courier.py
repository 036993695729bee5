"""Sends what was planned: at once, later, after being overtaken, never, or again when nobody listened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from majuu_sim.events import EventDesk
from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One event: sent ``after`` seconds to ``url``, held until overtaken, or lost."""

    after: float
    kind: str
    subject: str  # the payment or request it speaks of
    url: str
    body: Mapping[str, Any]
    lost: bool = False
    held: bool = False
    retries: int = 0  # so often it is sent again when the receiver did not take it
    retry_gap: float = 60.0


def plan_event(
    script: FaultScript,
    *,
    subject: str,
    url: str,
    body: Mapping[str, Any],
    kind: str = "result",
    retries: int = 0,
    retry_gap: float = 60.0,
) -> list[Planned]:
    """The event as the script wants it, and its duplicates."""
    first = Planned(
        after=script.event_delay,
        kind=kind,
        subject=subject,
        url=url,
        body=body,
        lost=script.event_lost,
        held=script.event_out_of_order,
        retries=retries,
        retry_gap=retry_gap,
    )
    copies = [
        Planned(
            after=script.event_delay + copy * script.duplicate_gap,
            kind="duplicate",
            subject=subject,
            url=url,
            body=body,
        )
        for copy in range(1, script.duplicates + 1)
    ]
    return [first, *copies]


class Courier:
    """Carries out plans."""

    def __init__(self, *, scheduler: Scheduler, desk: EventDesk) -> None:
        """Wait on ``scheduler``, send through ``desk``."""
        self._scheduler = scheduler
        self._desk = desk

    async def run(self, plan: Iterable[Planned]) -> None:
        """Plan what is due later, then send what is due now, in order."""
        now = []
        for planned in plan:
            if planned.after > 0:
                self.schedule(planned)
            else:
                now.append(planned)
        for planned in now:
            await self.carry_out(planned)

    def schedule(self, planned: Planned) -> None:
        """Send it when its time has come."""

        async def carry_out() -> None:
            await self.carry_out(planned)

        self._scheduler.after(planned.after, f"{planned.kind} callback of {planned.subject}", carry_out)

    async def carry_out(self, planned: Planned) -> None:
        """Send, hold or lose it now."""
        event = {"subject": planned.subject, "kind": planned.kind, "url": planned.url}
        if planned.lost:
            self._desk.record_lost(**event, body=planned.body)
        elif planned.held:
            self._desk.hold(**event, body=planned.body)
        else:
            attempt = await self._desk.send(**event, body=planned.body)
            if planned.retries and attempt.state != "delivered":
                self.schedule(replace(planned, after=planned.retry_gap, kind="retry", retries=planned.retries - 1))

"""The desk that sends a provider's events, holds some back, and remembers each attempt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.scheduler import Due, Scheduler
from majuu_sim.transport import Answer, DeliveryFailed, Transport

HELD_AT_MOST = 60.0  # seconds of the simulator's clock an out-of-order event waits for another to overtake it


@dataclass(slots=True)
class EventAttempt:
    """One event and what became of it."""

    id: str  # cb_1, cb_2, …
    subject: str  # the payment it speaks of
    kind: str  # result, duplicate, stale, forged, manual, resend
    url: str
    body: dict[str, Any]
    state: str  # lost, held, sending, delivered (2xx), refused (another status), failed (no answer)
    at: str  # ISO 8601, the simulator's clock, of the last change
    status: int | None = None
    answer: str = ""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return asdict(self)


Signer = Callable[[EventAttempt, bytes], Mapping[str, str]]


class EventDesk:
    """Sends events and keeps the log of all that were tried, lost or held."""

    def __init__(self, *, transport: Transport, scheduler: Scheduler, clock: Clock) -> None:
        """Send through ``transport``; times come from ``clock``."""
        self._transport = transport
        self._scheduler = scheduler
        self._clock = clock
        self.sign: Signer | None = None  # a provider that signs its events: the headers of one attempt, made when sent
        self._log: dict[str, EventAttempt] = {}
        self._held: list[tuple[EventAttempt, Due]] = []

    def attempts(self) -> list[EventAttempt]:
        """Every event so far, in the order they arose."""
        return list(self._log.values())

    def get(self, attempt_id: str) -> EventAttempt:
        """One attempt; KeyError when there is none of this id."""
        return self._log[attempt_id]

    def clear(self) -> None:
        """Forget everything."""
        self._log.clear()
        self._held.clear()

    def record_lost(self, *, subject: str, kind: str, url: str, body: Mapping[str, Any]) -> EventAttempt:
        """Remember an event that is never sent (it can still be resent by hand)."""
        return self._note(subject, kind, url, body, "lost")

    def hold(self, *, subject: str, kind: str, url: str, body: Mapping[str, Any]) -> EventAttempt:
        """Keep an event back until another one has been delivered, or for a minute at most."""
        attempt = self._note(subject, kind, url, body, "held")

        async def give_up_waiting() -> None:
            self._held = [(other, due) for other, due in self._held if other is not attempt]
            await self._deliver(attempt)

        self._held.append((attempt, self._scheduler.after(HELD_AT_MOST, f"held {attempt.id}", give_up_waiting)))
        return attempt

    async def send(self, *, subject: str, kind: str, url: str, body: Mapping[str, Any]) -> EventAttempt:
        """Send an event now, then the ones that waited to be overtaken."""
        attempt = self._note(subject, kind, url, body, "sending")
        await self._deliver(attempt)
        held, self._held = self._held, []
        for late, due in held:
            self._scheduler.cancel(due)
            await self._deliver(late)
        return attempt

    async def ask(
        self, *, subject: str, kind: str, url: str, body: Mapping[str, Any], within: float
    ) -> tuple[EventAttempt, Answer | None]:
        """Send a question now; the receiver's answer, or None when it had none within so many REAL seconds."""
        attempt = self._note(subject, kind, url, body, "sending")
        return attempt, await self._deliver(attempt, within)

    async def resend(self, attempt_id: str) -> EventAttempt:
        """Send the same body again; KeyError when there is no such attempt."""
        first = self._log[attempt_id]
        return await self.send(subject=first.subject, kind="resend", url=first.url, body=first.body)

    def _note(self, subject: str, kind: str, url: str, body: Mapping[str, Any], state: str) -> EventAttempt:
        attempt = EventAttempt(f"cb_{len(self._log) + 1}", subject, kind, url, dict(body), state, self._stamp())
        self._log[attempt.id] = attempt
        return attempt

    async def _deliver(self, attempt: EventAttempt, within: float | None = None) -> Answer | None:
        attempt.state = "sending"
        answer = None
        body = json.dumps(attempt.body).encode()
        headers = self.sign(attempt, body) if self.sign is not None else None
        try:
            async with asyncio.timeout(within):
                answer = await self._transport.post(attempt.url, body, headers)
        except DeliveryFailed as failure:
            attempt.state, attempt.error = "failed", str(failure)
        except TimeoutError:
            attempt.state, attempt.error = "failed", f"no answer within {within} s"
        else:
            attempt.state = "delivered" if 200 <= answer.status < 300 else "refused"
            attempt.status, attempt.answer = answer.status, answer.body
        attempt.at = self._stamp()
        return answer

    def _stamp(self) -> str:
        return self._clock.now().isoformat()

"""What every simulated provider shares: clock, seed, faults, events, the background server and its control API."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from aiohttp import web

from majuu_sim import control
from majuu_sim.clock import Clock, RealClock
from majuu_sim.events import EventAttempt, EventDesk
from majuu_sim.faults import PRESETS, FaultQueue, FaultRule, FaultScript
from majuu_sim.scheduler import Scheduler
from majuu_sim.server import ServerThread, address_of, open_socket, start_site
from majuu_sim.transport import HttpTransport, Transport

T = TypeVar("T")

ScriptLike = FaultScript | str | Mapping[str, Any]


class Simulator(ABC):
    """A simulated provider. All its state lives on one loop; the public methods are safe from any other thread.

    A method named ``*_here`` is the same thing for code that runs on the loop already.
    """

    name: ClassVar[str]
    operations: ClassVar[tuple[str, ...]]
    outcomes: ClassVar[frozenset[str]]
    largest_request: ClassVar[int] = 1024**2  # bytes

    def __init__(self, *, seed: int = 0, clock: Clock | None = None, transport: Transport | None = None) -> None:
        """``seed`` decides every random id; ``clock`` defaults to the machine's, ``transport`` to real HTTP."""
        self.clock: Clock = clock or RealClock()
        self.rng = random.Random(seed)  # noqa: S311 - a simulator's ids must repeat
        self.transport: Transport = transport or HttpTransport()
        self.scheduler = Scheduler(self.clock)
        self.faults = FaultQueue()
        self.desk = EventDesk(transport=self.transport, scheduler=self.scheduler, clock=self.clock)
        self._server: ServerThread | None = None

    # What a provider brings.

    @abstractmethod
    def add_routes(self, app: web.Application) -> None:
        """Add the provider's own addresses, and its own control addresses."""

    @abstractmethod
    def payments_here(self) -> list[dict[str, Any]]:
        """The money the provider really took, oldest first."""

    @abstractmethod
    def state_here(self) -> dict[str, Any]:
        """Everything worth seeing, JSON-able."""

    @abstractmethod
    def clear_here(self) -> None:
        """Forget the provider's own state."""

    # Serving.

    def build_app(self) -> web.Application:
        """The aiohttp application: the provider's addresses and the control API."""
        app = web.Application(client_max_size=self.largest_request)
        app.on_startup.append(self._start)
        app.on_cleanup.append(self._stop)
        control.add_routes(app, self)
        self.add_routes(app)
        return app

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Serve in a background thread (port 0: any free one) and return; use as ``with sim.serve():`` or close()."""
        if self._server is not None:
            raise RuntimeError("this simulator is being served already")
        server = ServerThread(self.build_app, host=host, port=port, name=f"majuu-sim-{self.name}")
        try:
            server.start()
        except BaseException:
            server.stop()
            raise
        self._server = server
        return self

    async def serve_until(self, stop: asyncio.Event, *, host: str, port: int, ready: Callable[[str], None]) -> None:
        """Serve on the running loop until ``stop`` is set; ``ready`` is told the base URL."""
        listener = open_socket(host, port)
        runner = await start_site(self.build_app(), listener)
        try:
            ready(address_of(listener))
            await stop.wait()
        finally:
            await runner.cleanup()
            listener.close()

    @property
    def base_url(self) -> str:
        """The address it is served at, without a slash at the end; RuntimeError when it is not served."""
        if self._server is None:
            raise RuntimeError("this simulator is not being served; call serve() first")
        return self._server.base_url

    def close(self) -> None:
        """Stop serving; harmless when it is not served."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        """Serve, unless serve() was called already."""
        return self if self._server is not None else self.serve()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.close()

    # Steering, from any thread.

    def script(
        self, *scripts: ScriptLike, operation: str | None = None, customer: str | None = None, times: int = 1
    ) -> None:
        """Queue fault scripts: the next requests of ``operation`` (of ``customer``, if given) behave so.

        A script is a :class:`FaultScript`, a preset's or an outcome's name, or a mapping of fields. ``operation``
        defaults to the provider's first (the payment request). ValueError for anything unknown.
        """
        rules = [self.make_rule(script, operation, customer, times) for script in scripts]
        self._on_loop(lambda: self.add_rules_here(rules))

    def advance(self, seconds: float) -> int:
        """Turn the virtual clock forward; returns when everything due has happened, with the number of jobs run."""
        return self._await(lambda: self.scheduler.advance(seconds))

    def run_due(self) -> int:
        """Run what is due on a clock that others turn; returns the number of jobs run."""
        return self._await(self.scheduler.run_due)

    def settle(self, within: float | None = None) -> int:
        """Let everything planned happen: on a virtual clock up to ``within`` (1 day) ahead, on a real one by waiting
        ``within`` (10) real seconds at most, then TimeoutError."""
        limit = within if within is not None else (86_400.0 if self.clock.manual else 10.0)
        return self._await(lambda: self.scheduler.settle(limit))

    def callbacks(self) -> list[EventAttempt]:
        """Every event so far (sent, lost, held, forged), oldest first."""
        return self._on_loop(self.desk.attempts)

    def resend(self, callback_id: str) -> EventAttempt:
        """Send an event's body again, also a lost one; KeyError when there is no such event."""
        return self._await(lambda: self.desk.resend(callback_id))

    def state(self) -> dict[str, Any]:
        """Everything worth seeing, JSON-able."""
        return self._on_loop(self.state_here)

    def reset(self, *, seed: int | None = None) -> None:
        """Forget payments, scripts, events, plans and tokens; reseed if asked. The clock stays where it is."""
        self._on_loop(lambda: self.reset_here(seed=seed))

    # The same, on the loop.

    def reset_here(self, *, seed: int | None = None) -> None:
        """See :meth:`reset`."""
        self.scheduler.clear()
        self.desk.clear()
        self.faults.rules.clear()
        if seed is not None:
            self.rng.seed(seed)
        self.clear_here()

    def add_rules_here(self, rules: list[FaultRule]) -> None:
        """Queue rules made by :meth:`make_rule`."""
        for rule in rules:
            self.faults.add(rule)

    def make_rule(self, script: ScriptLike, operation: str | None, customer: str | None, times: int) -> FaultRule:
        """A checked rule; ValueError for an unknown operation, preset, outcome or field."""
        chosen = operation or self.operations[0]
        if chosen not in self.operations:
            raise ValueError(f"unknown operation {chosen!r}; known: {', '.join(self.operations)}")
        rule = FaultRule(self.make_script(script), chosen, customer, times)
        FaultQueue().add(rule)  # refuses a wrong ``times`` before anything is queued
        return rule

    def make_script(self, script: ScriptLike) -> FaultScript:
        """A checked script out of a script, a preset's or outcome's name, or a mapping."""
        made = self._script_of(script)
        for claimed in (made.outcome, made.event_outcome, made.stale_outcome, made.read_outcome):
            if claimed is not None and claimed not in self.outcomes:
                raise ValueError(f"unknown outcome {claimed!r}; known: {', '.join(sorted(self.outcomes))}")
        return made

    def _script_of(self, script: ScriptLike) -> FaultScript:
        if isinstance(script, FaultScript):
            return script
        if not isinstance(script, str):
            return FaultScript.from_dict(script)
        if script in PRESETS:
            return PRESETS[script]
        if script in self.outcomes:
            return FaultScript(outcome=script)
        known = ", ".join(sorted({*PRESETS, *self.outcomes}))
        raise ValueError(f"unknown fault {script!r}; known: {known}")

    # Crossing threads.

    def _on_loop(self, function: Callable[[], T]) -> T:
        """Run a plain function where the state lives: on the loop while served, here otherwise."""
        if self._server is None:
            return function()

        async def run() -> T:
            return function()

        return self._server.call(run())

    def _await(self, function: Callable[[], Awaitable[T]]) -> T:
        if self._server is None:
            raise RuntimeError("this simulator is not being served; call serve() first")

        async def run() -> T:
            return await function()

        return self._server.call(run())

    async def _start(self, app: web.Application) -> None:
        self.scheduler.start()
        await self.transport.start()

    async def _stop(self, app: web.Application) -> None:
        self.scheduler.clear()
        await self.transport.close()

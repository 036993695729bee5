"""The control API: what a test or a person in another process does to a running simulator, as JSON over HTTP."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from majuu_sim.faults import PRESETS

if TYPE_CHECKING:
    from majuu_sim.simulator import Simulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadControl(Exception):
    """A control request that makes no sense; becomes HTTP 400 with the message."""


def answer(data: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


async def read_object(request: web.Request) -> dict[str, Any]:
    """The request's JSON object (an empty body is an empty object); BadControl otherwise."""
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadControl(f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadControl("the body must be a JSON object")
    return data


def take_fields(data: dict[str, Any], *allowed: str) -> dict[str, Any]:
    """``data``, once it is sure to hold nothing but ``allowed``."""
    unknown = sorted(set(data) - set(allowed))
    if unknown:
        raise BadControl(f"unknown field(s): {', '.join(unknown)}; known: {', '.join(allowed)}")
    return data


def seconds_in(data: dict[str, Any], default: float | None = None) -> float:
    """The field ``seconds``; BadControl when it is not a number from 0 to ten years."""
    value = data.get("seconds", default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 315_360_000:
        raise BadControl("seconds must be a number, zero or more")
    return float(value)


def guarded(handler: Handler) -> Handler:
    """``handler`` with mistakes answered as 400, unknown things as 404 and impossible ones as 409."""

    async def safe(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (BadControl, ValueError, TypeError) as error:
            return answer({"error": str(error)}, 400)
        except KeyError as error:
            return answer({"error": f"there is no {error.args[0]!r} here"}, 404)
        except (RuntimeError, TimeoutError) as error:
            return answer({"error": str(error) or "it took too long"}, 409)

    return safe


def add_routes(app: web.Application, simulator: Simulator) -> None:
    """Add the control addresses every simulator has."""
    desk = ControlDesk(simulator)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/control/state", desk.state),
        ("GET", "/control/payments", desk.payments),
        ("GET", "/control/callbacks", desk.callbacks),
        ("POST", "/control/callbacks/{id}/resend", desk.resend),
        ("GET", "/control/faults", desk.faults),
        ("POST", "/control/faults", desk.add_fault),
        ("DELETE", "/control/faults", desk.clear_faults),
        ("GET", "/control/clock", desk.clock),
        ("POST", "/control/clock/advance", desk.advance),
        ("POST", "/control/clock/settle", desk.settle),
        ("POST", "/control/reset", desk.reset),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, guarded(handler))


class ControlDesk:
    """The handlers of the shared control addresses."""

    def __init__(self, simulator: Simulator) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def state(self, request: web.Request) -> web.Response:
        """Everything worth seeing."""
        return answer(self._sim.state_here())

    async def payments(self, request: web.Request) -> web.Response:
        """The money the provider really took."""
        return answer({"payments": self._sim.payments_here()})

    async def callbacks(self, request: web.Request) -> web.Response:
        """Every event and what became of it."""
        return answer({"callbacks": [attempt.to_dict() for attempt in self._sim.desk.attempts()]})

    async def resend(self, request: web.Request) -> web.Response:
        """Send one event's body again."""
        attempt = await self._sim.desk.resend(request.match_info["id"])
        return answer(attempt.to_dict())

    async def faults(self, request: web.Request) -> web.Response:
        """What is queued, and what could be."""
        return answer(
            {
                "queued": [rule.to_dict() for rule in self._sim.faults.rules],
                "operations": list(self._sim.operations),
                "presets": {name: script.to_dict() for name, script in PRESETS.items()},
                "outcomes": sorted(self._sim.outcomes),
            }
        )

    async def add_fault(self, request: web.Request) -> web.Response:
        """Queue one script: ``{"preset": name}`` or ``{"script": {…}}``, with operation, customer and times."""
        data = take_fields(await read_object(request), "preset", "script", "operation", "customer", "times")
        if ("preset" in data) == ("script" in data):
            raise BadControl("give either preset or script")
        script = data.get("preset", data.get("script"))
        if not isinstance(script, (str, dict)):
            raise BadControl("preset is a name and script is an object")
        rule = self._sim.make_rule(script, data.get("operation"), data.get("customer"), data.get("times", 1))
        self._sim.add_rules_here([rule])
        return answer(rule.to_dict(), 201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Forget what is queued."""
        self._sim.faults.rules.clear()
        return answer({"queued": []})

    async def clock(self, request: web.Request) -> web.Response:
        """The time, and what is planned."""
        planned = [{"at": due.at.isoformat(), "what": due.label} for due in self._sim.scheduler.pending()]
        return answer({"now": self._sim.clock.now().isoformat(), "manual": self._sim.clock.manual, "planned": planned})

    async def advance(self, request: web.Request) -> web.Response:
        """Turn the virtual clock: ``{"seconds": n}``."""
        data = take_fields(await read_object(request), "seconds")
        ran = await self._sim.scheduler.advance(seconds_in(data))
        return answer({"now": self._sim.clock.now().isoformat(), "ran": ran})

    async def settle(self, request: web.Request) -> web.Response:
        """Let everything planned happen, within ``seconds`` (a day on a virtual clock, 10 s on a real one)."""
        data = take_fields(await read_object(request), "seconds")
        usual = 86_400.0 if self._sim.clock.manual else 10.0
        ran = await self._sim.scheduler.settle(seconds_in(data, usual))
        return answer({"now": self._sim.clock.now().isoformat(), "ran": ran})

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything; ``{"seed": n}`` reseeds."""
        seed = take_fields(await read_object(request), "seed").get("seed")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise BadControl("seed is a whole number")
        self._sim.reset_here(seed=seed)
        return answer(self._sim.state_here())

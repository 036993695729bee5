"""The ``majuu-sim`` command: one subcommand for each simulated provider."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from majuu_sim import __version__
from majuu_sim.clock import DEFAULT_START, Clock, RealClock, VirtualClock
from majuu_sim.daraja.config import PENDING_STYLES, SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App, DarajaConfig, Shortcode
from majuu_sim.daraja.simulator import DarajaSimulator
from majuu_sim.simulator import Simulator

DARAJA_ABOUT = """\
Serve a Daraja-shaped M-Pesa: OAuth, STK push, STK query, and callbacks over real HTTP.

Point your application's Daraja base URL at the printed address. Telephone numbers from 0700 000 000 to
0700 000 030 always behave in one way (0700 000 001 cancels, 0700 000 006 pays but the callback is lost, ...);
any other number pays after --delay seconds. GET /control/faults lists the faults that can be queued."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        simulator = options.make(options)
    except ValueError as error:
        print(f"majuu-sim: {error}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_serve(simulator, options))
    except OSError as error:
        print(f"majuu-sim: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    parser = argparse.ArgumentParser(prog="majuu-sim", description="Simulated payment providers for tests and demos.")
    parser.add_argument("--version", action="version", version=f"majuu-sim {__version__}")
    providers = parser.add_subparsers(title="providers", required=True, metavar="PROVIDER")
    _add_daraja(providers)
    return parser


def _add_daraja(providers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = providers.add_parser(
        "daraja",
        help="Safaricom M-Pesa (Daraja)",
        description=DARAJA_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(sub, port=8001)
    app = App()
    add = sub.add_argument
    add("--delay", type=float, default=2.0, metavar="S", help="seconds until a customer types the PIN (2)")
    add("--prompt-seconds", type=float, default=60.0, metavar="S", help="seconds an unanswered prompt lives (60)")
    add("--shortcode", default=SANDBOX_SHORTCODE, metavar="N", help=f"the paybill ({SANDBOX_SHORTCODE})")
    add("--passkey", default=SANDBOX_PASSKEY, metavar="KEY", help="its passkey (the public sandbox's)")
    add("--till", default="600100:600101", metavar="STORE:TILL", help="a till and its store number (600100:600101)")
    add("--consumer-key", default=app.consumer_key, metavar="KEY", help=f"({app.consumer_key})")
    add("--consumer-secret", default=app.consumer_secret, metavar="SECRET", help=f"({app.consumer_secret})")
    add("--pending", choices=PENDING_STYLES, default="4999", help="how a query says: not yet (4999)")
    add("--same-amount-seconds", type=float, default=120.0, metavar="S", help="same sum again sooner: result 17 (120)")
    add("--lenient-tokens", action="store_true", help="a new token leaves the one before valid")
    add(
        "--callback-host",
        action="append",
        default=[],
        metavar="HOST",
        help="a further host callbacks may go to by http",
    )
    sub.set_defaults(make=make_daraja)


def _add_common(sub: argparse.ArgumentParser, *, port: int) -> None:
    sub.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    sub.add_argument("--port", type=int, default=port, help=f"port to listen on, 0 for any free one ({port})")
    sub.add_argument("--seed", type=int, default=1, help="seed of ids and receipts (1)")
    sub.add_argument(
        "--virtual-clock",
        nargs="?",
        const=DEFAULT_START.isoformat(),
        metavar="START",
        help="time stands still until POST /control/clock/advance; START like 2026-01-15T09:00:00+03:00",
    )


def make_daraja(options: argparse.Namespace) -> DarajaSimulator:
    """The simulator the options describe; ValueError when they make no sense."""
    store, _, till = options.till.partition(":")
    if not till:
        raise ValueError("--till takes STORE:TILL, for example 600100:600101")
    if options.delay < 0 or options.prompt_seconds < 0 or options.same_amount_seconds < 0:
        raise ValueError("seconds are zero or more")
    config = DarajaConfig(
        apps=(App(consumer_key=options.consumer_key, consumer_secret=options.consumer_secret),),
        shortcodes=(
            Shortcode(number=options.shortcode, passkey=options.passkey),
            Shortcode(number=store, passkey=options.passkey, tills=(till,)),
        ),
        answer_delay=options.delay,
        prompt_seconds=options.prompt_seconds,
        same_amount_seconds=options.same_amount_seconds,
        pending_style=options.pending,
        strict_tokens=not options.lenient_tokens,
        callback_hosts=tuple(options.callback_host),
    )
    return DarajaSimulator(seed=options.seed, clock=_clock(options.virtual_clock), config=config)


def _clock(start: str | None) -> Clock:
    if start is None:
        return RealClock()
    moment = datetime.fromisoformat(start)
    return VirtualClock(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


async def _serve(simulator: Simulator, options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await simulator.serve_until(stop, host=options.host, port=options.port, ready=lambda url: _announce(simulator, url))
    print("majuu-sim: stopped", flush=True)
    return 0


def _announce(simulator: Simulator, url: str) -> None:
    lines = [f"majuu-sim {simulator.name} at {url}"]
    if isinstance(simulator, DarajaSimulator):
        config = simulator.config
        lines.append(f"  consumer key     {config.apps[0].consumer_key}")
        lines.append(f"  consumer secret  {config.apps[0].consumer_secret}")
        for code in config.shortcodes:
            kind = f"store {code.number}, till {', '.join(code.tills)}" if code.is_till else f"paybill {code.number}"
            lines.append(f"  {kind}, passkey {code.passkey}")
    lines.append("control")
    for what in ("state", "payments", "prompts", "callbacks", "faults", "clock", "subscribers"):
        lines.append(f"  GET  {url}/control/{what}")
    for what in ("faults", "subscribers", "clock/advance", "callbacks/{id}/resend", "reset"):
        lines.append(f"  POST {url}/control/{what}")
    lines.append("Ctrl-C stops it.")
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

"""The ``majuu-sim`` command: one subcommand for each simulated provider."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from majuu_sim import __version__
from majuu_sim.clock import DEFAULT_START, Clock, RealClock, VirtualClock
from majuu_sim.daraja.config import (
    PENDING_STYLES,
    SANDBOX_PASSKEY,
    SANDBOX_SHORTCODE,
    App,
    DarajaConfig,
    Initiator,
    Shortcode,
)
from majuu_sim.daraja.credentials import NoCryptography
from majuu_sim.daraja.replay import DEFAULT_STEPS, Replay
from majuu_sim.daraja.simulator import DarajaSimulator
from majuu_sim.paypal import command as paypal_command
from majuu_sim.paypal.simulator import PaypalSimulator
from majuu_sim.simulator import Simulator
from majuu_sim.stripe import command as stripe_command

DARAJA_ABOUT = """\
Serve a Daraja-shaped M-Pesa: OAuth, STK push and query, C2B, B2C, B2B, reversal, transaction status,
account balance, QR and pull, with callbacks over real HTTP.

Point your application's Daraja base URL at the printed address. Open /phone in a browser to be the customer.
Telephone numbers from 0700 000 000 to 0700 000 036 always behave in one way (0700 000 001 cancels,
0700 000 006 pays but the callback is lost, ...); any other number pays after --delay seconds.
GET /control/faults lists the faults that can be queued."""

GET_ADDRESSES = (
    "state",
    "payments",
    "movements",
    "c2b/payments",
    "jobs",
    "statement/{shortcode}",
    "prompts",
    "callbacks",
    "faults",
    "clock",
    "subscribers",
    "certificate",
)
POST_ADDRESSES = ("faults", "subscribers", "c2b/payments", "fund", "clock/advance", "callbacks/{id}/resend", "reset")
ADDRESSES = {
    DarajaSimulator.name: (GET_ADDRESSES, POST_ADDRESSES),
    "stripe": (stripe_command.GET_ADDRESSES, stripe_command.POST_ADDRESSES),
    PaypalSimulator.name: (paypal_command.GET_ADDRESSES, paypal_command.POST_ADDRESSES),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if "play" in options:
        return int(options.play(options))
    try:
        simulator = options.make(options)
    except (ValueError, RuntimeError) as error:
        print(f"majuu-sim: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"majuu-sim: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
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
    _add_paypal(providers)
    _add_stripe(providers)
    _add_replay(providers)
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
    _add_money(sub)
    sub.set_defaults(make=make_daraja)


def _add_paypal(providers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = providers.add_parser(
        "paypal",
        help="PayPal (REST)",
        description=paypal_command.ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(sub, port=8003)
    paypal_command.add_options(sub)
    sub.set_defaults(make=make_paypal)


def make_paypal(options: argparse.Namespace) -> PaypalSimulator:
    """The simulator the options describe; ValueError when they make no sense."""
    return paypal_command.make(options, clock=_clock(options.virtual_clock))


def _add_money(sub: argparse.ArgumentParser) -> None:
    initiator = Initiator()
    add = sub.add_argument
    add("--float", type=int, default=1_000_000, metavar="N", help="shillings in every shortcode's accounts (1000000)")
    add("--production", action="store_true", help="C2B URLs are registered once; there is no simulate address")
    add("--validation", action="store_true", help="ask the validation URL before a customer's payment is taken")
    add("--no-stk-confirmations", action="store_true", help="a paid push leads to no C2B confirmation")
    add("--confirmation-retries", type=int, default=0, metavar="N", help="send a confirmation nobody took again (0)")
    add("--result-delay", type=float, default=2.0, metavar="S", help="seconds until B2C and the like have a result (2)")
    add("--no-v3-payouts", action="store_true", help="refuse B2C v3 with 403; v1 works")
    add("--payout-charge", default="0", metavar="KES", help="what a B2C payment costs the organisation (0)")
    add(
        "--initiator",
        default=f"{initiator.name}:{initiator.password}",
        metavar="NAME:PASSWORD",
        help=f"the API operator ({initiator.name}:{initiator.password})",
    )
    add("--any-credential", action="store_true", help="accept every initiator and SecurityCredential")
    add("--outside", action="append", default=[], metavar="N", help="a shortcode of others that B2B can pay (600000)")
    add("--certificate-file", metavar="PATH", help="write the certificate for SecurityCredentials here")


def _add_stripe(providers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = providers.add_parser(
        "stripe",
        help="Stripe (cards)",
        description=stripe_command.ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(sub, port=8002)
    stripe_command.add_options(sub)
    sub.set_defaults(make=lambda options: stripe_command.make_stripe(options, _clock(options.virtual_clock)))


def _add_replay(providers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = providers.add_parser(
        "replay",
        help="a run that a seed decides, on paper",
        description="Play a shop, its customers and faults against a simulated Daraja and print what was said. The "
        "same seed and steps give the same transcript, whose SHA-256 is its last line.",
    )
    sub.add_argument("--seed", type=int, required=True, help="decides everything")
    sub.add_argument("--steps", type=int, default=DEFAULT_STEPS, metavar="N", help=f"how long ({DEFAULT_STEPS})")
    sub.set_defaults(play=play_replay)


def play_replay(options: argparse.Namespace) -> int:
    """Print the transcript, line by line."""
    if options.steps < 0:
        print("majuu-sim: --steps is zero or more", file=sys.stderr)
        return 2
    try:
        for line in Replay(seed=options.seed, steps=options.steps).lines():
            print(line)
    except NoCryptography as error:
        print(f"majuu-sim: {error}", file=sys.stderr)
        return 2
    return 0


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
    _check_options(options)
    name, _, password = options.initiator.partition(":")
    config = DarajaConfig(
        apps=(App(consumer_key=options.consumer_key, consumer_secret=options.consumer_secret),),
        shortcodes=_shortcodes(options),
        answer_delay=options.delay,
        prompt_seconds=options.prompt_seconds,
        same_amount_seconds=options.same_amount_seconds,
        pending_style=options.pending,
        strict_tokens=not options.lenient_tokens,
        callback_hosts=tuple(options.callback_host),
        production=options.production,
        stk_confirmations=not options.no_stk_confirmations,
        confirmation_retries=options.confirmation_retries,
        result_delay=options.result_delay,
        payout_charge=_money(options.payout_charge),
        initiators=(Initiator(name=name, password=password),),
        check_credentials=not options.any_credential,
        outside_shortcodes=tuple(options.outside) or ("600000",),
    )
    simulator = DarajaSimulator(seed=options.seed, clock=_clock(options.virtual_clock), config=config)
    if options.certificate_file:
        simulator.write_certificate(options.certificate_file)
    return simulator


def _check_options(options: argparse.Namespace) -> None:
    if ":" not in options.till:
        raise ValueError("--till takes STORE:TILL, for example 600100:600101")
    if not all(options.initiator.partition(":")):
        raise ValueError("--initiator takes NAME:PASSWORD")
    seconds = (options.delay, options.prompt_seconds, options.same_amount_seconds, options.result_delay)
    if min(seconds) < 0:
        raise ValueError("seconds are zero or more")
    if options.float < 0 or options.confirmation_retries < 0:
        raise ValueError("--float and --confirmation-retries are zero or more")


def _shortcodes(options: argparse.Namespace) -> tuple[Shortcode, Shortcode]:
    store, _, till = options.till.partition(":")
    paybill = Shortcode(
        number=options.shortcode,
        passkey=options.passkey,
        utility=options.float,
        working=options.float,
        validation=options.validation,
        v3_payouts=not options.no_v3_payouts,
    )
    return paybill, replace(paybill, number=store, tills=(till,))


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ValueError("--payout-charge is a sum in shillings, zero or more")
    return amount


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
        lines += [f"  initiator {one.name}, password {one.password}" for one in config.initiators]
        lines.append(f"  a customer's phone: {url}/phone")
    lines += stripe_command.lines_of(simulator)
    lines += paypal_command.lines_of(simulator, url)
    reading, writing = ADDRESSES[simulator.name]
    lines.append("control")
    lines += [f"  GET  {url}/control/{what}" for what in reading]
    lines += [f"  POST {url}/control/{what}" for what in writing]
    lines.append("Ctrl-C stops it.")
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

"""``make demo``: sets up, starts everything, plays payments by phone, card and PayPal, and then serves until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import httpx

from sandbox_project.play.children import (
    Child,
    ChildEnded,
    Children,
    paypal_command,
    shop_command,
    simulator_command,
    stripe_command,
    web_command,
    worker_command,
)
from sandbox_project.play.plan import CannotStart, Plan, make_plan
from sandbox_project.play.scene import NotSeen, Scene, answers, open_scene
from sandbox_project.play.transcript import Transcript

if TYPE_CHECKING:
    from sandbox_project.play.programme import Step

_START_SECONDS = 90.0
_WORKER_IS_READY = "The worker is running"
_INTERRUPTED = 130


class StepMissing(Exception):
    """A step was not seen; the transcript has said which."""


def main() -> int:
    """Run the demo; returns the exit status: 0 only when every step was seen."""
    transcript = Transcript()
    started = time.monotonic()
    # Ctrl-C too: a shell that starts us in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        plan = make_plan(os.environ)
    except CannotStart as problem:
        transcript.write(str(problem))
        return 2
    status = _run(plan, transcript, started)
    if plan.once and status == 0:
        shutil.rmtree(plan.folder)
    elif status not in (0, _INTERRUPTED):
        transcript.write(f"\nEverything that happened is in {_short(plan.folder)}")
    return status


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(plan: Plan, transcript: Transcript, started: float) -> int:
    is_played = False
    with Children(logs=plan.logs, environment=plan.environment) as children:
        try:
            scene, secrets = _prepare(plan, children, transcript)
            _play(scene, transcript)
            is_played = True
            transcript.write(f"\nEvery step was seen, {time.monotonic() - started:.1f} s after the start.")
            if not plan.once:
                _serve(plan, secrets, children, transcript)
        except KeyboardInterrupt:
            transcript.write("\nStopping.")
            return 0 if is_played else _INTERRUPTED
        except (ChildEnded, NotSeen) as problem:
            transcript.write(f"\n{problem}")
            _quote_logs(children.running, transcript)
            return 1
        except StepMissing:
            _quote_logs(children.running, transcript)
            return 1
    return 0


def _prepare(plan: Plan, children: Children, transcript: Transcript) -> tuple[Scene, dict[str, Any]]:
    transcript.heading("Majuu, with a simulated M-Pesa, Stripe and PayPal")
    for file in (plan.certificate, plan.paypal_root):
        file.unlink(missing_ok=True)  # of an earlier run
    children.start("simulator", simulator_command(plan))
    children.start("stripe", stripe_command(plan))
    children.start("paypal", paypal_command(plan))
    text = "simulated M-Pesa, Stripe and PayPal, their certificates"
    _timed(transcript, "simulators", text, lambda: _wait_for_simulators(plan, children))
    secrets = _timed(transcript, "set-up", "tables, cache table, demo data", lambda: _set_up(plan))
    scene = open_scene(plan, secrets, check_processes=children.check)
    _tell_addresses(scene)
    worker = children.start("worker", worker_command())
    children.start("web", web_command(plan))
    children.start("shop", shop_command(plan))
    text = "web server, worker, demo shop"
    _timed(transcript, "started", text, lambda: _wait_until_ready(scene, worker))
    return scene, secrets


def _set_up(plan: Plan) -> dict[str, Any]:
    """Make the tables and the demo data in this very process, which reads the database later on."""
    # Whatever else was set belongs to somebody else: this process has the environment of its children.
    os.environ.clear()
    os.environ.update({**plan.environment, "LOG_LEVEL": "WARNING"})
    try:
        import django
        from django.core.management import call_command

        django.setup()
        with (plan.logs / "set-up.log").open("w", encoding="utf-8") as log:
            call_command("sandbox_setup", stdout=log)
        from sandbox_project.demo_data import read_secrets

        return read_secrets()
    except Exception:  # noqa: BLE001 - whatever it was, it is shown and ends the demo
        raise NotSeen(f"The set-up failed.\n{traceback.format_exc()}") from None


def _wait_for_simulators(plan: Plan, children: Children) -> None:
    """Until all answer and their certificates are written: the demo data and the settings need them."""
    ends = time.monotonic() + _START_SECONDS
    while not (_is_written(plan.certificate) and _keep_root(plan) and _answers(f"{plan.stripe_url}/control/clock")):
        children.check()
        if time.monotonic() >= ends:
            raise NotSeen(f"the simulators were not ready within {_START_SECONDS:g} s")
        time.sleep(0.1)


def _is_written(file: Path) -> bool:
    return file.exists() and file.read_text(encoding="ascii").rstrip().endswith("-----END CERTIFICATE-----")


def _keep_root(plan: Plan) -> bool:
    """Write down the root that the simulated PayPal's certificates lead to; False while it does not answer."""
    if not plan.paypal_root.exists() and (root := _answers(f"{plan.paypal_url}/control/certificate")):
        plan.paypal_root.write_text(root, encoding="ascii")
    return plan.paypal_root.exists()


def _answers(url: str) -> str:
    """What is at an address; empty while nobody listens there."""
    try:
        return httpx.get(url, timeout=20, trust_env=False).raise_for_status().text
    except httpx.HTTPError:
        return ""


def _tell_addresses(scene: Scene) -> None:
    from sandbox_project.play.addresses import tell_addresses  # Django has to be ready

    tell_addresses(scene)


def _wait_until_ready(scene: Scene, worker: Child) -> None:
    looks: dict[str, Callable[[], bool | None]] = {
        "the shop": lambda: answers(scene.shop, "/orders.json"),
        "the web server": lambda: answers(scene.majuu, "/api/v1/ping"),
        "the worker": lambda: _WORKER_IS_READY in worker.tail(1000) or None,
    }
    for name, look in looks.items():
        scene.watch(look, seconds=_START_SECONDS, missing=lambda name=name: f"{name} is not ready")  # type: ignore[misc]


def _play(scene: Scene, transcript: Transcript) -> None:
    from sandbox_project.play.programme import PARTS  # Django has to be ready

    for part in PARTS:
        transcript.heading(part.title)
        for step in part.steps:
            _see(step, scene, transcript)


def _see(step: Step, scene: Scene, transcript: Transcript) -> None:
    started = time.monotonic()
    try:
        text = step.see(scene)
    except Exception as problem:
        text = str(problem) if isinstance(problem, NotSeen | ChildEnded) else f"{type(problem).__name__}: {problem}"
        transcript.failed(step.name, text, time.monotonic() - started)
        raise StepMissing(step.name) from problem
    transcript.done(step.name, text, time.monotonic() - started)


def _timed(transcript: Transcript, label: str, text: str, work: Callable[[], Any]) -> Any:
    started = time.monotonic()
    result = work()
    transcript.done(label, text, time.monotonic() - started)
    return result


def _serve(plan: Plan, secrets: dict[str, Any], children: Children, transcript: Transcript) -> None:
    """Say where everything is, and stay until Ctrl-C."""
    console = secrets["console"]
    transcript.heading("Now it is yours")
    for label, text in (
        ("start here", f"{plan.url}/"),
        ("demo shop", f"{plan.shop_url}/"),
        ("API", f"{plan.url}/api/v1/docs"),
        ("API key", secrets["api_key"]),
        ("console", f"{plan.url}/console/"),
        ("log-in", f"{console['username']} / {console['password']}"),
        ("M-Pesa", f"{plan.simulator_url}/phone"),
        ("Stripe", f"{plan.stripe_url}/control/state"),
        ("PayPal", f"{plan.paypal_url}/control/state"),
        ("logs", _short(plan.logs)),
    ):
        transcript.pair(label, text)
    transcript.write("\nCtrl-C ends everything.")
    while True:
        children.check()
        time.sleep(0.5)


def _quote_logs(children: list[Child], transcript: Transcript) -> None:
    for child in children:
        if text := child.tail():
            transcript.quote(f"The end of {_short(child.log)}:", text)


def _short(path: Path) -> str:
    """The path as seen from where the user stands, if it is below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())

"""The processes of the demo: started, watched, and ended by their id. Nobody else's are touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox_project.play.plan import ROOT, Plan

# The worker lets deliveries finish that are under way, which may take it half a minute.
STOP_SECONDS = 40.0
_TAIL_LINES = 15


class ChildEnded(Exception):
    """A process ended that should be running."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines it wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


class Children:
    """Use as a context manager: at its end, everything that was started has been stopped."""

    def __init__(self, *, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self.running: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Run a Python module, such as ``["granian", "--port", "8000", …]``, in a process group of its own."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            # Ctrl-C reaches us alone; we end the others, in order and once.
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def check(self) -> None:
        """Raise ChildEnded when one of them has ended."""
        for child in self.running:
            code = child.process.poll()
            if code is not None:
                raise ChildEnded(f"The process {child.name!r} ended with status {code}.")

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Ask all to end; after ``seconds``, or at a second Ctrl-C, make them."""
        for child in self.running:
            if child.process.poll() is None:
                child.process.terminate()
        ends = time.monotonic() + seconds
        try:
            for child in self.running:
                child.process.wait(max(ends - time.monotonic(), 0))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._kill()
        self.running.clear()

    def _kill(self) -> None:
        for child in self.running:
            if child.process.poll() is None:
                os.killpg(child.process.pid, signal.SIGKILL)  # its own group: it was made with the process
                child.process.wait()


def simulator_command(plan: Plan) -> list[str]:
    """The simulated Daraja. The same sum may be paid twice in a row, which the real one takes for a mistake."""
    options: dict[str, object] = {
        "--port": plan.simulator_port,
        "--seed": plan.seed,
        "--delay": 2,
        "--same-amount-seconds": 0,
    }
    options["--certificate-file"] = plan.certificate
    return ["majuu_sim.cli", "daraja", *(str(part) for option in options.items() for part in option)]


def stripe_command(plan: Plan) -> list[str]:
    """The simulated Stripe. Its events leave sooner than the real one's."""
    return ["majuu_sim.cli", "stripe", *_options(port=plan.stripe_port, seed=plan.seed, delay=0.3)]


def paypal_command(plan: Plan) -> list[str]:
    """The simulated PayPal, likewise."""
    return ["majuu_sim.cli", "paypal", *_options(port=plan.paypal_port, seed=plan.seed, event_delay=0.3)]


def _options(**values: object) -> list[str]:
    return [part for name, value in values.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def web_command(plan: Plan) -> list[str]:
    """Majuu's web server. No access log: addresses of callbacks hold secrets."""
    options = {"--interface": "wsgi", "--host": "127.0.0.1", "--port": plan.port, "--workers": 1}
    options |= {"--blocking-threads": 4, "--http": 1}
    parts = [str(part) for option in options.items() for part in option]
    return ["granian", *parts, "--no-ws", "--no-access-log", "sandbox_project.wsgi:application"]


def worker_command() -> list[str]:
    """Majuu's worker."""
    return ["sandbox_project.manage", "majuu_worker"]


def shop_command(plan: Plan) -> list[str]:
    """The demo shop."""
    return [
        "sandbox_project.shop",
        *("--port", str(plan.shop_port)),
        *("--majuu", plan.url),
        *("--folder", str(plan.folder)),
    ]

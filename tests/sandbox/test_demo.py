"""The demo itself: every step is seen, a missing one is named, and nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from sandbox_project.play.plan import free_ports
from tests.sandbox.support import ROOT, listens, ports_in, run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
        reason="the demo brings its own SQLite database; once is enough",
    ),
]
STEPS = [
    *("simulators", "set-up", "started", "request", "page", "prompt", "callback", "succeeded", "webhook"),
    *("registered", "paybill", "suggested", "claimed", "refund"),
    *("card", "told", "3-d-secure", "held", "captured", "refunded"),
    *("dollars", "approved", "notified", "returned", "ledger", "agreement"),
]


SIMULATORS = {"simulator.log", "stripe.log", "paypal.log"}  # these are told the addresses


def marked(text: str, mark: str) -> list[str]:
    """The names of the lines with this mark, in their order."""
    return [line.split()[1] for line in text.splitlines() if line.startswith(f"  {mark} ")]


def run_demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_python("sandbox_project/demo.py", environment={"DEMO_FOLDER": str(folder), **environment}, seconds=300)


def test_once_plays_every_way_to_pay_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run_demo(tmp_path, ONCE="1")

    assert (done.returncode, marked(done.stdout, "✗")) == (0, []), done.stdout + done.stderr
    assert marked(done.stdout, "✓") == STEPS
    for sentence in (
        "M-Pesa holds KES 3,300.00 more than before, and so say the books",
        "Stripe holds KES 3,200.00 more than before, its fees left out, and so say the books",
        "PayPal holds USD 15.32 more than before, and so say the books",
    ):
        assert sentence in done.stdout
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert [port for port in ports_in(done.stdout) if listens(port)] == []


def test_a_step_that_is_not_seen_is_named_and_fails_the_demo(tmp_path: Path) -> None:
    done = run_demo(tmp_path, ONCE="1", DEMO_PHONE="0700 000 001")  # this customer cancels

    assert done.returncode == 1
    assert marked(done.stdout, "✓") == STEPS[:7]
    assert marked(done.stdout, "✗") == ["succeeded"]
    assert "the payment failed: 1032" in done.stdout
    assert "worker.log" in done.stdout
    kept = next(tmp_path.iterdir())  # for those who want to know why
    assert (kept / "log" / "web.log").exists()
    assert [port for port in ports_in(done.stdout) if listens(port)] == []


def test_a_set_up_that_fails_is_told(tmp_path: Path) -> None:
    done = run_demo(tmp_path, ONCE="1", DEMO_DATABASE_URL="oracle://nobody@127.0.0.1/none")

    assert done.returncode == 1
    assert "The set-up failed." in done.stdout
    assert "DATABASE_URL must start with" in done.stdout


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_demo(tmp_path, DEMO_PORT=str(taken.getsockname()[1]))

    assert done.returncode == 2
    assert "make demo DEMO_PORT=" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The demo as it stays open for a person, with the addresses it serves."""
    names = ("DEMO_PORT", "DEMO_SIMULATOR_PORT", "DEMO_SHOP_PORT", "DEMO_STRIPE_PORT", "DEMO_PAYPAL_PORT")
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    output = tmp_path / "transcript"
    environment = {**os.environ, **ports, "DEMO_FOLDER": str(tmp_path / "var"), "PYTHONUNBUFFERED": "1"}
    environment.pop("ONCE", None)
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "sandbox_project/demo.py"], cwd=ROOT, env=environment, stdout=stream
        )
    try:
        while "Ctrl-C ends everything." not in output.read_text():
            assert process.poll() is None, output.read_text()
            time.sleep(0.2)
        yield {
            "process": process,
            "output": output,
            "var": tmp_path / "var",
            "url": f"http://127.0.0.1:{ports['DEMO_PORT']}",
            "shop": f"http://127.0.0.1:{ports['DEMO_SHOP_PORT']}",
        }
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_it_serves_until_ctrl_c(served: dict[str, Any]) -> None:
    text = served["output"].read_text()
    kept = json.loads((served["var"] / "demo.json").read_text())
    with httpx.Client(base_url=served["url"], trust_env=False) as client:
        pages = {path: client.get(path).status_code for path in ("/", "/api/v1/docs", "/accounts/login/")}
        ping = client.get("/api/v1/ping", headers={"X-API-KEY": kept["api_key"]})
        door = client.get("/console/", follow_redirects=True)
        way = f"{door.url.path}?{door.url.query.decode()}"
        token = client.cookies["majuu_csrf"]
        log_in = {"login": kept["console"]["username"], "password": kept["console"]["password"]}
        entered = client.post(way, data={**log_in, "csrfmiddlewaretoken": token})
        console = client.get("/console/")

    bought = httpx.post(f"{served['shop']}/buy", data={"product": "kikoi", "order": "duka-ab12cd34"}, trust_env=False)
    checkout = httpx.get(bought.headers["Location"], trust_env=False).text.replace("\u00a0", " ")

    in_dollars = "You pay USD 11.55 (1 KES = 0.0077 USD)"
    for way in ("M-Pesa phone number", "Pay with card", "Pay with PayPal", in_dollars, "Bank transfer"):
        assert way in checkout
    assert pages == {"/": 200, "/api/v1/docs": 200, "/accounts/login/": 200}
    assert (ping.status_code, ping.json()["livemode"]) == (200, False)
    assert (entered.status_code, console.status_code) == (302, 200)
    assert kept["api_key"] in text
    assert f"{kept['console']['username']} / {kept['console']['password']}" in text

    served["process"].send_signal(signal.SIGINT)

    assert served["process"].wait(60) == 0
    assert [port for port in ports_in(text) if listens(port)] == []
    # The secrets of callback addresses are in no log.
    logs = "".join(path.read_text() for path in (served["var"] / "log").iterdir() if path.name not in SIMULATORS)
    assert re.search(r"/in/[pa][0-9a-z]{26}/[0-9a-z]{32}", logs) is None

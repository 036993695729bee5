"""The job that sends webhooks: the deliverer, with claims and results in PostgreSQL, against the bare loop.

Both send the same signed messages with aiohttp to the same receiver on this machine. ``python -m benchmarks.deliveries
receiver|bare|deliver`` are the processes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from benchmarks import stock
from benchmarks.loops import run_fast
from benchmarks.measures import Measure, Target
from benchmarks.servers import ROOT, Postgres, django_environment, free_port, migrate, run_module, stop

MESSAGES = 20_000
ENDPOINTS = 10
IN_FLIGHT = 50
HANGING_PATH = "/hang"
# What a common web server says: the client reads these headers too.
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: shop/1.0\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
)
_LOOK_EVERY = 0.25  # seconds; counting costs the database something
_HANG_TIMEOUT = 2.0  # instead of 15 seconds, so that the benchmark ends; the share of hanging time is the same


def deliver(postgres: Postgres, rounds: int) -> Iterator[Measure]:
    """One process, two processes, and one with a tenth of the endpoints hanging, each beside the bare loop."""
    with postgres.database("deliver") as url, _receiver() as port:
        migrate(url)
        ones, twos, hanging, bares = [], [], [], []
        for _ in range(rounds):
            bares.append(_bare(url, port))
            ones.append(_round(url, port, processes=1))
            twos.append(_round(url, port, processes=2))
            hanging.append(_round(url, port, processes=1, hanging=1))
    one = median(rate / bare for rate, bare in zip(ones, bares, strict=True))
    note = f"{median(ones):,.0f}/s against {median(bares):,.0f}/s"
    yield Measure(name="deliver: ratio to the bare loop", value=one, target=Target(must=0.50, goal=0.75), note=note)
    two = median(rate / bare for rate, bare in zip(twos, bares, strict=True))
    yield Measure(name="deliver: two processes", value=two, note=f"{median(twos):,.0f}/s; the goal is 1.10")
    slow = median(rate / whole for rate, whole in zip(hanging, ones, strict=True))
    note = f"{median(hanging):,.0f}/s to the other nine"
    yield Measure(name="deliver: one endpoint in ten hangs", value=slow, target=Target(must=0.8, goal=0.95), note=note)


def _bare(url: str, port: int) -> float:
    return float(run_module("benchmarks.deliveries", url, ["bare", str(port), str(MESSAGES)]))


def _round(url: str, port: int, *, processes: int, hanging: int = 0) -> float:
    """Messages a second to the endpoints that answer."""
    answering = stock.call(
        url, "add_deliveries", port=port, count=MESSAGES, endpoints=ENDPOINTS, hanging=hanging, path=HANGING_PATH
    )
    command = [sys.executable, "-m", "benchmarks.deliveries", "deliver", str(_HANG_TIMEOUT), str(answering)]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=django_environment(url), stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    spans = [json.loads(process.communicate(timeout=600)[0]) for process in started]
    return float(answering / (max(end for _, end in spans) - min(start for start, _ in spans)))


@contextmanager
def _receiver() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.deliveries", "receiver", str(port)], cwd=ROOT)
    try:
        time.sleep(1)
        yield port
    finally:
        stop(process)


# --- the processes ---------------------------------------------------------------------------------------------------


class _Shop(asyncio.Protocol):
    """Answers every POST with 200 at once, except under HANGING_PATH, where it never does."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._received[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            if HANGING_PATH.encode() not in head.partition(b"\r\n")[0]:
                self._transport.write(_ANSWER)


async def _serve_shop(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Shop, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


async def _send_bare(port: int, count: int) -> float:
    """The least that sends signed webhooks: sign, POST, look at the status. Messages a second."""
    import aiohttp

    from majuu_core.webhooks.signing import key_of, new_secret, sign

    key, body = key_of(new_secret()), json.dumps(stock.event_data("pi_bench")).encode()
    numbers = iter(range(count))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def work() -> None:
            for number in numbers:
                name, stamp = f"evt_{number}", int(time.time())
                signature = sign([key], message_id=name, timestamp=stamp, body=body)
                headers = {"webhook-id": name, "webhook-timestamp": str(stamp), "webhook-signature": signature}
                headers["Content-Type"] = "application/json"
                async with session.post(f"http://127.0.0.1:{port}/hook", data=body, headers=headers) as response:
                    await response.read()
                    if response.status != 200:
                        raise RuntimeError(f"the receiver answered {response.status}")

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())
        return count / (time.perf_counter() - started)


def _run_deliverer(timeout: float, answering: int) -> tuple[float, float]:
    """Deliver until so many have arrived in all processes together. When it began and when it ended."""
    import django

    django.setup()

    from django.db import connection
    from django.db.models import Max

    from majuu_core.webhooks.deliverer import Options
    from majuu_core.webhooks.models import WebhookDelivery
    from majuu_core.worker.parts import DelivererPart

    part = DelivererPart(options=Options(timeout=timeout))
    thread = threading.Thread(target=part.run)
    delivered = WebhookDelivery.objects.filter(state=WebhookDelivery.State.SUCCEEDED)
    started = time.time()
    thread.start()
    while delivered.count() < answering:
        time.sleep(_LOOK_EVERY)
    last = delivered.aggregate(last=Max("finished_at"))["last"]
    part.stop()
    thread.join()
    connection.close()
    return started, last.timestamp()


def main(arguments: list[str]) -> None:
    """One of the processes; what it measured is printed."""
    name, *values = arguments
    if name == "receiver":
        run_fast(_serve_shop(int(values[0])))
    elif name == "bare":
        print(run_fast(_send_bare(int(values[0]), int(values[1]))))
    else:
        print(json.dumps(_run_deliverer(float(values[0]), int(values[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])

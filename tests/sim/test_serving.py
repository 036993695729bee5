from __future__ import annotations

import ast
import asyncio
import json
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import majuu_sim
from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import Client, Receiver

SOURCES = sorted(Path(majuu_sim.__file__).parent.rglob("*.py"))


def stk_callback(body: bytes) -> Any:
    return json.loads(body)["Body"]["stkCallback"]


def play(seed: int) -> tuple[list[tuple[str, bytes]], list[Any]]:
    kept = CollectingTransport()
    with DarajaSimulator(seed=seed, clock=VirtualClock(), transport=kept) as sim:
        client = Client(sim.base_url, "https://shop.example/in")
        sim.script("normal", "duplicate", "forged_amount", "stale_failure")
        for number in range(6):
            client.pushed(phone=f"25471234000{number}", Amount=10 + number)
        sim.settle()
        return kept.take(), sim.payments()


def test_a_run_repeats_with_its_seed_to_the_letter() -> None:
    assert play(1) == play(1)
    assert play(1) != play(2)


def test_it_can_be_scripted_before_and_read_after_it_is_served(receiver: Receiver) -> None:
    sim = DarajaSimulator(clock=VirtualClock())
    sim.script("cancel")
    with sim.serve():
        Client(sim.base_url, f"{receiver.url}/in").pushed()
        sim.settle()
    assert receiver.codes == [1032]
    assert [attempt.state for attempt in sim.callbacks()] == ["delivered"]
    with pytest.raises(RuntimeError, match="not being served"):
        _ = sim.base_url
    with pytest.raises(RuntimeError, match="not being served"):
        sim.advance(1)


def test_it_is_served_once_at_a_time_and_closes_twice_without_harm() -> None:
    sim = DarajaSimulator()
    with sim.serve() as same:
        assert same is sim
        with pytest.raises(RuntimeError, match="being served already"):
            sim.serve()
        address = sim.base_url
    sim.close()
    with pytest.raises(OSError, match="refused"):
        Client(address, "").fetch_token()
    with sim.serve():
        assert Client(sim.base_url, "").fetch_token().status == 200


def test_a_taken_port_is_an_os_error_and_leaves_no_thread_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = threading.active_count()
        with pytest.raises(OSError, match="in use"):
            DarajaSimulator().serve(port=taken.getsockname()[1])
        assert threading.active_count() == before


def test_it_stops_at_once_though_a_caller_is_kept_waiting() -> None:
    with DarajaSimulator(clock=VirtualClock()) as sim:
        sim.script({"reply": "accepted_timeout", "reply_delay": 30})
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        client.fetch_token()

        def wait_in_vain() -> None:
            with pytest.raises(OSError):
                client.push()

        caller = threading.Thread(target=wait_in_vain)
        caller.start()
        while not sim.prompts():
            time.sleep(0.01)
        began = time.monotonic()
    caller.join(5)
    assert not caller.is_alive()
    assert time.monotonic() - began < 5


def test_many_callers_at_once_lose_nothing(sim: DarajaSimulator, receiver: Receiver) -> None:
    seed = Client(sim.base_url, f"{receiver.url}/in")
    seed.fetch_token()

    def pay(lane: int) -> None:
        client = Client(sim.base_url, f"{receiver.url}/in", seed.token)
        for number in range(10):
            client.pushed(phone=f"25471234{lane:02d}{number:02d}")

    callers = [threading.Thread(target=pay, args=(lane,)) for lane in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    sim.settle()
    payments = sim.payments()
    assert len(payments) == len({payment.receipt for payment in payments}) == 80
    assert {one["CheckoutRequestID"] for one in receiver.seen} == {one.checkout_request_id for one in payments}


def test_a_receiver_may_query_while_its_callback_waits(sim: DarajaSimulator, client: Client) -> None:
    """The simulator must answer requests during ``advance``, as applications ask back before they say 200."""
    answers: list[str] = []

    class AskingBack(CollectingTransport):
        async def post(self, url: str, body: bytes, headers: Any = None) -> Any:
            checkout = sim.engine.payments[0].checkout_request_id
            answers.append(await asyncio.to_thread(client.result, checkout))
            return await super().post(url, body)

    sim.desk._transport = AskingBack()
    client.pushed()
    sim.advance(2)
    assert answers == ["0"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_stands_on_the_standard_library_and_aiohttp_alone(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "aiohttp", "majuu_sim"}
    if path.name == "pytest_fixtures.py":
        allowed.add("pytest")
    if path.parent.name == "stripe":
        allowed |= {"stripe", "jsonschema"}  # imported when needed; "stripe" here is the SDK, if it is there
    if path.name in ("credentials.py", "signing.py"):
        allowed.add("cryptography")  # an extra; imported when it is needed, and done without when it is not there
    if path.name == "specs.py":
        allowed.add("jsonschema")  # an extra, imported when bodies are checked
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= allowed
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert (node.module or "").split(".")[0] in allowed


def test_a_blocking_method_on_the_simulators_own_thread_is_refused_instead_of_hanging(sim: DarajaSimulator) -> None:
    refused: list[str] = []

    async def block() -> None:
        try:
            sim.payments()
        except RuntimeError as error:
            refused.append(str(error))

    sim.scheduler.after(0, "block", block)
    sim.advance(0)
    assert refused == ["this method blocks; it cannot be called from the simulator's own thread"]


def test_mixed_shapes_all_tell_the_whole_story() -> None:
    kept = CollectingTransport()
    config = DarajaConfig(event_shape="mixed")
    with DarajaSimulator(seed=2, clock=VirtualClock(), config=config, transport=kept) as sim:
        client = Client(sim.base_url, "https://shop.example/in")
        for number in range(20):
            client.pushed(phone=f"2547123400{number:02d}")
        sim.settle()
        receipts = {payment.receipt for payment in sim.payments()}
    amounts = set()
    for _, body in kept.take():
        items = {item["Name"]: item.get("Value") for item in stk_callback(body)["CallbackMetadata"]["Item"]}
        amounts.add(repr(items["Amount"]))
        receipts.remove(items["MpesaReceiptNumber"])
    assert amounts == {"100", "100.0", "'100'"}
    assert receipts == set()

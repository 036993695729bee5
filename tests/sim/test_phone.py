from __future__ import annotations

import http.client
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaSimulator
from majuu_sim.daraja.phone import FILES, STATIC
from tests.sim.daraja_client import PHONE, Client, Receiver, Reply, send
from tests.sim.money_client import MoneyClient


def look(client: Client, hold: bool = True) -> Any:
    return client.control("GET", f"phone/{PHONE}{'?hold=1' if hold else ''}").body


def do(client: Client, what: str, body: dict[str, Any]) -> Reply:
    return client.control("POST", f"phone/{PHONE}/{what}", body)


def test_the_page_and_its_files_are_served_and_need_nothing_else(client: Client) -> None:
    page = send(client.base_url, "GET", "/phone", None, {})
    assert (page.status, page.content_type) == (200, "text/html")
    text = page.raw.decode()
    named = set(re.findall(r'(?:href|src)="/phone/([^"]+)"', text))
    assert named == set(FILES)
    for name, kind in FILES.items():
        reply = send(client.base_url, "GET", f"/phone/{name}", None, {})
        assert (reply.status, reply.content_type) == (200, kind)
        assert reply.raw == (STATIC / name).read_bytes()


def test_there_is_nothing_inline_and_nothing_from_elsewhere() -> None:
    text = (STATIC / "phone.html").read_text()
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=|javascript:|<script>", text) == []
    for path in STATIC.iterdir():
        addresses = re.findall(r"https?://[^\s\"']+", path.read_text())
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}


def test_the_browser_is_told_so(sim: DarajaSimulator) -> None:
    connection = http.client.HTTPConnection(urlsplit(sim.base_url).netloc, timeout=10)
    connection.request("GET", "/phone")
    policy = connection.getresponse().headers["Content-Security-Policy"]
    connection.close()
    assert policy == "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'"


@pytest.mark.parametrize("name", ["phone.py", "..%2fphone.py", "phone.html", "x"])
def test_other_files_are_not_served(client: Client, name: str) -> None:
    assert send(client.base_url, "GET", f"/phone/{name}", None, {}).status == 404


def test_a_prompt_waits_for_whoever_holds_the_phone(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    assert look(client)["prompt"] is None
    checkout = client.pushed(Amount=250)
    sim.advance(30)
    assert receiver.seen == []
    assert look(client)["prompt"] == {
        "id": checkout,
        "shop": "Simulated shop 174379",
        "number": SANDBOX_SHORTCODE,
        "amount": 250,
        "account": "ORDER1",
        "seconds_left": 30,
    }
    answered = do(client, "answer", {"pin": "1234"}).body
    assert answered == {
        "paid": True,
        "result": "0",
        "receipt": sim.payments()[0].receipt,
        "text": "The service request is processed successfully.",
    }
    assert receiver.codes == [0]
    assert look(client)["prompt"] is None


@pytest.mark.parametrize(("body", "code"), [({"pin": "0000"}, 2001), ({"cancel": True}, 1032)])
def test_a_wrong_pin_and_a_cancelled_prompt(
    sim: DarajaSimulator, client: Client, receiver: Receiver, body: dict[str, Any], code: int
) -> None:
    look(client)
    client.pushed()
    assert do(client, "answer", body).body["result"] == str(code)
    assert receiver.codes == [code]
    assert sim.payments() == []


def test_an_ignored_prompt_times_out(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    look(client)
    client.pushed()
    sim.advance(60)
    assert receiver.codes == [1037]


def test_faults_stay_though_the_phone_is_held(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    look(client)
    sim.script("duplicate")
    client.pushed()
    sim.advance(5)
    assert receiver.seen == []
    do(client, "answer", {"pin": "1234"})
    sim.advance(1)
    assert receiver.codes == [0, 0]


def test_a_scripted_outcome_answers_by_itself(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    look(client)
    sim.script("cancel")
    client.pushed()
    sim.advance(2)
    assert receiver.codes == [1032]


def test_others_and_a_phone_put_down_answer_alone(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    look(client)
    client.pushed(phone="254711111111")
    sim.advance(2)
    assert receiver.codes == [0]
    assert do(client, "leave", {}).status == 200
    client.pushed()
    sim.advance(2)
    assert receiver.codes == [0, 0]


def test_looking_without_holding_changes_nothing(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    look(client, hold=False)
    client.pushed()
    sim.advance(2)
    assert receiver.codes == [0]


def test_a_shop_is_paid_by_hand(money: MoneyClient) -> None:
    money.register()
    money.sim.set_subscriber(PHONE, balance=500, names="Jane Doe")
    paid = do(money.client, "pay", {"to": SANDBOX_SHORTCODE, "account": "INV 7", "amount": 350, "pin": "1234"})
    assert (paid.status, paid.body["state"], paid.body["names"]) == (201, "completed", "Jane Doe")
    wrong = do(money.client, "pay", {"to": "600101", "amount": 50, "pin": "0000"})
    assert (wrong.body["state"], wrong.body["result"]) == ("declined", "2001")
    short = do(money.client, "pay", {"to": "600101", "amount": 151, "pin": "1234"})
    assert (short.body["state"], short.body["result"]) == ("declined", "1")
    assert [path for path, _ in money.letters()] == ["confirmation"]
    seen = look(money.client)
    assert (seen["names"], seen["balance"]) == ("Jane Doe", 150)
    assert [one["receipt"] for one in seen["messages"]] == [paid.body["receipt"]]
    assert seen["shops"] == [
        {"number": "174379", "name": "Simulated shop 174379", "kind": "paybill"},
        {"number": "600101", "name": "Simulated shop 600100", "kind": "till"},
        {"number": "600102", "name": "Simulated shop 600100", "kind": "till"},
    ]


@pytest.mark.parametrize(
    ("what", "body", "message"),
    [
        ("answer", {}, "pin must be text"),
        ("answer", {"pin": "12"}, "a PIN has four digits"),
        ("answer", {"pin": "١٢٣٤"}, "a PIN has four digits"),
        ("answer", {"pin": "1234", "x": 1}, "unknown field(s): x"),
        ("pay", {"to": SANDBOX_SHORTCODE, "account": "A", "amount": 5, "pin": "12345"}, "a PIN has four digits"),
        ("pay", {"to": SANDBOX_SHORTCODE, "account": "", "amount": 5, "pin": "1234"}, "an account has"),
        ("pay", {"to": SANDBOX_SHORTCODE, "account": "A", "amount": "5", "pin": "1234"}, "amount is a whole number"),
        ("pay", {"to": "999999", "account": "A", "amount": 5, "pin": "1234"}, "nobody has the number 999999"),
    ],
)
def test_what_makes_no_sense_is_refused(money: MoneyClient, what: str, body: dict[str, Any], message: str) -> None:
    reply = do(money.client, what, body)
    assert reply.status == 400
    assert message in reply.body["error"]
    assert money.sim.c2b_payments() == []


def test_nothing_rings_and_nobody_is_there(client: Client) -> None:
    assert do(client, "answer", {"pin": "1234"}).status == 404
    assert client.control("GET", "phone/0712345678").status == 400

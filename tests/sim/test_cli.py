from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from majuu_sim import __version__
from majuu_sim.cli import build_parser, main, make_daraja
from majuu_sim.clock import DEFAULT_START, RealClock, VirtualClock
from majuu_sim.daraja import credentials
from tests.sim.daraja_client import Client, Receiver


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "majuu_sim.cli", "daraja", "--port", "0", "--delay", "0", "--virtual-clock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        yield running
        if running.poll() is None:
            running.kill()


def read_until(process: subprocess.Popen[str], last: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith(last):
            return text
    raise AssertionError(f"it ended before it said {last!r}: {text}")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_takes_a_payment_and_stops_gracefully(
    process: subprocess.Popen[str], receiver: Receiver, stop: signal.Signals
) -> None:
    said = read_until(process, "Ctrl-C")
    found = re.search(r"^majuu-sim daraja at (http://127\.0\.0\.1:\d+)$", said, re.MULTILINE)
    assert found is not None
    assert f"GET  {found[1]}/control/payments" in said
    assert "paybill 174379" in said
    assert "store 600100, till 600101" in said
    assert "initiator testapi, password MajuuSim#2026" in said
    assert f"a customer's phone: {found[1]}/phone" in said
    client = Client(found[1], f"{receiver.url}/in")
    client.pushed()
    client.control("POST", "clock/settle")
    assert receiver.codes == [0]
    process.send_signal(stop)
    assert process.wait(10) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "majuu-sim: stopped\n"


def test_a_taken_port_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["daraja", "--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--till", "600100"], "--till takes STORE:TILL"),
        (["--shortcode", "12"], "a shortcode has 5 to 7 digits"),
        (["--shortcode", "600100"], "two shortcodes have the same number"),
        (["--delay", "-1"], "seconds are zero or more"),
        (["--virtual-clock", "yesterday"], "Invalid isoformat"),
        (["--result-delay", "-1"], "seconds are zero or more"),
        (["--float", "-1"], "--float and --confirmation-retries are zero or more"),
        (["--initiator", "testapi"], "--initiator takes NAME:PASSWORD"),
        (["--payout-charge", "much"], "--payout-charge is a sum"),
    ],
)
def test_settings_that_make_no_sense_are_said_plainly(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["daraja", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["daraja", "--port", "x"], ["daraja", "--pending", "never"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_options_reach_the_simulator() -> None:
    options = build_parser().parse_args(
        "daraja --shortcode 123456 --passkey k --consumer-key a --consumer-secret b --till 222222:333333 "
        "--delay 0.5 --prompt-seconds 9 --pending 500 --lenient-tokens --callback-host web "
        "--same-amount-seconds 0".split()
    )
    config = make_daraja(options).config
    assert [(code.number, code.passkey, code.tills) for code in config.shortcodes] == [
        ("123456", "k", ()),
        ("222222", "k", ("333333",)),
    ]
    assert (config.apps[0].consumer_key, config.apps[0].consumer_secret) == ("a", "b")
    assert (config.answer_delay, config.prompt_seconds, config.same_amount_seconds) == (0.5, 9.0, 0.0)
    assert (config.pending_style, config.strict_tokens, config.callback_hosts) == ("500", False, ("web",))


def test_options_of_money_reach_the_simulator() -> None:
    usual = make_daraja(build_parser().parse_args(["daraja"])).config
    assert (usual.production, usual.stk_confirmations, usual.check_credentials) == (False, True, True)
    assert (usual.shortcodes[0].validation, usual.shortcodes[0].v3_payouts) == (False, True)
    options = build_parser().parse_args(
        "daraja --float 50 --production --validation --no-stk-confirmations --confirmation-retries 3 "
        "--result-delay 0.5 --no-v3-payouts --payout-charge 22.40 --initiator api:Secret#1 --any-credential "
        "--outside 777777 --outside 888888".split()
    )
    config = make_daraja(options).config
    for code in config.shortcodes:
        assert (code.utility, code.working, code.validation, code.v3_payouts) == (50, 50, True, False)
    assert (config.production, config.stk_confirmations, config.confirmation_retries) == (True, False, 3)
    assert (config.result_delay, config.payout_charge, config.check_credentials) == (0.5, Decimal("22.40"), False)
    assert [(one.name, one.password) for one in config.initiators] == [("api", "Secret#1")]
    assert config.outside_shortcodes == ("777777", "888888")


def test_the_certificate_is_written_at_the_start(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    path = tmp_path / "sim.cer"
    simulator = make_daraja(build_parser().parse_args(["daraja", "--certificate-file", str(path)]))
    assert path.read_text() == simulator.certificate()


def test_a_certificate_that_cannot_be_written_is_said_plainly(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("cryptography")
    path = tmp_path / "nowhere" / "sim.cer"
    assert main(["daraja", "--certificate-file", str(path)]) == 2
    assert f"cannot write {path}: No such file" in capsys.readouterr().err


def test_without_cryptography_there_is_no_certificate_to_write(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(credentials, "_made", [])
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert main(["daraja", "--certificate-file", str(tmp_path / "sim.cer")]) == 2
    assert "install majuu-sim[crypto]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_clock_is_real_unless_a_virtual_one_is_asked_for() -> None:
    parse = build_parser().parse_args
    assert isinstance(make_daraja(parse(["daraja"])).clock, RealClock)
    virtual = make_daraja(parse(["daraja", "--virtual-clock"])).clock
    assert isinstance(virtual, VirtualClock)
    assert virtual.now() == DEFAULT_START
    eat = make_daraja(parse(["daraja", "--virtual-clock", "2026-01-15T12:00:00+03:00"])).clock
    assert eat.now() == DEFAULT_START


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, part in ((["--version"], __version__), (["daraja", "--help"], "0700 000 001 cancels")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert part in capsys.readouterr().out

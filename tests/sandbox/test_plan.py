"""What a run of the demo uses, and what it refuses to begin with."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandbox_project.play.plan import CannotStart, chosen_phone, chosen_port, free_ports, make_plan


def ports(**others: int) -> dict[str, str]:
    names = ("DEMO_PORT", "DEMO_SIMULATOR_PORT", "DEMO_SHOP_PORT", "DEMO_STRIPE_PORT", "DEMO_PAYPAL_PORT")
    return {name: str(others.get(name, port)) for name, port in zip(names, free_ports(len(names)), strict=True)}


def test_once_has_a_folder_and_ports_of_its_own(tmp_path: Path) -> None:
    first = make_plan({"ONCE": "1"}, root=tmp_path)
    second = make_plan({"ONCE": "1"}, root=tmp_path)

    assert first.once
    assert first.folder.parent == tmp_path / "var"
    assert first.folder != second.folder
    assert first.folder.stat().st_mode & 0o077 == 0
    assert len({first.port, first.simulator_port, first.shop_port, first.stripe_port, first.paypal_port}) == 5


def test_without_once_it_stays_in_var_on_the_ports_asked_for(tmp_path: Path) -> None:
    wanted = ports()

    plan = make_plan(wanted, root=tmp_path)

    assert not plan.once
    assert plan.folder == tmp_path / "var"
    assert plan.url == f"http://127.0.0.1:{wanted['DEMO_PORT']}"
    assert plan.environment["MAJUU_PUBLIC_URL"] == plan.url
    assert plan.environment["MAJUU_MPESA_TEST_URL"] == plan.simulator_url
    assert plan.environment["MAJUU_STRIPE_TEST_URL"] == plan.environment["SANDBOX_STRIPE_URL"] == plan.stripe_url
    assert plan.environment["MAJUU_PAYPAL_TEST_URL"] == plan.environment["SANDBOX_PAYPAL_URL"] == plan.paypal_url
    assert plan.environment["MAJUU_PAYPAL_TEST_ROOT_CERTIFICATES"] == str(plan.paypal_root)
    assert plan.environment["SANDBOX_SHOP_URL"] == plan.shop_url


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "SECRET_KEY", "REDIS_URL", "MAJUU_ENCRYPTION_KEYS", "EMAIL_URL", "STRIPE_SECRET_KEY"],
)
def test_settings_of_somebody_elses_site_do_not_leak_in(tmp_path: Path, name: str) -> None:
    plan = make_plan({"ONCE": "1", name: "postgres://precious/production", "PATH": "/bin"}, root=tmp_path)

    assert "precious" not in str(plan.environment)
    assert plan.environment["PATH"] == "/bin"


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart) as caught:
            chosen_port({"DEMO_SHOP_PORT": str(port)}, "DEMO_SHOP_PORT")

    assert f"Port {port} cannot be used" in str(caught.value)
    assert f"make demo DEMO_SHOP_PORT={port + 100}" in str(caught.value)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80.5"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="DEMO_PORT must be a port from 1 to 65535"):
        chosen_port({"DEMO_PORT": text}, "DEMO_PORT")


def test_phone_numbers() -> None:
    assert chosen_phone({}) == "0708374149"
    assert chosen_phone({"DEMO_PHONE": "0700 000 001"}) == "0700000001"
    with pytest.raises(CannotStart, match="DEMO_PHONE must be a number"):
        chosen_phone({"DEMO_PHONE": "+1 555 0100"})

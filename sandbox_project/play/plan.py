"""What one run of the demo uses: its folder, its ports, and the environment of its processes."""

from __future__ import annotations

import os
import re
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox_project.places import CERTIFICATE_NAME, PAYPAL_ROOT_NAME

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
_PHONE = "0708374149"  # the one of Safaricom's own sandbox
# Name of the setting, and the port that is taken without it.
_PORTS = {
    "DEMO_PORT": 8000,
    "DEMO_SIMULATOR_PORT": 8001,
    "DEMO_SHOP_PORT": 8002,
    "DEMO_STRIPE_PORT": 8003,
    "DEMO_PAYPAL_PORT": 8004,
}
_DEMO_RATE = "0.0077"  # dollars for a shilling: PayPal takes no shillings
# The demo decides these: a database that somebody's shell points at is none of its business.
_SETTINGS = frozenset(
    {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "DATABASE_BEHIND_POOLER", "REDIS_URL", "EMAIL_URL"}
    | {"HSTS_SECONDS", "BEHIND_TLS_PROXY", "STATIC_ROOT", "Q_WORKERS"}
)
_FAMILIES = ("MAJUU_", "SANDBOX_", "DJANGO_", "GRANIAN_", "MPESA_", "STRIPE_", "PAYPAL_")


class CannotStart(Exception):
    """The demo cannot begin. The text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    once: bool
    folder: Path
    port: int
    simulator_port: int
    shop_port: int
    stripe_port: int
    paypal_port: int
    seed: int
    phone: str  # 0 and nine digits
    environment: Mapping[str, str]

    @property
    def msisdn(self) -> str:
        """The customer's number as the provider writes it."""
        return f"254{self.phone[1:]}"

    @property
    def url(self) -> str:
        """Majuu."""
        return f"http://{HOST}:{self.port}"

    @property
    def simulator_url(self) -> str:
        """The simulated Daraja."""
        return f"http://{HOST}:{self.simulator_port}"

    @property
    def shop_url(self) -> str:
        """The demo shop."""
        return f"http://{HOST}:{self.shop_port}"

    @property
    def stripe_url(self) -> str:
        """The simulated Stripe."""
        return f"http://{HOST}:{self.stripe_port}"

    @property
    def paypal_url(self) -> str:
        """The simulated PayPal."""
        return f"http://{HOST}:{self.paypal_port}"

    @property
    def paypal_root(self) -> Path:
        """Where the root goes that the simulated PayPal's certificates lead to."""
        return self.folder / PAYPAL_ROOT_NAME

    @property
    def certificate(self) -> Path:
        """Where the simulator writes the certificate that initiators' passwords are encrypted for."""
        return self.folder / CERTIFICATE_NAME

    @property
    def logs(self) -> Path:
        """A file for each process."""
        return self.folder / "log"


def make_plan(environ: Mapping[str, str], *, root: Path = ROOT) -> Plan:
    """Read what the user wants. With ONCE: free ports and a folder of its own. Makes the folders.

    DEMO_FOLDER, DEMO_PHONE, DEMO_DATABASE_URL and the ports are for those who want them otherwise. Raises CannotStart
    for a port that is taken or is none, and for a number that is no phone's.
    """
    phone = chosen_phone(environ)
    once = environ.get("ONCE", "") not in ("", "0", "no", "false")
    ports = free_ports(len(_PORTS)) if once else [chosen_port(environ, name) for name in _PORTS]
    var = Path(environ.get("DEMO_FOLDER") or root / "var").resolve()
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-once-", dir=var)) if once else var
    (folder / "log").mkdir(exist_ok=True)
    port, simulator_port, shop_port, stripe_port, paypal_port = ports
    return Plan(
        once=once,
        folder=folder,
        port=port,
        simulator_port=simulator_port,
        shop_port=shop_port,
        stripe_port=stripe_port,
        paypal_port=paypal_port,
        phone=phone,
        seed=secrets.randbelow(2**31),  # a simulator started anew must not give out old receipt numbers again
        environment=_environment(environ, root, folder, ports),
    )


def _environment(environ: Mapping[str, str], root: Path, folder: Path, ports: list[int]) -> dict[str, str]:
    port, simulator_port, shop_port, stripe_port, paypal_port = ports
    kept = {name: value for name, value in environ.items() if name not in _SETTINGS and not name.startswith(_FAMILIES)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "sandbox_project.settings",
        "PYTHONPATH": python_path(root, environ),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "DEBUG": "on",
        "DATABASE_URL": environ.get("DEMO_DATABASE_URL", "sqlite:///majuu.sqlite3"),
        "REDIS_URL": environ.get("DEMO_REDIS_URL", ""),
        "MAJUU_PUBLIC_URL": f"http://{HOST}:{port}",
        "MAJUU_MPESA_TEST_URL": f"http://{HOST}:{simulator_port}",
        "MAJUU_STRIPE_TEST_URL": f"http://{HOST}:{stripe_port}",
        "MAJUU_PAYPAL_TEST_URL": f"http://{HOST}:{paypal_port}",
        "MAJUU_PAYPAL_TEST_ROOT_CERTIFICATES": str(folder / PAYPAL_ROOT_NAME),
        "MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES": "on",
        "SANDBOX_VAR": str(folder),
        "SANDBOX_SHOP_URL": f"http://{HOST}:{shop_port}",
        "SANDBOX_SIMULATOR_URL": f"http://{HOST}:{simulator_port}",
        "SANDBOX_STRIPE_URL": f"http://{HOST}:{stripe_port}",
        "SANDBOX_PAYPAL_URL": f"http://{HOST}:{paypal_port}",
        "SANDBOX_DEMO_RATE": _DEMO_RATE,
    }


def python_path(root: Path, environ: Mapping[str, str]) -> str:
    """The root first, then whatever this process was told to import from: its children run the same code."""
    return os.pathsep.join(filter(None, (str(root), environ.get("PYTHONPATH"))))


def chosen_phone(environ: Mapping[str, str]) -> str:
    """The customer's number. Raises CannotStart."""
    text = environ.get("DEMO_PHONE") or _PHONE
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"0[17][0-9]{8}", digits):
        raise CannotStart(f"DEMO_PHONE must be a number such as 0708374149, not {text!r}.")
    return digits


def chosen_port(environ: Mapping[str, str], name: str) -> int:
    """The port of this setting, or the usual one. Raises CannotStart when nobody can listen there."""
    text = environ.get(name) or str(_PORTS[name])
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise CannotStart(f"{name} must be a port from 1 to 65535, not {text!r}.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name != "nt"))
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            raise CannotStart(
                f"Port {port} cannot be used ({problem.strerror}). Perhaps another demo is running. "
                f"Choose another port, for example: make demo {name}={port + 100}"
            ) from None
    return port


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()

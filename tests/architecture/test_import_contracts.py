"""The import contracts hold, and each of them can fail: a contract that cannot fail is decoration."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.workspace import PACKAGES, ROOT

CONFIG = ROOT / ".importlinter"
PREFIX = "importlinter:contract:"
# (contract, module that offends, what it imports). One offence at least for each contract, and for each floor of core.
OFFENCES = [
    ("rooms", "majuu_core.common.offence", "majuu_core.database"),
    ("rooms", "majuu_core.database.offence", "majuu_core.plugins"),
    ("rooms", "majuu_core.plugins.offence", "majuu_core.providers"),
    ("rooms", "majuu_core.providers.offence", "majuu_core.manual"),
    ("rooms", "majuu_core.manual.offence", "majuu_core.events"),
    ("rooms", "majuu_core.events.offence", "majuu_core.audit"),
    ("rooms", "majuu_core.idempotency.offence", "majuu_core.events"),
    ("rooms", "majuu_core.audit.offence", "majuu_core.merchants"),
    ("rooms", "majuu_core.ledger.offence", "majuu_core.merchants"),
    ("rooms", "majuu_core.merchants.offence", "majuu_core.payments"),
    ("rooms", "majuu_core.payments.offence", "majuu_core.webhooks"),
    ("rooms", "majuu_core.webhooks.offence", "majuu_core.api"),
    ("rooms", "majuu_core.api.offence", "majuu_core.console"),
    ("rooms", "majuu_core.console.offence", "majuu_core.checkout"),
    ("rooms", "majuu_core.checkout.offence", "majuu_core.testing"),
    ("rooms", "majuu_core.testing.offence", "majuu_core.startup_checks"),
    ("core-without-plugins", "majuu_core.payments.offence", "majuu_mpesa.provider"),
    ("core-without-plugins", "majuu_core.testing.offence", "majuu_sim.clock"),
    ("plugins-apart", "majuu_mpesa.offence", "majuu_sim.clock"),
    ("simulator-alone", "majuu_sim.offence", "majuu_core.common.money"),
    ("simulator-alone", "majuu_sim.daraja.offence", "django.conf"),
    ("provider-packages", "majuu_mpesa.offence", "majuu_core.payments.models"),
    ("provider-packages", "majuu_mpesa.offence", "majuu_core.database"),
    ("provider-packages", "majuu_mpesa.offence", "majuu_core.configuration"),
    ("without-django", "majuu_core.common.offence", "django.utils.timezone"),
    ("without-django", "majuu_core.providers.offence", "django.db"),
    ("without-django", "majuu_mpesa.provider", "django.conf"),
    ("without-django", "majuu_mpesa.client", "django.core.cache"),
    ("without-django", "majuu_mpesa.mapping", "djmoney.money"),
]


def contracts() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(CONFIG, encoding="utf-8")
    return [section.removeprefix(PREFIX) for section in parser.sections() if section.startswith(PREFIX)]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of every package's source, to offend in."""
    for package in PACKAGES:
        shutil.copytree(
            package / "src", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "migrations")
        )
    return tmp_path


def lint(sources: Path, contract: str) -> tuple[bool, str]:
    """Whether one contract holds for the sources, and what was said."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--config", CONFIG, "--no-cache", "--contract", contract],
        cwd=sources,
        env=os.environ | {"PYTHONPATH": str(sources), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    return done.returncode == 0, done.stdout


def offend(sources: Path, module: str, imported: str) -> None:
    path = sources / (module.replace(".", "/") + ".py")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")


@pytest.mark.parametrize("contract", contracts())
def test_the_contract_holds(sources: Path, contract: str) -> None:
    held, said = lint(sources, contract)
    assert held, said


def test_every_contract_has_an_offence() -> None:
    assert {contract for contract, _, _ in OFFENCES} == set(contracts())


@pytest.mark.parametrize(("contract", "module", "imported"), OFFENCES)
def test_the_contract_can_fail(sources: Path, contract: str, module: str, imported: str) -> None:
    offend(sources, module, imported)

    held, said = lint(sources, contract)

    assert not held
    # The offence itself is what was found, whatever else the tree may hold.
    assert f"{module} -> {imported.split('.')[0]}" in said


def test_a_room_without_a_place_is_refused(sources: Path) -> None:
    (sources / "majuu_core/attic").mkdir()
    (sources / "majuu_core/attic/__init__.py").touch()

    held, said = lint(sources, "rooms")

    assert not held
    assert "attic" in said


def test_a_provider_package_may_enter_what_is_open_to_it(sources: Path) -> None:
    for room in ("common.money", "plugins", "providers.base", "testing"):
        offend(sources, "majuu_mpesa.guest", f"majuu_core.{room}")

    held, said = lint(sources, "provider-packages")

    assert held, said

"""House rules: what docs/explanation/architecture.md forbids is not there, and each search finds what it looks for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.workspace import CORE, PACKAGES, ROOT, modules, parsed, source_folder

Rule = Callable[[Path, ast.Module], Iterator[str]]

EVERYWHERE = [source_folder(package) for package in PACKAGES]
MPESA = ROOT / "packages/majuu-mpesa/src/majuu_mpesa"
# Where an amount may pass. Seconds may be floats, so rooms that only wait are left out.
MONEY_ROOMS = [
    *(
        CORE / room
        for room in ("ledger", "payments", "merchants", "checkout", "api", "providers", "idempotency", "events")
    ),
    MPESA,
]
# These two modules are where the machine's time and randomness come in.
ENTRANCES = {CORE / "common/clock.py", CORE / "common/randomness.py"}
PAYMENTS, LEDGER = "majuu_core.payments", "majuu_core.ledger"


def broken(rule: Rule, *folders: Path, apart_from: frozenset[Path] | set[Path] = frozenset()) -> list[str]:
    return [line for path in modules(*folders) if path not in apart_from for line in rule(path, parsed(path))]


def test_no_module_is_called_utils() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert [path for path in modules(*EVERYWHERE, ROOT / "sandbox_project") if path.name in vague] == []


def test_no_signals() -> None:
    assert broken(rules.signal_imports, *EVERYWHERE) == []


def test_time_comes_from_the_clock() -> None:
    assert broken(rules.wall_clock, CORE, MPESA, apart_from=ENTRANCES) == []


def test_randomness_comes_from_one_module() -> None:
    assert broken(rules.own_randomness, CORE, MPESA, apart_from=ENTRANCES) == []


def test_no_floats_near_money() -> None:
    assert broken(rules.floats, *MONEY_ROOMS) == []
    assert list(rules.floats(CORE / "common/money.py", parsed(CORE / "common/money.py"))) == []


@pytest.mark.parametrize("room", ["api", "checkout", "console", "webhooks", "reports", "worker", "merchants", "events"])
def test_payments_and_ledger_write_their_own_rows(room: str) -> None:
    rule = partial(rules.foreign_writes, rooms=(PAYMENTS, LEDGER))
    assert broken(rule, CORE / room) == []


def test_payments_leaves_the_ledgers_rows_alone() -> None:
    assert broken(partial(rules.foreign_writes, rooms=(LEDGER,)), CORE / "payments") == []


def test_the_ledger_leaves_the_payments_rows_alone() -> None:
    assert broken(partial(rules.foreign_writes, rooms=(PAYMENTS,)), CORE / "ledger") == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (rules.signal_imports, "from django.dispatch import receiver"),
        (rules.signal_imports, "from django.db.models.signals import post_save"),
        (rules.wall_clock, "import datetime\nnow = datetime.datetime.now(datetime.UTC)"),
        (rules.wall_clock, "from django.utils import timezone\nnow = timezone.now()"),
        (rules.wall_clock, "import time\nnow = time.time()"),
        (rules.own_randomness, "import random"),
        (rules.own_randomness, "from secrets import token_urlsafe"),
        (rules.own_randomness, "import uuid\nname = uuid.uuid4()"),
        (rules.floats, "amount = float('1.10')"),
        (rules.floats, "from django.db import models\namount = models.FloatField()"),
        (rules.foreign_writes, f"from {PAYMENTS}.models import Charge\nCharge.objects.create()"),
        (rules.foreign_writes, f"from {PAYMENTS}.models import Charge\nCharge.objects.filter(pk=1).update(status='x')"),
        (rules.foreign_writes, f"from {PAYMENTS}.models import Charge\nCharge(amount=1).save()"),
    ],
)
def test_each_rule_finds_what_it_looks_for(rule: Callable[..., Iterator[str]], source: str) -> None:
    extra = {"rooms": (PAYMENTS,)} if rule is rules.foreign_writes else {}
    found = list(rule(Path("sample.py"), ast.parse(source), **extra))
    assert len(found) == 1
    assert found[0].startswith(f"sample.py:{len(source.splitlines())}: ")


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (rules.wall_clock, "from majuu_core.common import clock\nnow = clock.now()"),
        (rules.wall_clock, "import time\nstarted = time.monotonic()"),
        (rules.own_randomness, "from majuu_core.common import randomness\ntoken = randomness.token()"),
        (rules.own_randomness, "from uuid import UUID"),
        (rules.floats, "from decimal import Decimal\namount = Decimal('1.10')"),
        (rules.foreign_writes, f"from {PAYMENTS}.models import Charge\nCharge.objects.filter(pk=1).first()"),
        (rules.foreign_writes, "settings = {}\nsettings.update(a=1)"),
    ],
)
def test_each_rule_leaves_the_rest_alone(rule: Callable[..., Iterator[str]], source: str) -> None:
    extra = {"rooms": (PAYMENTS,)} if rule is rules.foreign_writes else {}
    assert list(rule(Path("sample.py"), ast.parse(source), **extra)) == []

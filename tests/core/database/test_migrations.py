"""What a new database holds, and databases that stopped half-way through migrations which one has replaced since."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from majuu_core.merchants.api_keys import create_api_key
from majuu_core.merchants.models import LiveApproval, Merchant, Store
from majuu_core.merchants.services import intake_store

pytestmark = pytest.mark.django_db
OLD = [("majuu_ledger", "0002_guards"), ("majuu_ledger", "0003_exact_text")]


@pytest.fixture
def make_platform() -> Any:
    """The migration's function, on a database where nothing of the platform is."""
    LiveApproval.objects.filter(merchant__is_system=True).delete()
    Store.objects.filter(merchant__is_system=True).delete()
    Merchant.objects.filter(is_system=True).delete()
    migration = import_module("majuu_core.merchants.migrations.0003_platform")
    return lambda: migration.make_platform(apps, SimpleNamespace(connection=connection))


def platform() -> list[tuple[Any, ...]]:
    rows = Store.objects.filter(merchant__is_system=True)
    return list(rows.values_list("code", "merchant__status", "merchant__live_approval__approved_by"))


def test_a_new_database_has_the_platforms_approved_business(make_platform: Any) -> None:
    """given no platform / when migrated, and once more / then one store of an approved business that may go live."""
    make_platform()
    make_platform()
    assert platform() == [("ADMIN_SHOP", "approved", "system")]
    assert create_api_key(store=intake_store(), livemode=True).row.livemode


def test_an_old_platform_gets_its_approval(make_platform: Any) -> None:
    """given a platform without an approval / when migrated / then it has one, and is no other."""
    make_platform()
    LiveApproval.objects.all().delete()
    before = intake_store().pk
    make_platform()
    assert (platform(), intake_store().pk) == ([("ADMIN_SHOP", "approved", "system")], before)


def test_a_lost_platform_is_made_anew_and_may_have_live_keys(make_platform: Any) -> None:
    """given no platform / when its store is asked for / then it is there, approved."""
    assert platform() == []
    assert create_api_key(store=intake_store(), livemode=True).row.livemode
    assert platform() == [("ADMIN_SHOP", "approved", "system")]


@pytest.mark.parametrize("done", [OLD[:1], OLD[1:]])
def test_some_of_the_replaced_migrations_are_too_few(done: list[tuple[str, str]]) -> None:
    """given a database with one of two old migrations / when checked / then an error names the one and what to do."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("majuu_ledger", "0002_safeguards")
    for app, name in set(OLD) - set(done):
        recorder.record_unapplied(app, name)
    for app, name in done:
        recorder.record_applied(app, name)
    with pytest.raises(SystemCheckError, match=r"only some of the migrations that majuu_ledger\.0002_safeguards"):
        call_command("check", databases=["default"])


@pytest.mark.parametrize("done", [OLD, []])
def test_all_of_them_or_none_are_well(done: list[tuple[str, str]]) -> None:
    """given a database with all of the old migrations, or none / when checked / then nothing is wrong."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("majuu_ledger", "0002_safeguards")
    for app, name in OLD:
        recorder.record_unapplied(app, name)
    for app, name in done:
        recorder.record_applied(app, name)
    call_command("check", databases=["default"])

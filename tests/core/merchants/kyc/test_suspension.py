"""Suspension turns live keys off, in every process with its next request."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.errors import MerchantSuspended
from majuu_core.merchants.key_cache import key_cache
from majuu_core.merchants.models import Merchant
from majuu_core.merchants.services import suspend_merchant
from majuu_core.testing.factories import make_api_key

OTHER_PROCESS = """
import sys, django
django.setup()
from django.conf import settings
from django.db import connection
connection.close()
settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = sys.argv[1]
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.errors import KeyRefused
key = sys.argv[2]
for _ in sys.stdin:
    try:
        authenticate(key)
        print("open", flush=True)
    except KeyRefused as refusal:
        print(refusal.code, flush=True)
"""


@pytest.mark.django_db
def test_a_cached_record_is_forgotten_at_once_in_the_process_that_suspends() -> None:
    made = make_api_key(livemode=True)
    assert authenticate(made.key).livemode
    suspend_merchant(merchant=made.row.store.merchant, reason="fraud")
    with pytest.raises(MerchantSuspended):
        authenticate(made.key)


@pytest.mark.django_db
def test_a_record_cached_elsewhere_counts_for_as_long_as_the_setting_says_and_no_longer(
    virtual_clock: VirtualClock, settings: Any
) -> None:
    settings.MAJUU_KEY_CACHE_SECONDS = 5
    made = make_api_key(livemode=True)
    assert authenticate(made.key).livemode
    kept = dict(key_cache._records)
    Merchant.objects.filter(pk=made.row.store.merchant_id).update(status=Merchant.Status.SUSPENDED)
    key_cache._records.update(kept)  # as in a process that was not told
    assert authenticate(made.key).livemode
    virtual_clock.advance(timedelta(seconds=5))
    with pytest.raises(MerchantSuspended):
        authenticate(made.key)


@pytest.mark.django_db
def test_a_record_cached_elsewhere_counts_for_nothing_unless_a_setting_says_so(virtual_clock: VirtualClock) -> None:
    made = make_api_key(livemode=True)
    assert authenticate(made.key).livemode
    kept = dict(key_cache._records)
    Merchant.objects.filter(pk=made.row.store.merchant_id).update(status=Merchant.Status.SUSPENDED)
    key_cache._records.update(kept)
    with pytest.raises(MerchantSuspended):
        authenticate(made.key)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="the test database is in memory: one process")
def test_another_process_refuses_with_its_next_request() -> None:
    made = make_api_key(livemode=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OTHER_PROCESS, str(connection.settings_dict["NAME"]), made.key]
    root, pipe = Path(__file__).parents[4], subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=root, stdin=pipe, stdout=pipe, text=True, bufsize=1) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("ask\n")
        assert other.stdout.readline() == "open\n"
        suspend_merchant(merchant=made.row.store.merchant, reason="fraud")
        other.stdin.write("ask\n")
        assert other.stdout.readline() == "merchant_suspended\n"
        other.stdin.close()

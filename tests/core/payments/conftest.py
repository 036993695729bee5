from __future__ import annotations

from collections.abc import Callable

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.testing.factories import make_provider_account
from tests.core.payments.holding import HoldingPlugin, HoldingTill
from tests.core.payments.payout_support import Paymaster
from tests.core.payments.support import Till
from tests.core.payments.talker import Talker, TalkerPlugin


@pytest.fixture
def till(db: None, virtual_clock: VirtualClock) -> Till:
    """A store that takes test payments, at a time that stands still."""
    return Till()


@pytest.fixture
def paymaster(db: None, virtual_clock: VirtualClock) -> Paymaster:
    """A store that sends test money from its own account."""
    return Paymaster()


@pytest.fixture
def talker(db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]) -> ProviderAccount:
    """An account at a provider that tells balances by webhook."""
    temporary_plugin(TalkerPlugin())
    Talker.asked, Talker.answers, Talker.trouble = [], [], None
    return make_provider_account(provider="talker", name="Paybill")


@pytest.fixture
def holding(db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]) -> HoldingTill:
    """A store whose bank holds money first."""
    plugin = HoldingPlugin()
    temporary_plugin(plugin)
    return HoldingTill(plugin.bank)


@pytest.fixture
def forgetful(db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]) -> HoldingTill:
    """A store whose bank does not look repeated keys up, and captures all or nothing."""
    plugin = HoldingPlugin(replay_safe=False, partial_captures=False)
    temporary_plugin(plugin)
    return HoldingTill(plugin.bank)

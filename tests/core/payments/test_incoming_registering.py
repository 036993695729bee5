"""The provider is told where to ask and to tell; a refusal says what to do, and every exchange is kept."""

from __future__ import annotations

from io import StringIO
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.incoming_registering import register_incoming
from majuu_core.providers import IncomingAddresses, InvalidCredentials, NotSent, RequestRejected
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.support import Till


def test_the_accounts_own_addresses_are_registered(till: Till) -> None:
    with mock.patch.object(FakeProvider, "register_incoming") as register:
        register_incoming(account=till.account)
    address = account_callback_url(till.account.pk)
    register.assert_called_once_with(
        IncomingAddresses(check_url=f"{address}/check", notice_url=f"{address}/notice", accept_when_unreachable=True)
    )
    entry = AuditEntry.objects.get(action="provider_account.incoming_registered")
    assert (entry.object_id, entry.changes) == (till.account.public_id, {"accept_when_unreachable": True})


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (RequestRejected("Urls are already registered: change them in the portal."), "registration_refused"),
        (NotSent("no connection"), "registration_refused"),
        (InvalidCredentials("wrong key"), "credentials_refused"),
    ],
)
def test_a_refusal_is_explained_and_nothing_is_audited(till: Till, problem: Exception, code: str) -> None:
    with (
        mock.patch.object(FakeProvider, "register_incoming", side_effect=problem),
        pytest.raises(Conflict) as caught,
    ):
        register_incoming(account=till.account)
    assert caught.value.code == code
    assert str(problem) in caught.value.message
    assert not AuditEntry.objects.filter(action="provider_account.incoming_registered").exists()


def test_the_command(till: Till) -> None:
    out = StringIO()
    with mock.patch.object(FakeProvider, "register_incoming") as register:
        call_command("majuu_register_incoming", till.account.public_id, "--refuse-when-unreachable", stdout=out)
    assert register.call_args.args[0].accept_when_unreachable is False
    assert "is registered" in out.getvalue()


@pytest.mark.parametrize("account", ["nonsense", "pa_01ke6p4ym0ezpay84z9gmtqthq"])
def test_the_command_for_nothing(db: None, account: str) -> None:
    with pytest.raises(CommandError, match="no provider account"):
        call_command("majuu_register_incoming", account)


def test_a_message_for_another_till_is_parked_over_http(till: Till, client: Any) -> None:
    """From the wire to the verdict: the mock provider's own message, whose receiver is somebody else's."""
    from majuu_core.merchants.provider_accounts import provider_for
    from majuu_core.payments.models import IncomingPayment
    from majuu_core.webhooks.models import InboundWebhook
    from tests.core.payments.incoming_support import money

    provider: Any = provider_for(ProviderAccount.objects.get(pk=till.account.pk))
    path = account_callback_url(till.account.pk).removeprefix("http://testserver") + "/notice"
    for told in (money(receiver="999999"), money(receiver="MOCK-TILL")):
        request = provider.make_incoming_webhook(told)
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        assert client.generic("POST", path, request.body, "application/json", headers=headers).status_code == 200
    states = list(InboundWebhook.objects.order_by("pk").values_list("state", "reason"))
    assert states == [("parked", "It went to 999999, which is not this account's."), ("applied", "")]
    assert IncomingPayment.objects.count() == 1

"""Keys, settings and the environment names people have already."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from majuu_core.providers import InvalidPaymentData, RequestRejected
from majuu_paypal import options
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.environment import read_environment
from tests.paypal.scripted import CREDENTIALS, ScriptedPaypal, fetch


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("client_id", "", "must not be empty"),
        ("client_secret", "two words", "holds a character"),
        ("webhook_id", "WH-2WR32451HC0233532-67976317FL4543714", "nor an event's id"),
        ("webhook_id", "https://shop.example/in", "neither its address"),
    ],
)
def test_what_cannot_be_right_is_refused_without_being_repeated(field: str, value: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as problem:
        PaypalCredentials.model_validate({**CREDENTIALS, field: value})

    assert not value or value not in str(problem.value)


def test_the_repr_holds_no_secret() -> None:
    shown = repr(PaypalCredentials.model_validate(CREDENTIALS))

    assert CREDENTIALS["client_id"] not in shown
    assert CREDENTIALS["client_secret"] not in shown


def test_the_environment_describes_an_account() -> None:
    environ = {
        "PAYPAL_CLIENT_ID": "id",
        "PAYPAL_CLIENT_SECRET": "secret",
        "PAYPAL_WEBHOOK_ID": "1JE4291016473214C",
        "PAYPAL_MODE": "Live",
    }

    found = read_environment(environ)

    assert found is not None
    assert (found.livemode, found.missing, found.notes) == (True, (), ())
    assert PaypalCredentials.model_validate(found.credentials).webhook_id == "1JE4291016473214C"
    assert "secret" not in repr(found).replace("PAYPAL_CLIENT_SECRET", "")


def test_an_environment_without_mode_is_the_sandbox_and_says_so() -> None:
    found = read_environment({"PAYPAL_CLIENT_ID": "id"})

    assert found is not None
    assert found.livemode is False
    assert found.missing == ("PAYPAL_CLIENT_SECRET",)  # PayPal can be asked for the webhook
    assert found.notes == ("PAYPAL_MODE is not set, so this is an account for PayPal's sandbox.",)
    assert read_environment({"PAYPAL_MODE": "live"}) is None


def test_an_unknown_mode_is_refused_without_being_repeated() -> None:
    with pytest.raises(InvalidPaymentData, match="must be sandbox or live") as problem:
        read_environment({"PAYPAL_CLIENT_ID": "id", "PAYPAL_MODE": "produktion"})

    assert "produktion" not in str(problem.value)


def test_addresses_by_mode() -> None:
    test, live = options.verification({}, livemode=False), options.verification({}, livemode=True)

    assert options.base_url({}, livemode=False) == "https://api-m.sandbox.paypal.com"
    assert options.base_url({}, livemode=True) == "https://api-m.paypal.com"
    assert (set(test.certificate_origins), test.signer) == (
        {"https://api.sandbox.paypal.com"},
        "messageverificationcerts.sandbox.paypal.com",
    )
    assert (set(live.certificate_origins), live.signer) == (
        {"https://api.paypal.com"},
        "messageverificationcerts.paypal.com",
    )


@pytest.mark.parametrize(
    ("settings", "livemode"),
    [
        ({"certificate_origin": "http://127.0.0.1:8102"}, True),
        ({"certificate_origin": "anywhere"}, False),
        ({"webhook_verification": "maybe"}, False),
        ({"webhook_tolerance_seconds": "-5"}, False),
        ({"webhook_tolerance_seconds": "59"}, False),
    ],
)
def test_settings_that_would_weaken_the_check_are_refused(settings: dict[str, str], livemode: bool) -> None:
    with pytest.raises(options.OptionsError):
        options.verification(settings, livemode=livemode)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.sandbox.paypal.com.evil.example/certs/1",
        "https://evil.example/api.sandbox.paypal.com",
        "http://api.sandbox.paypal.com/certs/1",
        "https://api.sandbox.paypal.com:444/certs/1",
        "https://api.sandbox.paypal.com@evil.example/certs/1",
        "https://user@api.sandbox.paypal.com/certs/1",
        "https://api-m.sandbox.paypal.com/certs/1",
        "//api.sandbox.paypal.com/certs/1",
        "https://[::1",
        "",
    ],
)
def test_only_paypals_own_host_is_its_origin(url: str) -> None:
    assert options.origin(url) not in options.verification({}, livemode=False).certificate_origins
    assert options.origin("https://API.sandbox.paypal.com:443/x") == "https://api.sandbox.paypal.com"


def test_a_plain_base_address_is_refused_in_live_mode() -> None:
    with pytest.raises(RequestRejected, match="https://") as problem:
        ScriptedPaypal().provider(livemode=True, options={"base_url": "http://127.0.0.1:8102"}).fetch_payment(fetch())

    assert problem.value.code == "configuration"

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from majuu_core.providers import InvalidCredentials, InvalidPaymentData, RequestRejected
from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.options import OptionsError, base_addresses, checkout_time
from majuu_stripe.provider import StripeProvider
from tests.stripe.support import KEY, make_provider


def test_several_signing_secrets_in_one_line() -> None:
    made = StripeCredentials.model_validate(
        {"secret_key": f" {KEY} ", "webhook_secrets": "whsec_newest001, whsec_oldest001 whsec_newest001"}
    )

    assert [secret.get_secret_value() for secret in made.webhook_secrets] == ["whsec_newest001", "whsec_oldest001"]
    assert made.secret_key.get_secret_value() == KEY
    assert made.livemode is False
    assert KEY not in repr(made)
    assert "whsec_newest001" not in repr(made)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"secret_key": "pk_test_51Majuu0000000000"}, "publishable key"),
        ({"secret_key": "whsec_51Majuu0000000000"}, "signing secret"),
        ({"secret_key": "sk_prod_51Majuu0000000000"}, "sk_test_"),
        ({"secret_key": ""}, "sk_test_"),
        ({"webhook_secrets": ["sk_test_51Majuu0000000000"]}, "whsec_"),
        ({"webhook_secrets": [f"whsec_number{number:08}" for number in range(11)]}, "more than 10"),
        ({"publishable_key": "sk_test_51Majuu0000000000"}, "pk_test_"),
        ({"statement_descriptor_suffix": "x" * 21}, "20 Latin letters"),
        ({"statement_descriptor_suffix": "12345"}, "one letter"),
        ({"password": "hunter2hunter2"}, "Extra inputs"),
    ],
)
def test_what_is_no_credential_is_refused_without_being_repeated(changes: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StripeCredentials.model_validate({"secret_key": KEY} | changes)

    assert advice in str(refused.value)
    for value in changes.values():
        for text in value if isinstance(value, list) else [value]:
            assert not text or text not in str(refused.value)


def test_a_key_of_the_other_mode_is_named_before_anything_is_sent() -> None:
    live = make_provider(livemode=True)
    test = make_provider(secret_key="rk_live_51Majuu000000000000")

    with pytest.raises(InvalidCredentials, match="sk_live_"):
        live.check_credentials()
    with pytest.raises(InvalidCredentials, match="sk_test_"):
        test.check_credentials()
    [found] = list(live.self_checks(callback_url="https://pay.example.co.ke/in/x"))
    assert (found.name, found.state) == ("secret_key", "error")


def test_environment_names_are_an_account() -> None:
    found = StripeProvider.credentials_from_environment(
        {
            "STRIPE_SECRET_KEY": " sk_live_51Majuu000000000000 ",
            "STRIPE_API_KEY": "sk_test_51Other000000000000",
            "STRIPE_WEBHOOK_SECRET": "whsec_newest001,whsec_oldest001",
            "STRIPE_PUBLISHABLE_KEY": "pk_live_51Majuu000000000000",
        }
    )

    assert found is not None
    assert found.livemode is True
    assert dict(found.credentials) == {
        "secret_key": "sk_live_51Majuu000000000000",
        "webhook_secrets": ["whsec_newest001", "whsec_oldest001"],
        "publishable_key": "pk_live_51Majuu000000000000",
    }
    assert found.used == ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_PUBLISHABLE_KEY")
    assert found.notes == ("STRIPE_API_KEY is not read, because STRIPE_SECRET_KEY is set.",)
    assert StripeCredentials.model_validate(dict(found.credentials)).livemode


def test_stripes_own_command_line_name_is_enough() -> None:
    found = StripeProvider.credentials_from_environment({"STRIPE_API_KEY": KEY})

    assert found is not None
    assert (found.livemode, found.used, found.missing) == (False, ("STRIPE_API_KEY",), ())
    assert "STRIPE_WEBHOOK_SECRET is not set" in found.notes[0]


def test_an_environment_without_a_key() -> None:
    assert StripeProvider.credentials_from_environment({"PATH": "/bin"}) is None
    half = StripeProvider.credentials_from_environment({"STRIPE_WEBHOOK_SECRET": "whsec_newest001"})
    assert half is not None
    assert half.missing == ("STRIPE_SECRET_KEY",)
    with pytest.raises(InvalidPaymentData) as refused:
        StripeProvider.credentials_from_environment({"STRIPE_SECRET_KEY": "hunter2hunter2"})
    assert refused.value.violations[0].field == "STRIPE_SECRET_KEY"
    assert "hunter2" not in str(refused.value)


def test_where_requests_go() -> None:
    own = {"api": "https://api.stripe.com", "files": "https://files.stripe.com"}

    assert base_addresses({}, livemode=True) == own
    assert base_addresses({"base_url": "http://127.0.0.1:9/"}, livemode=False) == {
        "api": "http://127.0.0.1:9",
        "files": "http://127.0.0.1:9",  # never to Stripe what belongs to a simulator
    }
    assert base_addresses({"base_url": "https://a.test", "files_url": "https://f.test"}, livemode=True) == {
        "api": "https://a.test",
        "files": "https://f.test",
    }


@pytest.mark.parametrize("url", ["api.stripe.com", "ftp://api.stripe.com", "https://", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(OptionsError, match="base_url must be an address"):
        base_addresses({"base_url": url}, livemode=False)


def test_a_live_key_never_travels_in_the_clear() -> None:
    with pytest.raises(OptionsError, match="https"):
        base_addresses({"base_url": "http://proxy.test"}, livemode=True)
    provider = make_provider(
        livemode=True, secret_key="sk_live_51Majuu000000000000", options={"base_url": "http://proxy.test"}
    )
    with pytest.raises(RequestRejected, match="https"):
        provider.check_credentials()


@pytest.mark.parametrize("minutes", ["34", "1436", "an hour", "-60", "6e1"])
def test_a_page_stays_open_within_stripes_limits(minutes: str) -> None:
    with pytest.raises(OptionsError, match="from 35 to 1435"):
        checkout_time({"checkout_minutes": minutes})
    assert checkout_time({}).total_seconds() == 3600
    assert checkout_time({"checkout_minutes": "90"}).total_seconds() == 5400

"""What a provider says about itself."""

from __future__ import annotations

import inspect
import re

from majuu_core.common.money import CURRENCY_CODES
from majuu_core.providers import CAPABILITIES, InvalidCredentials, operations
from majuu_core.providers.installed import provider_problems
from majuu_core.testing.harness import ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import attempt, describe, expect, start_with

_CODE = re.compile(r"[a-z][a-z0-9_]{1,31}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@check(
    "definition",
    why="Rows and addresses carry the code for ever; another form breaks them.",
    fix="Set `code` to 2 to 32 lower-case letters, digits and underscores, beginning with a letter.",
)
def code_is_a_plain_name(harness: ProviderHarness) -> None:
    code = getattr(harness.provider_class, "code", None)
    expect(isinstance(code, str) and _CODE.fullmatch(code), f"code is {code!r}")


@check(
    "definition",
    why="Core does not load a provider that is not whole, or that was written for another version of the contract.",
    fix="Define code, info and credentials_schema, implement the abstract methods, install versions that fit.",
)
def class_is_complete(harness: ProviderHarness) -> None:
    problems = [problem.message for problem in provider_problems(harness.provider_class) if problem.fatal]
    expect(not problems, f"{harness.provider_class.__qualname__} {'; '.join(problems)}")


@check(
    "definition",
    why="Half a capability is no capability: core will not offer it, and nobody will know why.",
    fix="Implement every method of the protocol, or none.",
)
def capabilities_are_whole(harness: ProviderHarness) -> None:
    problems = [problem.message for problem in provider_problems(harness.provider_class) if not problem.fatal]
    expect(not problems, "; ".join(problems))


@check(
    "definition",
    why="Core calls by the contract's signature; another one fails when money is on its way.",
    fix="Take exactly the arguments of the protocol; further ones need a default.",
)
def signatures_fit(harness: ProviderHarness) -> None:
    has = operations(harness.provider_class)
    for capability in CAPABILITIES:
        for name in has & set(vars(capability)):
            wanted = inspect.signature(getattr(capability, name)).parameters.values()
            mine = inspect.signature(getattr(harness.provider_class, name))
            try:
                mine.bind(
                    *[item for item in wanted if item.kind is not inspect.Parameter.KEYWORD_ONLY],
                    **{item.name: item for item in wanted if item.kind is inspect.Parameter.KEYWORD_ONLY},
                )
            except TypeError as problem:
                expect(False, f"{name}{mine}: {problem}")


@check(
    "definition",
    why="A provider that can do nothing is offered nowhere.",
    fix="Implement at least one Supports* protocol for payments or payouts.",
)
def something_is_offered(harness: ProviderHarness) -> None:
    expect(operations(harness.provider_class) & {"sale", "authorize", "payout"}, "no way to take or send money")


@check(
    "definition",
    why="Checkout offers a method by these facts; a wrong one sends customers to a payment that cannot work.",
    fix="List every method once, with currencies that Majuu knows and ISO 3166 country codes.",
)
def facts_are_usable(harness: ProviderHarness) -> None:
    info = harness.provider_class.info
    codes = [method.code for method in info.payment_methods]
    expect(info.display_name.strip(), "display_name is empty")
    expect(codes and len(codes) == len(set(codes)), f"payment methods are {codes}")
    expect(all(method.label.strip() for method in info.payment_methods), "a payment method has no label")
    unknown = info.currencies - set(CURRENCY_CODES)
    expect(info.currencies and not unknown, f"currencies that Majuu does not know: {sorted(unknown) or 'none listed'}")
    for method in info.payment_methods:
        extra = method.currencies - info.currencies
        expect(not extra, f"method {method.code} lists {sorted(extra)}, the provider does not")
    odd = [country for country in info.countries if not _COUNTRY.fullmatch(country)]
    expect(not odd, f"countries {odd} are not two capital letters")


@check(
    "definition",
    why="Core looks the truth up at these moments; a wrong order means never, or at once for ever.",
    fix="Give follow_up_seconds as rising whole seconds above zero.",
)
def follow_ups_rise(harness: ProviderHarness) -> None:
    seconds = harness.provider_class.info.follow_up_seconds
    expect(seconds, "there are no follow-ups, so nobody would ever look up an unknown payment")
    expect(all(item > 0 and item == int(item) for item in seconds), f"{seconds[:5]} has other than whole seconds")
    expect(list(seconds) == sorted(set(seconds)), f"{seconds[:5]}… does not rise")


@check(
    "definition",
    why="A run that looks at another class than the one it names proves nothing about it.",
    fix="Return an instance of `provider_class` itself from make_provider, and from the class when called.",
)
def harness_drives_this_class(harness: ProviderHarness) -> None:
    made = type(harness.make_provider())
    expect(made is harness.provider_class, f"asked for {harness.provider_class.__qualname__}, got {made.__qualname__}")


@check(
    "credentials",
    why="The console tells a merchant that the account works by this call.",
    fix="Make one cheap authenticated call and return nothing when it is answered.",
    required=True,
)
def good_ones_are_accepted(harness: ProviderHarness) -> None:
    harness.make_provider().check_credentials()


@check(
    "credentials",
    why="Wrong keys that look like any other error are retried for hours instead of being mended.",
    fix="Raise InvalidCredentials when the provider refuses the keys.",
)
def bad_ones_are_named(harness: ProviderHarness) -> None:
    provider = harness.make_provider_with_bad_credentials()
    try:
        provider.check_credentials()
    except InvalidCredentials:
        return
    except Exception as problem:  # noqa: BLE001 - whatever else comes is the finding
        expect(False, f"bad credentials ended as {type(problem).__name__}, not InvalidCredentials")
    expect(False, "bad credentials were accepted")


@check(
    "credentials",
    needs=("payment",),
    why="A payment with wrong keys must not look declined: the customer would be told that their money is missing.",
    fix="Raise InvalidCredentials from every call when the provider refuses the keys.",
)
def bad_ones_are_no_decline(harness: ProviderHarness) -> None:
    provider, request = harness.make_provider_with_bad_credentials(), harness.payment()
    seen = attempt(lambda: start_with(provider, request))
    expect(isinstance(seen, InvalidCredentials), f"a payment with bad credentials ended as {describe(seen)}")

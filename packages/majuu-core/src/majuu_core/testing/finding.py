"""From the names somebody types to a provider class and the harness that drives it.

A harness is looked for in this order: the one that was named; the attribute ``majuu_harness`` of the provider class
("my_package.testing:MyHarness"); the module ``testing`` of the provider's package, then of the packages around it,
where a ProviderHarness whose ``provider_class`` is the provider is taken.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from majuu_core.providers import PaymentProvider
from majuu_core.testing.harness import NoHarness, Outcome, ProviderHarness, WebhookKind
from majuu_core.testing.kit import Check, all_checks


class NotFound(Exception):
    """A name leads nowhere. The text says what was looked for and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A provider to check, and how to drive it. Without a harness ``missing`` says where one was looked for."""

    name: str
    provider: type[PaymentProvider]
    make_harness: Callable[[], ProviderHarness]
    missing: str = ""

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check, group by group."""
        return all_checks()


def find_subjects(providers: Sequence[str], harnesses: Sequence[str] = ()) -> list[Subject]:
    """The subjects of a run. Raises NotFound for a name that leads nowhere and for a harness that fits no provider."""
    given = [(name, _harness_class(name)) for name in harnesses]
    subjects = [_subject(name, load_provider(name), [harness for _, harness in given]) for name in providers]
    for name, harness in given:
        if not any(subject.provider is harness.provider_class for subject in subjects):
            wanted = f"{harness.provider_class.__module__}:{harness.provider_class.__qualname__}"
            raise NotFound(f"the harness {name} drives {wanted}, which is none of the providers given")
    return subjects


def load_provider(name: str) -> type[PaymentProvider]:
    """The provider class behind ``package.module:Class``."""
    found = _load(name, "my_package.provider:MyProvider")
    if not (isinstance(found, type) and issubclass(found, PaymentProvider)):
        raise NotFound(f"{name} is not a subclass of majuu_core.providers.PaymentProvider")
    return found


def _subject(name: str, provider: type[PaymentProvider], given: list[type[ProviderHarness]]) -> Subject:
    harness = next((one for one in given if one.provider_class is provider), None) or _harness_of(provider)
    if harness is not None:
        return Subject(name=name, provider=provider, make_harness=harness)
    missing = _advice(provider)
    driver = type("NoHarness", (_Nothing,), {"provider_class": provider, "missing": missing})
    return Subject(name=name, provider=provider, make_harness=driver, missing=missing)


def _harness_of(provider: type[PaymentProvider]) -> type[ProviderHarness] | None:
    # Not an inherited one: the harness of a parent drives the parent.
    if named := vars(provider).get("majuu_harness"):
        harness = _harness_class(named)
        if harness.provider_class is not provider:
            raise NotFound(f"{named}, which {provider.__qualname__}.majuu_harness names, drives another provider")
        return harness
    found = (_in_module(module, provider) for module in _places(provider))
    return next((harness for harness in found if harness), None)


def _places(provider: type[PaymentProvider]) -> Iterator[str]:
    package = provider.__module__
    while "." in package:
        package = package.rpartition(".")[0]
        yield f"{package}.testing"


def _in_module(module: str, provider: type[PaymentProvider]) -> type[ProviderHarness] | None:
    if importlib.util.find_spec(module) is None:
        return None
    fitting = [
        thing
        for thing in vars(importlib.import_module(module)).values()
        if isinstance(thing, type)
        and issubclass(thing, ProviderHarness)
        and getattr(thing, "provider_class", None) is provider
    ]
    if len(fitting) > 1:
        names = ", ".join(thing.__qualname__ for thing in fitting)
        raise NotFound(f"{module} holds several harnesses for {provider.__qualname__} ({names}): name one")
    return fitting[0] if fitting else None


def _advice(provider: type[PaymentProvider]) -> str:
    places = ", ".join(_places(provider)) or "no package: the provider's module lies in none"
    return (
        f"there is no harness for {provider.__qualname__}: write a ProviderHarness with `provider_class = "
        f"{provider.__qualname__}` and name it by --majuu-harness my_package.testing:MyHarness, by the attribute "
        f"`majuu_harness` of the provider, or put it where it is found ({places})"
    )


def _harness_class(name: str) -> type[ProviderHarness]:
    found = _load(name, "my_package.testing:MyHarness")
    if not (isinstance(found, type) and issubclass(found, ProviderHarness)):
        raise NotFound(f"{name} is not a subclass of majuu_core.testing.harness.ProviderHarness")
    if not isinstance(getattr(found, "provider_class", None), type):
        raise NotFound(f"{name} says not which provider it drives: set `provider_class`")
    return found


def _load(name: str, example: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise NotFound(f"{name!r} has not the form {example}")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as problem:
        raise NotFound(f"{name}: {problem}. Is it installed, or is its folder on PYTHONPATH?") from problem
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise NotFound(f"{name}: {module} has no {attribute}")
        found = getattr(found, part)
    return found


class _Nothing(ProviderHarness):
    """Arranges nothing: the checks that look at the class alone run, and the others say what is missing."""

    missing = ""

    def make_provider(self) -> PaymentProvider:
        self._refuse()

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> Any:
        self._refuse()

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        self._refuse()

    def save_method(self, outcome: Outcome = Outcome.SUCCEEDS) -> Any:
        self._refuse()

    def payout(self, outcome: Outcome = Outcome.SUCCEEDS) -> Any:
        self._refuse()

    def webhook(self, kind: WebhookKind, request: Any, result: Any) -> Any:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NoHarness("there is no harness")

"""Providers by code: built once at start, immutable afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from majuu_core.providers.base import PaymentProvider


class DuplicateProviderCode(Exception):
    """Two providers claim the same code. Rows refer to providers by code, so there is no safe choice."""


class UnknownProvider(LookupError):
    """No installed provider has this code. The package was removed or never installed."""


class ProviderRegistry:
    """An immutable mapping from code to provider class."""

    def __init__(self, providers: Iterable[type[PaymentProvider]] = ()) -> None:
        by_code: dict[str, type[PaymentProvider]] = {}
        for provider in providers:
            other = by_code.setdefault(provider.code, provider)
            if other is not provider:
                raise DuplicateProviderCode(
                    f"{provider.__module__}.{provider.__qualname__} and {other.__module__}.{other.__qualname__} "
                    f"both use the code {provider.code!r}"
                )
        self._by_code = by_code

    def get(self, code: str) -> type[PaymentProvider]:
        """The provider class. Raises UnknownProvider."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownProvider(f"no installed provider has the code {code!r}") from None

    def for_method(self, method: str, currency: str) -> list[type[PaymentProvider]]:
        """Providers that take this payment method in this currency, in order of installation."""
        return [provider for provider in self if provider.info.takes(method, currency)]

    def __iter__(self) -> Iterator[type[PaymentProvider]]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

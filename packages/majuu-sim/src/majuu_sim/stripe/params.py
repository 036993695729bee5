"""The parameters of one request, read with Stripe's refusals. Whatever an endpoint does not name is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from majuu_sim.stripe import errors

_WHOLE = re.compile(r"-?\d{1,18}")
METADATA_KEYS = 50
METADATA_KEY = 40
METADATA_VALUE = 500


class Params:
    """Parameters below one name (the request itself: ""). An empty text counts as absent, as in Stripe's API."""

    def __init__(self, data: dict[str, Any], prefix: str = "") -> None:
        """Read ``data``; ``prefix`` is what refusals put before the names."""
        self.data = data
        self._prefix = prefix

    def only(self, *allowed: str) -> Params:
        """Self, once it is sure to hold nothing but ``allowed``."""
        for name in self.data:
            if name not in allowed:
                raise errors.unknown_parameter(self.name(name))
        return self

    def name(self, key: str) -> str:
        """The full name of a parameter, as in refusals."""
        return f"{self._prefix}[{key}]" if self._prefix else key

    def has(self, key: str) -> bool:
        """True when it was sent, even empty."""
        return key in self.data

    def text(self, key: str, default: str | None = None, *, most: int = 5000) -> str | None:
        """Text, or the default; too long is refused."""
        value = self.data.get(key)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            raise errors.invalid(self.name(key), f"Invalid string: {self.name(key)}")
        if len(value) > most:
            raise errors.invalid(
                self.name(key),
                f"Invalid string: must be at most {most} characters",
                "parameter_invalid_string_too_long" if most > 500 else None,
            )
        return value

    def need_text(self, key: str, *, most: int = 5000) -> str:
        """Text that must be there."""
        value = self.text(key, most=most)
        if value is None:
            raise errors.missing(self.name(key))
        return value

    def whole(self, key: str) -> int | None:
        """A whole number, when it was sent."""
        value = self.data.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
            raise errors.invalid(self.name(key), f"Invalid integer: {value}", "parameter_invalid_integer")
        return int(value)

    def need_whole(self, key: str) -> int:
        """A whole number that must be there."""
        value = self.whole(key)
        if value is None:
            raise errors.missing(self.name(key))
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.data.get(key)
        if value is None or value == "":
            return default
        if value not in ("true", "false"):
            raise errors.invalid(self.name(key), f"Invalid boolean: {value}")
        return bool(value == "true")

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str | None:
        """One of the allowed words."""
        value = self.text(key, default)
        if value is not None and value not in (words := tuple(allowed)):
            raise errors.invalid(
                self.name(key), f"Invalid {self.name(key)}: must be one of {', '.join(words[:-1])}, or {words[-1]}"
            )
        return value

    def part(self, key: str) -> Params:
        """What is below a name; nothing when it was not sent."""
        value = self.data.get(key)
        if value is None or value == "":
            return Params({}, self.name(key))
        if not isinstance(value, dict):
            raise errors.invalid(self.name(key), f"Invalid object: {self.name(key)}")
        return Params(value, self.name(key))

    def parts(self, key: str) -> list[Params]:
        """A list of objects."""
        found = []
        for index, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                raise errors.invalid(f"{self.name(key)}[{index}]", "Invalid object")
            found.append(Params(value, f"{self.name(key)}[{index}]"))
        return found

    def texts(self, key: str) -> list[str]:
        """A list of words."""
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise errors.invalid(self.name(key), "Invalid array")
        return [str(value) for value in values]

    def metadata(self, before: dict[str, str] | None = None) -> dict[str, str]:
        """The metadata: what was there, with what was sent put over it; an empty value takes a key away."""
        merged = dict(before or {})
        for key, value in self.part("metadata").data.items():
            if not isinstance(value, str) or len(value) > METADATA_VALUE:
                raise errors.invalid(f"{self.name('metadata')}[{key}]", "Metadata values can have up to 500 characters")
            if len(key) > METADATA_KEY:
                raise errors.invalid(self.name("metadata"), "Metadata keys can have up to 40 characters")
            merged[key] = value
        merged = {key: value for key, value in merged.items() if value != ""}
        if len(merged) > METADATA_KEYS:
            raise errors.invalid(self.name("metadata"), "Metadata can have up to 50 keys")
        return merged

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key)
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise errors.invalid(self.name(key), "Invalid array")
        return value

"""Reading our own pages in tests: the visible text, the form, the metas."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class Document(HTMLParser):
    """What a test wants to know about a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data) -> None:
        self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).replace("\u00a0", " ").split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key.replace("_", "-")) == value for key, value in wanted.items())
        ]

    def form(self) -> dict[str, str]:
        """The inputs of the form as a browser would send them."""
        return {
            found["name"]: found.get("value", "")
            for found in self.all("input")
            if found.get("type") != "radio" or "checked" in found
        }


def read(response: Any) -> Document:
    return Document(response.content.decode())

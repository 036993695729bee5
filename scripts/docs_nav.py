"""A hook of mkdocs: builds the navigation from the folders of docs/, so that a new page needs no entry anywhere.

The sections come in the order in which people need them; within one, pages are sorted by file name. A folder that is
not named here fails the strict build, because mkdocs warns of pages that the navigation leaves out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How to",
    "plugins": "Plugins",
    "reference": "Reference",
    "explanation": "Explanation",
    "adr": "Decisions",
}


def navigation(docs: Path) -> list[Any]:
    """The start page, then each section that has pages, then the pages at the top for people who work on Majuu."""
    entries: list[Any] = ["index.md"]
    for folder, title in SECTIONS.items():
        pages = sorted(path.relative_to(docs).as_posix() for path in (docs / folder).rglob("*.md"))
        if pages:
            entries.append({title: pages})
    entries += sorted(path.name for path in docs.glob("*.md") if path.name != "index.md")
    return entries


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs before it looks at the navigation."""
    config.nav = navigation(Path(config.docs_dir))
    return config

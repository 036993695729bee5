"""Writes the package of a new provider from the templates beside this module."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from majuu_core import __version__
from majuu_core.common import clock

LICENSES = ("BSD-3-Clause", "MIT", "LicenseRef-Proprietary")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = "-tpl"


class CannotStart(Exception):
    """The package is not written. The text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvider:
    """The names in a new package, all made from the one that somebody typed."""

    name: str  # "majuu-acme-pay": the distribution
    license: str = "BSD-3-Clause"
    author: str = ""

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    @property
    def code(self) -> str:
        return self.package.removeprefix("majuu_")

    @property
    def words(self) -> list[str]:
        return [word.capitalize() for word in self.code.split("_")]

    @property
    def class_name(self) -> str:
        return f"{''.join(self.words)}Provider"

    def values(self) -> dict[str, str]:
        """What the templates may name."""
        return {
            "name": self.name,
            "package": self.package,
            "code": self.code,
            "title": " ".join(self.words),
            "camel": "".join(self.words),
            "class": self.class_name,
            "host": self.code.replace("_", "-"),
            "license": self.license,
            "author": self.author or f"the authors of {self.name}",
            "year": str(clock.now().year),
            "core_version": __version__,
        }


def start_provider(new: NewProvider, directory: Path) -> list[Path]:
    """Write the package into a new folder named like it. Returns the files. Raises CannotStart."""
    _check(new)
    target = directory / new.name
    if target.exists():
        raise CannotStart(f"{target} exists already. Choose another name or another --directory.")
    if not directory.is_dir():
        raise CannotStart(f"{directory} is no folder. Make it first, or choose another --directory.")
    values, written = new.values(), []
    templates = files("majuu_core.plugins") / "provider_template"
    for parts, template in _walk(templates, ()):
        path = _path_of(parts, new)
        if path is not None:
            written.append(_write(target / path, template.read_text(encoding="utf-8") % values))
    return written


def _check(new: NewProvider) -> None:
    if not _NAME.fullmatch(new.name) or not 2 <= len(new.code) <= 32:
        raise CannotStart(f"{new.name!r} is no name: use small letters, digits and hyphens, as in majuu-acme-pay.")
    if keyword.iskeyword(new.package) or find_spec(new.package) is not None:
        raise CannotStart(f"a package {new.package} exists already. Choose another name.")
    if new.license not in LICENSES:
        raise CannotStart(f"the license {new.license} is not known. Choose one of {', '.join(LICENSES)}.")


def _walk(folder: Traversable, parts: tuple[str, ...]) -> list[tuple[tuple[str, ...], Traversable]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            found += _walk(entry, (*parts, entry.name))
        elif entry.name.endswith(_SUFFIX) or entry.name == "py.typed":
            found.append(((*parts, entry.name), entry))
    return found


def _path_of(parts: tuple[str, ...], new: NewProvider) -> Path | None:
    """Where a template goes; None for the licenses that were not chosen."""
    *folders, name = parts
    if folders == ["licenses"]:
        return Path("LICENSE") if name == f"{new.license}{_SUFFIX}" else None
    return Path(*(new.package if folder == "package" else folder for folder in folders), name.removesuffix(_SUFFIX))


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

"""``manage.py majuu_plugins``: what is loaded, and which hooks each plugin implements."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from majuu_core.plugins.manager import PluginInfo, plugins


class Command(BaseCommand):
    help = "List the loaded plugins, their versions and the hooks each implements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="write JSON for programs")

    def handle(self, *args: Any, as_json: bool = False, **options: Any) -> None:
        found, unknown = plugins().describe(), {(item.plugin, item.name) for item in plugins().unknown_hooks()}
        self.stdout.write(_as_json(found, unknown) if as_json else _as_text(found, unknown))


def _as_json(found: tuple[PluginInfo, ...], unknown: set[tuple[str, str]]) -> str:
    rows = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "hooks": [hook for hook in plugin.hooks if (plugin.name, hook) not in unknown],
            "unknown_hooks": [hook for hook in plugin.hooks if (plugin.name, hook) in unknown],
        }
        for plugin in found
    ]
    return json.dumps(rows, indent=2)


def _as_text(found: tuple[PluginInfo, ...], unknown: set[tuple[str, str]]) -> str:
    lines = []
    for plugin in found:
        lines.append(f"{plugin.name} {plugin.version}".rstrip())
        for hook in plugin.hooks:
            lines.append(f"  {hook}{'  (no such hook: never called)' if (plugin.name, hook) in unknown else ''}")
    return "\n".join(lines) or "No plugin is loaded."

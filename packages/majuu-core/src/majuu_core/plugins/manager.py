"""Finds plugins, loads them and collects what they contribute.

Two phases. While settings are read, ``plugin_apps()`` gives the names of installed plugin apps without importing
them. When Django is ready, ``load_plugins()`` imports ``majuu_hooks`` of every installed app, so hooks may use models.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from time import perf_counter_ns
from typing import Any

import pluggy

from majuu_core.plugins import hookspecs
from majuu_core.plugins.markers import PROJECT
from majuu_core.plugins.registries import PluginLoadError, Registries, build

ENTRY_POINT_GROUP = "majuu.plugins"
HOOKS_MODULE = "majuu_hooks"
_log = logging.getLogger("majuu.hooks")


def plugin_apps() -> list[str]:
    """The apps of all installed plugin packages, sorted by entry point name: add them to INSTALLED_APPS.

    Only names are read; no plugin code runs, so this is safe inside a settings module.
    """
    points = sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    return list(dict.fromkeys(point.value.replace(":", ".") for point in points))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownHook:
    """A function marked with ``@hookimpl`` that no hook specification answers to: usually a misspelt name."""

    plugin: str
    name: str
    suggestion: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One loaded plugin, for the command ``majuu_plugins`` and the console."""

    name: str
    version: str
    hooks: tuple[str, ...]


class Plugins:
    """The loaded plugins of a process and their registries."""

    def __init__(self) -> None:
        self.pluggy = pluggy.PluginManager(PROJECT)
        self.pluggy.add_hookspecs(hookspecs)
        self._registries: Registries | None = None

    @property
    def registries(self) -> Registries:
        """What was collected. Raises PluginLoadError before loading."""
        if self._registries is None:
            raise PluginLoadError("plugins are not loaded yet: that happens when Django's apps are ready")
        return self._registries

    def load(self, apps: Iterable[str]) -> None:
        """Import the hooks of these apps, register them and collect. Results follow the order of ``apps``.

        Raises PluginLoadError when a hooks module cannot be imported or does not fit the specifications.
        """
        found = [(app, module) for app in apps if (module := _hooks_module(app)) is not None]
        for app, module in reversed(found):  # pluggy asks the last registered first
            if not self.pluggy.has_plugin(app):
                self._register(module, app)
        self._registries = build(self.collect)

    def collect(self, hook: str, **arguments: Any) -> tuple[Any, ...]:
        """Call a hook that returns lists and join the lists, in the order of INSTALLED_APPS."""
        joined: list[Any] = []
        for result in getattr(self.pluggy.hook, hook)(**arguments):
            if not isinstance(result, (list, tuple)):
                raise PluginLoadError(f"an implementation of {hook} returned {result!r}; it must return a list")
            joined.extend(result)
        return tuple(joined)

    def decide(self, hook: str, **arguments: Any) -> Any:
        """Call a hook of which the first answer that is not None counts; None when nobody answers."""
        return getattr(self.pluggy.hook, hook)(**arguments)

    def unknown_hooks(self) -> tuple[UnknownHook, ...]:
        """Every implementation without a specification. pluggy itself would never call nor mention them."""
        names = hook_names(self)
        return tuple(
            UnknownHook(plugin=plugin, name=caller.name, suggestion=_closest(caller.name, names))
            for plugin, implementation in self._by_app_order()
            for caller in self.pluggy.get_hookcallers(implementation) or []
            if not caller.has_spec() and not _is_optional(caller, implementation)
        )

    def describe(self) -> tuple[PluginInfo, ...]:
        """The loaded plugins with their versions and the hooks they implement."""
        versions = _versions()
        return tuple(
            PluginInfo(
                name=name,
                version=versions.get(name) or _module_version(name),
                hooks=tuple(sorted(caller.name for caller in self.pluggy.get_hookcallers(plugin) or [])),
            )
            for name, plugin in self._by_app_order()
        )

    @contextmanager
    def temporary(self, plugin: object, *, name: str | None = None) -> Iterator[object]:
        """Let a plugin count while the block runs. It is asked before all others. For tests."""
        before = self._registries
        registered = self._register(plugin, name)
        try:
            self._registries = build(self.collect)
            yield plugin
        finally:
            self.pluggy.unregister(name=registered)
            self._registries = before

    def trace(self) -> None:
        """Write every hook call to the log ``majuu.hooks``: names, counts and times, never values."""
        started: list[int] = []

        def before(hook_name: str, implementations: Any, arguments: Mapping[str, Any]) -> None:
            started.append(perf_counter_ns())
            _log.info("%s(%s) asks %d", hook_name, ", ".join(arguments), len(implementations))

        def after(outcome: Any, hook_name: str, implementations: Any, arguments: Mapping[str, Any]) -> None:
            micros = (perf_counter_ns() - started.pop()) // 1000
            failed = f", failed with {type(outcome.exception).__name__}" if outcome.exception else ""
            _log.info("%s done in %d µs%s", hook_name, micros, failed)

        self.pluggy.add_hookcall_monitoring(before, after)

    def _register(self, plugin: object, name: str | None) -> str:
        try:
            registered = self.pluggy.register(plugin, name=name)
        except pluggy.PluginValidationError as problem:
            if self.pluggy.is_registered(plugin):  # before pluggy 1.7 a refused plugin stayed half registered
                self.pluggy.unregister(plugin)
            raise PluginLoadError(f"plugin {name or plugin!r} does not fit its hook: {problem}") from problem
        if registered is None:
            raise PluginLoadError(f"plugin {name or plugin!r} is blocked")
        return registered

    def _by_app_order(self) -> list[tuple[str, Any]]:
        return list(reversed(self.pluggy.list_name_plugin()))


def hook_names(plugins: Plugins) -> list[str]:
    """The names of all hooks that exist."""
    callers = (getattr(plugins.pluggy.hook, name) for name in dir(plugins.pluggy.hook) if not name.startswith("_"))
    return sorted(caller.name for caller in callers if caller.has_spec())


def _hooks_module(app: str) -> Any | None:
    """The app's hooks, None when it has none. An error inside the module is an error, not an absence."""
    if not hasattr(import_module(app), "__path__") or find_spec(f"{app}.{HOOKS_MODULE}") is None:
        return None
    try:
        return import_module(f"{app}.{HOOKS_MODULE}")
    except Exception as problem:
        raise PluginLoadError(
            f"{app}.{HOOKS_MODULE} cannot be imported: {type(problem).__name__}: {problem}. "
            f"Mend the plugin or take {app!r} out of INSTALLED_APPS."
        ) from problem


def _closest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _is_optional(caller: pluggy.HookCaller, plugin: object) -> bool:
    return all(found.optionalhook for found in caller.get_hookimpls() if found.plugin is plugin)


def _versions() -> dict[str, str]:
    points = metadata.entry_points(group=ENTRY_POINT_GROUP)
    return {point.module.split(".")[0]: point.dist.version for point in points if point.dist is not None}


def _module_version(name: str) -> str:
    try:
        return str(getattr(import_module(name.split(".")[0]), "__version__", ""))
    except (ImportError, ValueError):
        return ""


_process = Plugins()


def load_plugins() -> None:
    """Load the hooks of every installed app. Called by the core app's ``ready()``; a second call changes nothing.

    With ``MAJUU_TRACE_HOOKS = True`` in settings every hook call is logged.
    """
    from django.apps import apps
    from django.conf import settings

    if _process._registries is not None:
        return
    if getattr(settings, "MAJUU_TRACE_HOOKS", False):
        _process.trace()
    _process.load(config.name for config in apps.get_app_configs())


def plugins() -> Plugins:
    """The plugins of this process."""
    return _process


def registries() -> Registries:
    """What the plugins of this process contributed. Raises PluginLoadError before Django's apps are ready."""
    return _process.registries


def collect(hook: str, **arguments: Any) -> tuple[Any, ...]:
    """Call a hook of which all results are joined, e.g. ``validate_payout`` or ``register_console_panels``."""
    return _process.collect(hook, **arguments)


def decide(hook: str, **arguments: Any) -> Any:
    """Call a hook of which the first result counts, e.g. ``select_provider_account``."""
    return _process.decide(hook, **arguments)


@contextmanager
def temporary_plugin(plugin: object, *, name: str | None = None) -> Iterator[object]:
    """Let an object with hook implementations count while the block runs, registries included. For tests."""
    with _process.temporary(plugin, name=name):
        yield plugin

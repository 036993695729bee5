"""Loading plugins: order, errors that name the culprit, immutable registries."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from majuu_core.plugins import AuditAction, EventType, hookimpl
from majuu_core.plugins.manager import Plugins, plugin_apps
from majuu_core.plugins.registries import DuplicateContribution, PluginLoadError

MakeApp = Callable[..., str]
HEADER = "from majuu_core.plugins import AuditAction, EventType, hookimpl\n"


@pytest.fixture
def make_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApp]:
    """Writes an app with the given ``majuu_hooks`` and makes it importable."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def make(name: str, hooks: str | None) -> str:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        if hooks is not None:
            (tmp_path / name / "majuu_hooks.py").write_text(HEADER + hooks)
        made.append(name)
        return name

    yield make
    for name in list(sys.modules):
        if name.split(".")[0] in made:
            del sys.modules[name]


def action(code: str) -> str:
    return f"@hookimpl\ndef register_audit_actions():\n    return [AuditAction(code={code!r}, label='x')]\n"


def test_results_follow_the_order_of_installed_apps(make_app: MakeApp) -> None:
    apps = [
        make_app("majuu_t_b", action("b.x")),
        make_app("majuu_t_a", action("a.x")),
        make_app("majuu_t_c", action("c.x")),
    ]
    plugins = Plugins()

    plugins.load(apps)

    assert list(plugins.registries.audit_actions) == ["b.x", "a.x", "c.x"]
    assert [plugin.name for plugin in plugins.describe()] == apps


def test_an_app_without_hooks_is_no_plugin(make_app: MakeApp) -> None:
    plugins = Plugins()

    plugins.load([make_app("majuu_t_none", None), "json.decoder"])

    assert plugins.describe() == ()
    assert plugins.registries.audit_actions == {}


def test_an_import_error_inside_hooks_is_not_taken_for_absence(make_app: MakeApp) -> None:
    app = make_app("majuu_t_import", "import a_module_that_does_not_exist\n")

    with pytest.raises(PluginLoadError) as caught:
        Plugins().load([app])

    assert str(caught.value) == (
        "majuu_t_import.majuu_hooks cannot be imported: ModuleNotFoundError: No module named "
        "'a_module_that_does_not_exist'. Mend the plugin or take 'majuu_t_import' out of INSTALLED_APPS."
    )


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ("def broken(:\n", "majuu_t_bad.majuu_hooks cannot be imported: SyntaxError"),
        ("1 / 0\n", "majuu_t_bad.majuu_hooks cannot be imported: ZeroDivisionError"),
        (
            "@hookimpl\ndef validate_payout(payuot):\n    return []\n",
            r"(?s)plugin 'majuu_t_bad' does not fit its hook: .*payuot",
        ),
        (
            "@hookimpl\ndef register_audit_actions():\n    return AuditAction(code='a.b', label='x')\n",
            "an implementation of register_audit_actions returned AuditAction.*must return a list",
        ),
        (
            "@hookimpl\ndef register_audit_actions():\n    return ['a.b']\n",
            "register_audit_actions returned 'a.b' in its list; it must be a AuditAction",
        ),
        (
            "@hookimpl\ndef register_payment_providers():\n    return [object()]\n",
            "register_payment_providers returned .*return the class itself, not an instance",
        ),
        (
            "@hookimpl\ndef register_reports():\n    return [object]\n",
            "register_reports: builtins.object has no code",
        ),
    ],
)
def test_a_broken_plugin_stops_the_start_and_is_named(make_app: MakeApp, hooks: str, message: str) -> None:
    app = make_app("majuu_t_bad", hooks)

    with pytest.raises(PluginLoadError, match=message):
        Plugins().load([app])


@pytest.mark.parametrize(
    ("hook", "item", "name"),
    [
        ("register_audit_actions", "AuditAction(code='a.b', label='x')", "a.b"),
        ("register_event_types", "EventType(name='a.c', description='x')", "a.c"),
        ("register_reports", "type('R', (), {'code': 'r'})", "r"),
        ("register_fx_rate_sources", "type('S', (), {'code': 's'})", "s"),
    ],
)
def test_a_name_contributed_twice_stops_the_start(make_app: MakeApp, hook: str, item: str, name: str) -> None:
    body = f"@hookimpl\ndef {hook}():\n    return [{item}]\n"
    apps = [make_app("majuu_t_one", body), make_app("majuu_t_two", body)]

    with pytest.raises(DuplicateContribution, match=f"{hook}: '{name}' is contributed twice"):
        Plugins().load(apps)


def test_a_model_is_shown_in_the_console_once() -> None:
    from majuu_core.plugins import ConsoleAdmin

    class Twice:
        @hookimpl
        def register_console_admins(self) -> list[ConsoleAdmin]:
            return [ConsoleAdmin(int, str), ConsoleAdmin(int, bytes)]

    plugins = Plugins()
    plugins.pluggy.register(Twice())

    with pytest.raises(DuplicateContribution, match="'int of builtins' is contributed twice"):
        plugins.load([])


def test_registries_cannot_be_changed() -> None:
    plugins = Plugins()
    plugins.load([])

    with pytest.raises(FrozenInstanceError):
        plugins.registries.audit_actions = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        plugins.registries.audit_actions["a.b"] = AuditAction(code="a.b", label="x")  # type: ignore[index]


def test_registries_before_loading_are_an_error() -> None:
    with pytest.raises(PluginLoadError, match="not loaded yet"):
        _ = Plugins().registries


def test_a_misspelt_hook_is_found_with_a_suggestion(make_app: MakeApp) -> None:
    plugins = Plugins()
    plugins.load([make_app("majuu_t_typo", "@hookimpl\ndef register_audit_action():\n    return []\n")])

    [found] = plugins.unknown_hooks()

    assert (found.plugin, found.name, found.suggestion) == (
        "majuu_t_typo",
        "register_audit_action",
        "register_audit_actions",
    )


def test_a_hook_may_be_optional(make_app: MakeApp) -> None:
    plugins = Plugins()
    plugins.load([make_app("majuu_t_opt", "@hookimpl(optionalhook=True)\ndef of_another_package():\n    return []\n")])

    assert plugins.unknown_hooks() == ()


def test_a_temporary_plugin_counts_inside_the_block_only() -> None:
    plugins = Plugins()
    plugins.load([])

    class Parcels:
        @hookimpl
        def register_event_types(self) -> list[EventType]:
            return [EventType(name="parcel.shipped", description="x")]

    with plugins.temporary(Parcels()):
        assert list(plugins.registries.event_types) == ["parcel.shipped"]

    assert plugins.registries.event_types == {}
    assert plugins.collect("register_event_types") == ()


def test_a_broken_temporary_plugin_leaves_nothing_behind() -> None:
    plugins = Plugins()
    plugins.load([])

    class Wrong:
        @hookimpl
        def register_event_types(self) -> str:
            return "parcel.shipped"

    class WrongArgument:
        @hookimpl
        def validate_payout(self, money: int) -> list[Any]:
            return []

    for plugin in (Wrong(), WrongArgument()):
        with pytest.raises(PluginLoadError), plugins.temporary(plugin):
            pytest.fail("the block must not run")

    assert plugins.registries.event_types == {}
    assert plugins.describe() == ()


def test_plugin_apps_are_names_sorted_and_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        metadata.EntryPoint("zebra", "zebra_app", "majuu.plugins"),
        metadata.EntryPoint("ant", "ant_app.apps:AntConfig", "majuu.plugins"),
        metadata.EntryPoint("ant2", "zebra_app", "majuu.plugins"),
    ]
    groups = {"majuu.plugins": points}
    monkeypatch.setattr("majuu_core.plugins.manager.metadata.entry_points", lambda group: groups[group])

    assert plugin_apps() == ["ant_app.apps.AntConfig", "zebra_app"]
    assert "ant_app" not in sys.modules


def test_tracing_logs_names_and_never_values(caplog: pytest.LogCaptureFixture) -> None:
    class Payouts:
        @hookimpl
        def validate_payout(self, payout: Any) -> list[Any]:
            return []

    plugins = Plugins()
    plugins.pluggy.register(Payouts())
    plugins.trace()

    with caplog.at_level(logging.INFO, "majuu.hooks"):
        plugins.collect("validate_payout", payout="a secret destination")

    first, last = [record.getMessage() for record in caplog.records]
    assert first == "validate_payout(payout) asks 1"
    assert last.startswith("validate_payout done in ")
    assert "secret" not in caplog.text


def test_tracing_tells_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Payouts:
        @hookimpl
        def validate_payout(self, payout: Any) -> list[Any]:
            raise LookupError(payout)

    plugins = Plugins()
    plugins.pluggy.register(Payouts())
    plugins.trace()

    with caplog.at_level(logging.INFO, "majuu.hooks"), pytest.raises(LookupError):
        plugins.collect("validate_payout", payout="a secret destination")

    assert caplog.records[-1].getMessage().endswith("failed with LookupError")
    assert "secret" not in caplog.text


def test_loading_twice_changes_nothing(make_app: MakeApp) -> None:
    app, plugins = make_app("majuu_t_twice", action("a.b")), Plugins()

    plugins.load([app])
    plugins.load([app])

    assert len(plugins.describe()) == 1


def test_versions_come_from_the_distribution_or_the_module(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app("majuu_t_version", action("a.b"))
    point = SimpleNamespace(name="t", value=app, module=app, dist=SimpleNamespace(version="7.8"))
    monkeypatch.setattr("majuu_core.plugins.manager.metadata.entry_points", lambda group: [point])
    plugins = Plugins()
    plugins.load([app, "majuu_core"])

    assert [(item.name, item.version) for item in plugins.describe()] == [(app, "7.8"), ("majuu_core", "0.1.0")]

"""The pytest plugin is harmless where there are no Django settings, and its fixtures work."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


def test_fixtures_work_without_django(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from majuu_core.common import clock
        from majuu_core.plugins import AuditAction, hookimpl

        def test_clock(virtual_clock):
            before = clock.now()
            virtual_clock.advance(10)
            assert (clock.now() - before).seconds == 10

        def test_cache(memory_cache):
            memory_cache.set("a", "1", seconds=1)
            assert memory_cache.get("a") == "1"

        def test_plugin(temporary_plugin):
            from majuu_core.plugins.manager import registries

            class Parcels:
                @hookimpl
                def register_audit_actions(self):
                    return [AuditAction(code="parcel.opened", label="Parcel opened")]

            temporary_plugin(Parcels())
            assert "parcel.opened" in registries().audit_actions

        def test_plugin_is_gone():
            import pytest
            from majuu_core.plugins.manager import collect

            assert collect("register_audit_actions") == ()
        """
    )

    outcome = pytester.runpytest_subprocess("-p", "no:django", "-p", "no:cacheprovider")

    outcome.assert_outcomes(passed=4)


@pytest.mark.parametrize("module", ["majuu_core.testing", "majuu_core.plugins", "majuu_core.plugins.manager"])
def test_importing_needs_neither_pytest_nor_django(module: str) -> None:
    script = f"import sys, {module}; print(sorted({{'pytest', 'django'}} & set(sys.modules)))"

    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "[]"


def test_the_plugin_imports_nothing_of_majuu_before_it_is_asked() -> None:
    script = "import sys, majuu_core.testing.pytest_plugin; print('majuu_core.plugins.manager' in sys.modules)"

    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "False"

"""What the sandbox contributes: its own demo data, before that of any other plugin."""

from __future__ import annotations

from majuu_core.plugins import DemoData, hookimpl


@hookimpl
def register_demo_data() -> list[DemoData]:
    """A shop with everything it needs to be paid."""
    from sandbox_project.demo_data import load_demo_data

    return [DemoData(name="sandbox.duka", load=load_demo_data, order=10)]

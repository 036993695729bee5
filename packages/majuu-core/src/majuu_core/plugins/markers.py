"""The two decorators of the hook system."""

from __future__ import annotations

import pluggy

PROJECT = "majuu"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

"""The console's own admin site: staff only."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """Where staff look after payments."""


console_site = ConsoleSite(name="console")

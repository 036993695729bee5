"""The staff console. ``unfold_settings()`` is what a project puts into its ``UNFOLD`` setting."""

from __future__ import annotations

from typing import Any


def unfold_settings() -> dict[str, Any]:
    """The ``UNFOLD`` setting: title, colours and the menu. Safe inside a settings module: nothing is imported yet."""
    return {
        "SITE_TITLE": "Majuu",
        "SITE_HEADER": "Majuu",
        "SITE_SUBHEADER": "Console",
        "SITE_SYMBOL": "payments",
        "SITE_URL": None,
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": "majuu_core.console.menu.favicon"},
        ],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_BACK_BUTTON": True,
        "STYLES": ["majuu_core.console.menu.theme", "majuu_core.console.menu.stylesheet"],
        "SCRIPTS": ["majuu_core.console.menu.script"],
        "COLORS": {"primary": dict(_GREENS)},
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": "majuu_core.console.menu.navigation",
        },
    }


# White text on 600 and 600 on white both reach a contrast of 4.5 to 1.
_GREENS = {
    "50": "oklch(97.9% .021 166.1)",
    "100": "oklch(95% .052 163.1)",
    "200": "oklch(90.5% .093 164.2)",
    "300": "oklch(84.5% .143 165)",
    "400": "oklch(76.5% .165 163.2)",
    "500": "oklch(69.6% .15 162.5)",
    "600": "oklch(48% .108 165.6)",
    "700": "oklch(43.2% .095 166.9)",
    "800": "oklch(37.8% .077 168.9)",
    "900": "oklch(31% .062 170)",
    "950": "oklch(26.2% .051 172.6)",
}

"""Unfold's theme as a stylesheet of its own, so that no page of the console has style inside it.

Unfold writes its colours into a style element of every page. Here they are an address, and the pages' policy allows no
style element at all.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

AN_HOUR = 60 * 60


@cache_control(public=True, max_age=AN_HOUR)
@require_safe
def theme_css(request: HttpRequest) -> HttpResponse:
    """The colours and the radius of Unfold's settings, as custom properties."""
    from majuu_core.console.site import console_site

    return HttpResponse(_stylesheet(console_site.theme(request)), content_type="text/css; charset=utf-8")


def _stylesheet(theme: dict[str, Any]) -> str:
    lines = [f"--border-radius: {theme['border_radius']};"] if theme.get("border_radius") else []
    for name, weights in (theme.get("colors") or {}).items():
        lines += [f"--color-{name}-{weight}: {value};" for weight, value in weights.items()]
    return ":root {\n" + "\n".join(lines) + "\n}\n"

"""The console's own admin site: staff only, its own headers, what plugins add to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite

from majuu_core.console.home import overview
from majuu_core.console.safeguarding import safeguarding_page
from majuu_core.plugins.manager import plugins, registries

# Unfold's Alpine evaluates expressions, and its theme is a style element: allowed here, and nowhere else.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Where staff look after payments."""

    index_template = "majuu_console/index.html"
    index_title = "Overview"
    site_title = "Majuu"
    site_header = "Majuu"
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        self.register_pages()
        found: list[URLPattern | URLResolver] = super().get_urls()
        return found

    def register_pages(self) -> None:
        """Core's pages, then those of plugins. Called when the addresses are made; again changes nothing."""
        import_module("majuu_core.console.admins")
        for item in registries().console_admins:
            if not self.is_registered(item.model):
                self.register(item.model, item.admin_class)

    def extra_urls(self) -> list[URLPattern]:
        """Pages that belong to no model."""
        return [
            path("plugins/", self.admin_view(self.plugins_page), name="plugins"),
            path("safeguarding/", self.admin_view(self.safeguarding_page), name="safeguarding"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        page: TemplateResponse = super().index(request, {**overview(request), **(extra_context or {})})
        return page

    def plugins_page(self, request: HttpRequest) -> TemplateResponse:
        """What is installed, and which hooks each plugin implements."""
        request.current_app = self.name
        context = {**self.each_context(request), "title": "Plugins", "majuu_plugins": plugins().describe()}
        return TemplateResponse(request, "majuu_console/plugins.html", context)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return _with_headers(super().admin_view(view, cacheable))

    def safeguarding_page(self, request: HttpRequest) -> HttpResponseBase:
        """Customers' money against the money kept for them."""
        request.current_app = self.name
        return safeguarding_page(request, self.each_context(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = _with_headers(super().login)(request, extra_context)
        return answer


def _with_headers(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        response = view(*args, **kwargs)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return wrapped


console_site = ConsoleSite(name="console")

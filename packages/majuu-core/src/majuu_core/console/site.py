"""The console's own admin site: staff only, its own headers, what plugins add to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from unfold.sites import UnfoldAdminSite

from majuu_core.accounts.gate import obstacle
from majuu_core.accounts.step_up import LOGIN, fresh_second_factor_required, safe_next
from majuu_core.console.by_hand_pages import refunds_page
from majuu_core.console.home import overview
from majuu_core.console.people_page import people_page
from majuu_core.console.safeguarding import safeguarding_page
from majuu_core.console.theme import theme_css
from majuu_core.network.policies import SELF, joined
from majuu_core.plugins.manager import plugins, registries


def console_policy() -> str:
    """The policy of the console's pages.

    'unsafe-eval' because Unfold's pages are driven by Alpine, which turns attributes into functions; nowhere else. It
    does not let inline script in: what may be evaluated must come from a file of this site first. No style may be
    inline, neither as an element nor as an attribute. Frames show the documents of a KYC case: no other page of this
    site lets itself be framed.
    """
    return joined({"script-src": (SELF, "'unsafe-eval'"), "frame-src": (SELF,)})


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

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Without the colours, which stand in a stylesheet of their own: see ``theme``."""
        return {**super().each_context(request), "colors": None}

    def theme(self, request: HttpRequest) -> dict[str, Any]:
        """Colours and radius, as Unfold's settings have them."""
        found: dict[str, Any] = super().each_context(request)
        return {name: found[name] for name in ("colors", "border_radius")}

    def extra_urls(self) -> list[URLPattern]:
        """Pages that belong to no model."""
        by_hand = fresh_second_factor_required(self.refunds_by_hand_page)
        return [
            path("theme.css", theme_css, name="theme"),
            path("plugins/", self.admin_view(self.plugins_page), name="plugins"),
            path("refunds-by-hand/", self.admin_view(by_hand), name="refunds_by_hand"),
            path("people/", self.admin_view(self.people_page), name="people"),
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

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff who have shown their second factor."""
        return bool(super().has_permission(request)) and obstacle(request) is None

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Every page of the console: whoever may not see it yet is sent to where that can be changed."""
        return _with_headers(view if view == self.logout else self.gated(view, cacheable))

    def gated(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """The same door for a view that brings headers of its own."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return _way_in(request) or inner(request, *args, **kwargs)

        return wrapped

    def safeguarding_page(self, request: HttpRequest) -> HttpResponseBase:
        """Customers' money against the money kept for them."""
        request.current_app = self.name
        return safeguarding_page(request, self.each_context(request))

    def people_page(self, request: HttpRequest) -> HttpResponseBase:
        """What is known about one person."""
        request.current_app = self.name
        return people_page(request, self.each_context(request))

    def refunds_by_hand_page(self, request: HttpRequest) -> HttpResponseBase:
        """The refunds that people pay out."""
        request.current_app = self.name
        return refunds_page(request, self.each_context(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No log-in of its own: people sign in where everybody does, past their second factor, and come back."""
        answer: HttpResponse = _with_headers(self._login)(request)
        return answer

    def _login(self, request: HttpRequest) -> HttpResponse:
        target = safe_next(request, reverse(f"{self.name}:index"))
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{reverse(LOGIN)}?{urlencode({'next': target})}")
        if target == request.path:
            target = reverse(f"{self.name}:index")
        return _way_in(request) or HttpResponseRedirect(target)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signs out, written down as everywhere."""
        if request.method == "POST" and request.user.is_authenticated:
            get_adapter(request).logout(request)
        return HttpResponseRedirect(reverse(LOGIN))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """On the page of the person's own account."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Nobody changes a password here: back to the person's own account."""
        return HttpResponseRedirect(reverse("majuu_account"))


def _way_in(request: HttpRequest) -> HttpResponse | None:
    """Where somebody has to go before the console opens; None for staff who may come in. Denied to others."""
    user: Any = request.user
    if user.is_authenticated and not (user.is_active and user.is_staff):
        raise PermissionDenied
    return obstacle(request)


def _with_headers(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        response = view(*args, **kwargs)
        response.headers["Content-Security-Policy"] = console_policy()
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return wrapped


console_site = ConsoleSite(name="console")

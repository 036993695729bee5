"""The page of a person's own account: where everything that belongs to it is found."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from majuu_core.accounts.gate import own_account_view
from majuu_core.accounts.home import home_of
from majuu_core.accounts.second_factor import own_devices


@never_cache
@own_account_view
@require_GET
def own_account(request: HttpRequest) -> HttpResponse:
    """Links to addresses, password and second factor, and to where the person works."""
    home = home_of(request.user)
    context = {"devices": own_devices(request.user), "home": home if home != request.path else ""}
    return render(request, "majuu_accounts/own_account.html", context)

"""Before a business is chosen: which ones there are, a new one, and joining one by invitation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.debug import sensitive_variables
from django_countries import countries

from majuu_core.common.problems import Denied, NotFound, Problem
from majuu_core.dashboard.answers import add_problem, done
from majuu_core.dashboard.place import person_page
from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.invitations import accept_invitation, find_invitation, has_address
from majuu_core.merchants.kyc.cases import open_case
from majuu_core.merchants.models import Membership
from majuu_core.merchants.services import create_merchant

MOST_OWNED = 10


class BusinessForm(forms.Form):
    """A new business."""

    name = forms.CharField(
        label="Name of the business", max_length=200, help_text="As your customers know it. You can change it later."
    )
    country = forms.ChoiceField(label="Country", choices=list(countries), initial="KE")


def home_of_member(user: Any) -> str | None:
    """Where somebody comes after signing in who belongs to a business, or is not one of the staff."""
    if user.is_staff and not Membership.objects.filter(user_id=user.pk).exists():
        return None
    try:
        return reverse("dashboard:start")
    except NoReverseMatch:  # this project has no dashboard
        return None


@person_page
def start(request: HttpRequest) -> HttpResponseBase:
    """The businesses of this person; straight on when there is one, to registration when there is none."""
    user: Any = request.user
    found = list(Membership.objects.select_related("merchant").filter(user=user).order_by("pk"))
    if not found:
        return redirect("dashboard:register")
    if len(found) == 1 and "choose" not in request.GET:
        return redirect("dashboard:overview", found[0].merchant.public_id)
    return render(request, "majuu_dashboard/start.html", {"memberships": found})


@person_page
def register(request: HttpRequest) -> HttpResponse:
    """Register a business: it exists at once, with test keys; live ones after its review."""
    form = BusinessForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _check_number(request.user)
            merchant = create_merchant(**form.cleaned_data, owner=request.user)
            open_case(merchant=merchant)
            where = reverse("dashboard:overview", args=[merchant.public_id])
            return done(request, f"{merchant.name} is registered.", where)
        except Problem as problem:
            add_problem(form, problem)
    user: Any = request.user
    has_some = Membership.objects.filter(user=user).exists()
    context = {"form": form, "has_some": has_some}
    return render(request, "majuu_dashboard/register.html", context, status=422 if form.errors else 200)


@sensitive_variables("token")
@person_page
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the link in an invitation opens. Joining takes a click, so that a program that reads mail does not."""
    try:
        if request.method == "POST":
            made = accept_invitation(token=token, user=request.user)
            where = reverse("dashboard:overview", args=[made.merchant.public_id])
            return done(request, f"You are now a member of {made.merchant.name}.", where)
        found = find_invitation(token)
    except NotFound:
        return render(request, "majuu_dashboard/invitation_over.html", status=404)
    except Denied:
        return render(request, "majuu_dashboard/invitation_other.html", status=403)
    except Problem:  # a member already
        return redirect("dashboard:start")
    if not has_address(request.user, found.email):
        return render(request, "majuu_dashboard/invitation_other.html", status=403)
    role = Membership.Role(found.role).label
    return render(request, "majuu_dashboard/invitation.html", {"invitation": found, "role": role})


def _check_number(user: Any) -> None:
    if Membership.objects.filter(user=user, role=Membership.Role.OWNER).count() >= MOST_OWNED:
        raise ActionRefused(
            "too_many_businesses", f"One person registers at most {MOST_OWNED} businesses. Write to us."
        )

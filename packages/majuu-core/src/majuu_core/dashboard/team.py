"""The people of a business: members, their roles, and who was asked to join. For owners."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import clock
from majuu_core.common.problems import Problem
from majuu_core.configuration import public_url
from majuu_core.dashboard.answers import add_problem, done, refused
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.merchants.invitations import MOST_OPEN, invite, revoke_invitation, send_invitation
from majuu_core.merchants.models import Invitation, Membership
from majuu_core.merchants.services import change_role, remove_member
from majuu_core.throttling.services import check

_Role = Membership.Role
ROLE_TEXTS: tuple[tuple[str, str], ...] = (
    (_Role.OWNER, "everything, the team and the verification among it"),
    (_Role.DEVELOPER, "API keys, webhooks, stores"),
    (_Role.FINANCE, "refunds, payouts, exports"),
    (_Role.VIEWER, "look, and change nothing"),
)


class InviteForm(forms.Form):
    """Who is asked to join, and as what."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(
        label="Role",
        choices=[(role, f"{_Role(role).label}: {text}") for role, text in ROLE_TEXTS],
        initial=_Role.VIEWER,
    )


@sensitive_variables("made", "link")
@member_page(Action.TEAM, methods=("GET", "POST"), fresh_post=True)
def team(request: HttpRequest, place: Place) -> HttpResponse:
    """Members and open invitations; a POST invites somebody."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _count(request, form.cleaned_data["email"])
            made = invite(merchant=place.merchant, invited_by=request.user, **form.cleaned_data)
        except Problem as problem:
            add_problem(form, problem)
        else:
            link = public_url() + reverse("dashboard:invitation", args=[made.token])
            if send_invitation(invitation=made.invitation, link=link):
                return done(request, f"Invited: {made.invitation.email}.", place.url("team"))
            form.add_error(None, "The mail could not be sent. Try again later.")
    members = place.merchant.memberships.select_related("user").order_by("pk")
    waiting = place.merchant.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=clock.now())
    context = {
        "place": place,
        "form": form,
        "members": list(members),
        "invitations": list(waiting.order_by("-pk")[:MOST_OPEN]),
        "roles": _Role.choices,
    }
    return render(request, "majuu_dashboard/team.html", context, status=422 if form.errors else 200)


@member_page(Action.TEAM, methods=("POST",), fresh=True)
def team_act(request: HttpRequest, place: Place, member: int, what: str) -> HttpResponse:
    """Give a member another role, or take them out."""
    found = place.merchant.memberships.select_related("user").filter(pk=member).first()
    if found is None or what not in ("role", "remove"):
        raise Http404
    try:
        text = _change(place, found, what, request.POST.get("role", ""))
    except Problem as problem:
        return refused(request, problem, place.url("team"))
    user: Any = request.user
    is_still_owner = Membership.objects.filter(merchant=place.merchant, user=user, role=_Role.OWNER)
    return done(request, text, place.url("team") if is_still_owner.exists() else reverse("dashboard:start"))


@member_page(Action.TEAM, methods=("POST",), fresh=True)
def invitation_revoke(request: HttpRequest, place: Place, invitation_id: str) -> HttpResponse:
    """Withdraw an invitation."""
    revoke_invitation(invitation=place.get(Invitation.objects.all(), invitation_id, path="merchant"))
    return done(request, "The invitation is withdrawn.", place.url("team"))


def _count(request: HttpRequest, email: str) -> None:
    """Invitations are mail to strangers, with a name the sender chose. Raises TooMany."""
    check("invitation_sender", str(request.user.pk))
    check("invitation_address", email.strip().casefold())


def _change(place: Place, member: Any, what: str, role: str) -> str:
    if what == "remove":
        remove_member(merchant=place.merchant, user=member.user)
        return "The member was taken out."
    change_role(merchant=place.merchant, user=member.user, role=role)
    return "The role was changed."

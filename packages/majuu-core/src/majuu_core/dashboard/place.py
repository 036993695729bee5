"""Who is here, in which business, and what they may do: the door that every page of a business has."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from majuu_core.accounts.gate import obstacle
from majuu_core.accounts.step_up import ask_for_second_factor, is_fresh
from majuu_core.accounts.trail import acting_user
from majuu_core.configuration import custodial
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.access import Action, may
from majuu_core.merchants.models import Membership, Merchant
from majuu_core.pages.headers import private_page

View = Callable[..., HttpResponseBase]
Row = TypeVar("Row", bound=Model)
_MODE_KEY = "majuu_dashboard_live"
_MODES = {"live": True, "test": False}
# Name of the page, what it is called, what one must be allowed to see it.
_MENU: tuple[tuple[str, str, Action], ...] = (
    ("overview", "Overview", Action.READ),
    ("payments", "Payments", Action.READ),
    ("payouts", "Payouts", Action.READ),
    ("disputes", "Disputes", Action.READ),
    ("kyc", "Verification", Action.KYC),
    ("stores", "Stores", Action.READ),
    ("keys", "API keys", Action.READ_KEYS),
    ("webhooks", "Webhooks", Action.READ_KEYS),
    ("team", "Team", Action.TEAM),
    ("settings", "Settings", Action.READ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The business this page is about, the member who looks at it, and the mode they look at."""

    merchant: Merchant
    membership: Membership
    livemode: bool
    page: str

    def may(self, action: str) -> bool:
        """Whether this member may do it."""
        return may(self.membership.role, Action(action))

    @property
    def allowed(self) -> dict[str, bool]:
        """The same for templates: ``place.allowed.refund``."""
        return {action.value: self.may(action) for action in Action}

    @property
    def mode(self) -> str:
        return "live" if self.livemode else "test"

    @property
    def menu(self) -> list[dict[str, Any]]:
        """The pages this member may see."""
        shown = [item for item in _MENU if self.may(item[2]) and (item[0] != "payouts" or custodial())]
        return [
            {
                "label": label,
                "url": self.url(name),
                "is_here": self.page.partition("_")[0].rstrip("s") == name.rstrip("s"),
            }
            for name, label, _ in shown
        ]

    def url(self, name: str, *args: str) -> str:
        """The address of a page of this business."""
        return reverse(f"dashboard:{name}", args=[self.merchant.public_id, *args])

    def get(self, rows: QuerySet[Row], public_id: str, *, path: str = "store__merchant") -> Row:
        """One row that belongs to this business. Raises Http404, also for one of somebody else."""
        model: Any = rows.model
        return found_or_404(rows.filter(**{path: self.merchant}), _key(model, public_id))


def found_or_404(rows: QuerySet[Row], key: uuid.UUID) -> Row:
    """The row with this key. Raises Http404."""
    found = rows.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def member_page(
    action: Action,
    *,
    methods: Collection[str] = ("GET",),
    fresh: bool = False,
    fresh_post: bool = False,
    change: Action | None = None,
) -> Callable[[View], View]:
    """A page of one business, for members whose role may do ``action``: the view gets the request and a Place.

    Strangers get 404, members without the right 403. ``change``: what a POST needs instead. ``fresh``: the second
    factor has to have been shown a moment ago; ``fresh_post``: for changes only. Who must have a second factor sets it
    up first.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, merchant_id: str, **kwargs: Any) -> HttpResponseBase:
            way = obstacle(request)
            if way is not None:
                return way
            place = _place(request, merchant_id)
            if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                return HttpResponseNotAllowed(list(methods))
            is_change = request.method == "POST"
            if not place.may(change if is_change and change is not None else action):
                return render(request, "majuu_dashboard/denied.html", {"place": place}, status=403)
            if (fresh or (fresh_post and is_change)) and not is_fresh(request):
                return ask_for_second_factor(request)
            with acting_user(request):
                return view(request, place, **kwargs)

        return private_page(wrapped)

    return decorate


def person_page(view: View) -> View:
    """A page for anybody who is signed in, past their second factor if they have or must have one."""

    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        way = obstacle(request)
        if way is not None:
            return way
        with acting_user(request):
            return view(request, **kwargs)

    return private_page(wrapped)


def _place(request: HttpRequest, merchant_id: str) -> Place:
    user: Any = request.user
    memberships = Membership.objects.select_related("merchant").filter(user=user)
    membership = memberships.filter(merchant_id=_key(Merchant, merchant_id), merchant__is_system=False).first()
    if membership is None:
        raise Http404
    match = request.resolver_match
    return Place(
        merchant=membership.merchant,
        membership=membership,
        livemode=_mode(request, membership.merchant),
        page=(match.url_name or "") if match else "",
    )


def _mode(request: HttpRequest, merchant: Merchant) -> bool:
    """Test or live: as the address says, or as it was chosen last; live once a business is approved."""
    wanted = _MODES.get(request.GET.get("mode", ""))
    if wanted is not None and wanted != request.session.get(_MODE_KEY):
        request.session[_MODE_KEY] = wanted
    kept = request.session.get(_MODE_KEY) if wanted is None else wanted
    return kept if isinstance(kept, bool) else merchant.status == Merchant.Status.APPROVED


def _key(model: type[PublicIdMixin], public_id: str) -> uuid.UUID:
    try:
        return model.uuid_of(public_id)
    except ValueError:
        raise Http404 from None

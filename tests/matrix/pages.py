"""The pages there are, their addresses for a business, and the people who ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from majuu_core.merchants.services import add_member
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import enrol, sign_in
from tests.matrix.two_shops import Shop, TwoShops
from tests.matrix.watching import digest, hash_of_rows, hash_of_table

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_MODEL = re.compile(r"^(majuu_[a-z]+)_([a-z]+)_")
# Addresses that are written as regular expressions.
_IN_FULL = {
    "majuu_inbound": "/in/p" + "a" * 26 + "/" + "b" * 32,
    "account_confirm_email": "/accounts/confirm-email/abc:def:ghi/",
    "account_reset_password_from_key": "/accounts/password/reset/key/1-set-password/",
    "console:app_list": "/console/majuu_unknown/",
    "console:": "/console/nothing/here",
}


@dataclass(frozen=True)
class Route:
    """An address of the project; ``name`` with its namespace."""

    pattern: str
    name: str

    @property
    def area(self) -> str:
        """Whose page it is: console, dashboard, accounts, …"""
        return self.name.partition(":")[0] if ":" in self.name else "accounts"

    @property
    def page(self) -> str:
        return self.name.partition(":")[2]

    def address(self, shop: Shop) -> str:
        """Where it is for this business's things."""
        if self.name in _IN_FULL:
            return _IN_FULL[self.name]
        pattern = self.pattern
        if self.name == "dashboard:export":
            pattern = "dashboard/<str:merchant_id>/export/payments.csv"
        return "/" + _PARAMETER.sub(lambda found: self._value(found.group(1), shop), pattern)

    def _value(self, parameter: str, shop: Shop) -> str:
        if parameter == "object_id":
            return self._object(shop)
        if parameter in _LABELS:
            return str(shop.row(_LABELS[parameter]).public_id)
        given = {
            "merchant_id": shop.store.merchant.public_id,
            "store_id": shop.store.public_id,
            "file_id": shop.named["file_id"],
            "intent_id": shop.open_intent.public_id,
            "member": str(shop.store.merchant.memberships.get(user=shop.teammate).pk),
            "what": {"team_act": "remove", "kyc_act": "submit"}.get(self.page, "disable"),
        }
        return given.get(parameter, "nothing")

    def _object(self, shop: Shop) -> str:
        found = _MODEL.match(self.page)
        if found is None:
            return "1"
        app, name = found.groups()
        model: Any = apps.get_model(app, name)
        row = shop.row(model._meta.concrete_model._meta.label)
        return str(getattr(row, "public_id", row.pk))


_LABELS = {
    "key_id": "majuu_merchants.ApiKey",
    "charge_id": "majuu_payments.Charge",
    "endpoint_id": "majuu_webhooks.WebhookEndpoint",
    "delivery_id": "majuu_webhooks.WebhookDelivery",
}


def routes() -> list[Route]:
    """Every address but the API's operations, which test_api.py calls."""
    found = (Route(pattern, name) for pattern, name in _walk(get_resolver().url_patterns))
    return [
        route
        for route in found
        if not route.pattern.startswith("api/v1/") or route.name.startswith("majuu_api:openapi")
    ]


def _walk(patterns: Any, before: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        whole = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            below = ":".join(part for part in (space, pattern.namespace) if part)
            yield from _walk(pattern.url_patterns, whole, below)
        else:
            yield whole, f"{space}:{pattern.name or ''}" if space else pattern.name or ""


class Crowd:
    """Everybody who may try a page, each with a browser, and how the database is before anybody does."""

    def __init__(self, shops: TwoShops) -> None:
        merchant = shops.mine.store.merchant
        finance, newcomer = make_user(), make_user()
        add_member(merchant=merchant, user=finance, role="finance")
        viewing = make_user(is_staff=True)
        viewing.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
        with_device = make_user(is_staff=True, is_superuser=True)
        enrol(with_device)
        self.browsers: dict[str, Client] = {"anonymous": Client(raise_request_exception=False)}
        self._sign_in("outsider", shops.other.owner)
        self._sign_in("viewer", shops.mine.teammate)
        self._sign_in("finance", finance)
        self._sign_in("owner", shops.mine.owner)
        self._sign_in("stale owner", shops.mine.owner, fresh=False)
        self._sign_in("customer", newcomer)
        self._sign_in("bare staff", make_user(is_staff=True))
        self._sign_in("viewing staff", get_user_model()._default_manager.get(pk=viewing.pk))
        self._sign_in("superuser", shops.admin)
        self._sign_in("stale superuser", shops.admin, fresh=False)
        self._sign_in("password only", with_device, verified=False)
        self._people = {"all but one": make_user(is_staff=True), "only one": make_user(is_staff=True)}
        for name, user in self._people.items():
            self._sign_in(name, user)
        self._permissions = {
            f"{app}.{name}": key
            for key, app, name in Permission.objects.values_list("pk", "content_type__app_label", "codename")
        }
        self._people["all but one"].user_permissions.set(self._permissions.values())
        for browser in self.browsers.values():
            browser.get("/accounts/login/")  # a session notes that it is used; a second time nothing is to note
        self.digest = digest()
        self.hash_of_theirs = hash_of_rows(shops.other.rows)

    def _sign_in(self, name: str, user: Any, **how: bool) -> None:
        self.browsers[name] = Client(raise_request_exception=False)
        sign_in(self.browsers[name], user, **how)

    @contextmanager
    def permitted(self, actor: str, permission: str, *also: str) -> Iterator[None]:
        """While it lasts, "all but one" lacks this permission, and "only one" has it. Who may change may view, too."""
        table, user = get_user_model().user_permissions.through, self._people[actor]
        rows = table._base_manager
        names = {permission, permission.replace(".view_", ".change_")}
        with transaction.atomic():
            if actor == "only one":
                for name in (permission, *also):
                    rows.create(user_id=user.pk, permission_id=self._permissions[name])
            else:
                rows.filter(user_id=user.pk, permission_id__in=[self._permissions[name] for name in names]).delete()
            before = self.digest
            self.digest = before | {table._meta.db_table: hash_of_table(table)}
            yield
            self.digest = before
            transaction.set_rollback(True)

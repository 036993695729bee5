"""Every page, asked for and changed by everybody: the answer, and that a refusal leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest

from majuu_core.merchants.access import may
from majuu_core.payments.calls import TransactionOpen
from tests.matrix.cells import CELLS, Cell
from tests.matrix.page_rows import (
    ACTIONS,
    ADDED_BY_FORM,
    BY_SECRET,
    DASHBOARD,
    DOCUMENTATION,
    OF_PEOPLE,
    OPEN,
    OWN_ACCOUNT,
    PAGE_PERMISSIONS,
    PAGES,
    STANDARD,
    WAYS_IN,
    Act,
)
from tests.matrix.pages import Crowd, Route, routes
from tests.matrix.two_shops import TwoShops
from tests.matrix.watching import WriteLog, differences, digest, hash_of_rows, one_request

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # who may do what is not the database's to say
# A session that is looked at may be written.
OF_THE_SESSION = frozenset({"django_session", "majuu_accounts_usersession"})
ROUTES = routes()
LOGIN, CONFIRM = "/accounts/login/", "/accounts/confirm/"


@pytest.fixture(scope="module")
def crowd(shops: TwoShops) -> Crowd:
    return Crowd(shops)


def of_area(*areas: str) -> list[Any]:
    chosen = [route for route in ROUTES if route.area in areas]
    return [pytest.param(route, id=route.name or route.pattern) for route in chosen]


def is_listed(route: Route) -> bool:
    if route.area == "console":
        standard = route.page.endswith(tuple(f"_{kind}" for kind in STANDARD))
        # The admin's own way from <id>/ to <id>/change/ has no name.
        return standard or route.page in ACTIONS or route.page in PAGES or route.page in OPEN
    if route.area == "dashboard":
        return route.page in DASHBOARD or route.page in OF_PEOPLE
    return route.name in OWN_ACCOUNT | WAYS_IN.keys() | BY_SECRET.keys() | DOCUMENTATION


def test_every_address_has_a_row() -> None:
    missing = [f"{route.pattern} ({route.name})" for route in ROUTES if not is_listed(route)]
    assert missing == [], f"say in tests/matrix/page_rows.py who may use these: {missing}"
    names = {route.page for route in ROUTES} | {route.name for route in ROUTES}
    known = {*ACTIONS, *PAGES, *OPEN, *DASHBOARD, *OF_PEOPLE, *OWN_ACCOUNT, *WAYS_IN, *BY_SECRET, *DOCUMENTATION}
    assert sorted(known - names) == [], "these addresses are gone: take them out of tests/matrix/page_rows.py"


def ask(crowd: Crowd, actor: str, method: str, address: str) -> tuple[Any, list[str]]:
    """The answer, and the tables that differ afterwards; all of it is undone."""
    log = WriteLog()
    with one_request(log):
        answer: Any = crowd.browsers[actor].generic(method, address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.said = body.decode("utf-8", "replace")
        changed = differences(crowd.digest, digest()) if set(log.tables) - OF_THE_SESSION else []
    return answer, [name for name in changed if name not in OF_THE_SESSION]


def denied(crowd: Crowd, route: Route, actor: str, address: str, expected: tuple[int, int], way: str = "") -> None:
    """Neither reading nor changing gets anywhere, each with its answer, and nothing is written."""
    for method, status in zip(("GET", "POST"), expected, strict=True):
        answer, changed = ask(crowd, actor, method, address)
        assert answer.status_code == status, f"{actor}: {method} {address}: {answer.status_code}"
        assert changed == [], f"{actor}: {method} {address} wrote to {changed}"
        if way and answer.status_code == 302:
            assert answer["Location"].startswith(way), f"{actor}: {method} {address} leads to {answer['Location']}"
        CELLS.append(Cell(route.area, f"{method} {route.name}", actor, answer.status_code))


@pytest.mark.parametrize("route", of_area("console"))
def test_the_console_is_for_staff_past_their_second_factor(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given a page of the console / when anybody else asks / then the door stays shut, and nothing is written"""
    if route.page in OPEN:
        return
    address = route.address(shops.mine)
    denied(crowd, route, "anonymous", address, (302, 302), LOGIN)
    denied(crowd, route, "password only", address, (302, 302), CONFIRM)
    for actor in ("customer", "owner"):
        denied(crowd, route, actor, address, (403, 403))


@pytest.mark.parametrize("route", of_area("console"))
def test_staff_do_only_what_they_are_permitted(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given staff who may nothing, or only look / when they try / then they change nothing"""
    if route.page in OPEN:
        return
    address = route.address(shops.mine)
    if route.page in PAGES:
        answer, changed = ask(crowd, "bare staff", "GET", address)
        assert (answer.status_code, changed) == (PAGES[route.page], [])
        CELLS.append(Cell(route.area, f"GET {route.name}", "bare staff", answer.status_code))
    else:
        act = ACTIONS.get(route.page, Act(""))
        of_button = route.page in ACTIONS and act.get == 405
        denied(crowd, route, "bare staff", address, (405 if of_button else 403, 405 if act.seen else 403))
    answer, changed = ask(crowd, "viewing staff", "POST", address)
    assert changed == [], f"who may only look wrote to {changed}"
    if route.page in ACTIONS:
        assert answer.status_code == (405 if ACTIONS[route.page].seen else 403)
    assert answer.status_code < 500
    CELLS.append(Cell(route.area, f"POST {route.name}", "viewing staff", answer.status_code))


def permission_of(route: Route) -> str:
    """The permission that this page of the console asks for; "" when it asks for none, or nobody gets in."""
    if route.page in ACTIONS:
        return ACTIONS[route.page].permission
    if route.page in PAGES or route.page in OPEN:
        return PAGE_PERMISSIONS.get(route.page, "")
    app, _, rest = route.page.rpartition("_")[0].rpartition("_")
    if route.page.endswith(("_add", "_delete")):
        return f"{app}.add_{rest}" if route.page == ADDED_BY_FORM else ""
    return f"{app}.view_{rest}"


def served(route: Route) -> int:
    """What a GET gets for somebody who may."""
    if route.page in ACTIONS:
        return ACTIONS[route.page].get
    if route.page in PAGES:
        return 302 if route.page.startswith("password_change") else 200
    return 403 if route.page.endswith(("_add", "_delete")) and route.page != ADDED_BY_FORM else 200


@pytest.mark.parametrize("route", [item for item in of_area("console") if permission_of(item.values[0])])
def test_one_permission_opens_each_page(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given staff with all permissions but one, and with only this one / when they try / then the first change nothing,
    and the others are let in"""
    permission, address, act = permission_of(route), route.address(shops.mine), ACTIONS.get(route.page)
    method = "POST" if act is not None and act.get == 405 else "GET"
    with crowd.permitted("all but one", permission):
        answer, changed = ask(crowd, "all but one", method, address)
    assert (answer.status_code, changed) == (403, []), f"{address} asks for something else than {permission}"
    CELLS.append(Cell(route.area, f"{method} {route.name}", "all but one", answer.status_code))
    with crowd.permitted("only one", permission, *(act.also if act is not None else ())):
        answer, _ = ask(crowd, "only one", method, address)
    if act is not None and act.calls:
        assert isinstance(answer.exc_info[1], TransactionOpen), f"{permission} alone does not open {address}"
    else:
        expected = 302 if method == "POST" else served(route)  # back to the row
        assert answer.status_code == expected, f"{permission} alone does not open {address}"
    CELLS.append(Cell(route.area, f"{method} {route.name}", "only one", answer.status_code))


@pytest.mark.parametrize("route", of_area("console"))
def test_a_superuser_is_served_and_confirms_what_moves_money(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given a superuser / when they ask / then no page fails, and a stale second factor does nothing that needs one"""
    if route.page in OPEN or route.page in ("", "app_list", "view_on_site", "autocomplete"):
        return
    address = route.address(shops.mine)
    answer, _ = ask(crowd, "superuser", "GET", address)
    assert answer.status_code == served(route)
    CELLS.append(Cell(route.area, f"GET {route.name}", "superuser", answer.status_code))
    if route.page in ACTIONS and ACTIONS[route.page].fresh:
        answer, changed = ask(crowd, "stale superuser", "POST", address)
        assert (answer.status_code, changed) == (302, [])
        assert answer["Location"].startswith(CONFIRM), answer["Location"]
        CELLS.append(Cell(route.area, f"POST {route.name}", "stale superuser", answer.status_code))


@pytest.mark.parametrize("route", of_area("dashboard"))
def test_a_business_does_not_exist_for_others(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given a business / when a stranger or somebody else's owner asks / then there is none, and nothing is written"""
    address = route.address(shops.mine)
    denied(crowd, route, "anonymous", address, (302, 302), LOGIN)
    if route.page in OF_PEOPLE:
        return
    for actor in ("outsider", "customer", "superuser"):
        denied(crowd, route, actor, address, (404, 404))


@pytest.mark.parametrize("actor", ["viewer", "finance", "owner"])
@pytest.mark.parametrize("route", of_area("dashboard"))
def test_members_do_what_their_role_allows(route: Route, actor: str, shops: TwoShops, crowd: Crowd) -> None:
    """given a member / when they read and change / then exactly what their role allows, and nobody else's rows"""
    if route.page in OF_PEOPLE:
        return
    row, address = DASHBOARD[route.page], route.address(shops.mine)
    for method, action in (("GET", row.read), ("POST", row.change)):
        answer, changed = ask(crowd, actor, method, address)
        if action is None:
            assert (answer.status_code, changed) == (405, [])
        elif may(actor, action):
            assert answer.status_code == (row.shown if method == "GET" else row.done)
        else:
            assert (answer.status_code, changed) == (403, [])
        told = sorted(secret for secret in shops.other.told if secret in answer.said)
        assert told == [], f"{actor}: {method} {address} tells {told}"
        CELLS.append(Cell(route.area, f"{method} {route.name}", actor, answer.status_code))
    assert hash_of_rows(shops.other.rows) == crowd.hash_of_theirs


@pytest.mark.parametrize("route", of_area("dashboard"))
def test_what_belongs_to_another_business_is_not_found(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given an owner / when they name another's things under their own business / then 404, and nothing is written"""
    if "<str:merchant_id>/" not in route.pattern or route.pattern.count("<") < 2 or route.page in ("kyc_act", "export"):
        return
    theirs = route.address(shops.other)
    address = theirs.replace(shops.other.store.merchant.public_id, shops.mine.store.merchant.public_id)
    row = DASHBOARD[route.page]
    for method, action in (("GET", row.read), ("POST", row.change)):
        if action is None:
            continue
        answer, changed = ask(crowd, "owner", method, address)
        assert (answer.status_code, changed) == (404, []), f"{method} {address}: {answer.status_code} {changed}"
        CELLS.append(Cell(route.area, f"{method} {route.name}", "owner, other's", answer.status_code))


@pytest.mark.parametrize("route", of_area("dashboard"))
def test_an_owner_confirms_what_opens_doors(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given an owner whose second factor was shown long ago / when they change / then they are asked for it first"""
    if route.page in OF_PEOPLE or not DASHBOARD[route.page].fresh:
        return
    answer, changed = ask(crowd, "stale owner", "POST", route.address(shops.mine))
    assert (answer.status_code, changed) == (302, [])
    assert answer["Location"].startswith(CONFIRM)
    CELLS.append(Cell(route.area, f"POST {route.name}", "stale owner", answer.status_code))


@pytest.mark.parametrize("route", of_area("accounts", "two_factor"))
def test_accounts_are_their_owners(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given the pages of accounts / when nobody is signed in / then own pages lead to sign-in; nothing is written"""
    if route.name not in OWN_ACCOUNT | WAYS_IN.keys():
        return
    address = route.address(shops.mine)
    if route.name in OWN_ACCOUNT:
        denied(crowd, route, "anonymous", address, (302, 302), LOGIN)
        if route.name != "majuu_confirm":
            denied(crowd, route, "password only", address, (302, 302), CONFIRM)
        return
    denied(crowd, route, "anonymous", address, WAYS_IN[route.name])


@pytest.mark.parametrize("route", of_area("accounts", "majuu_checkout"))
def test_a_guessed_secret_opens_nothing(route: Route, shops: TwoShops, crowd: Crowd) -> None:
    """given an address with a secret / when it is guessed / then 404, whoever guesses, and nothing is written"""
    if route.name not in BY_SECRET:
        return
    for actor in ("anonymous", "outsider", "superuser"):
        denied(crowd, route, actor, route.address(shops.mine), BY_SECRET[route.name])


def test_the_apis_pages_tell_nothing_of_a_business(shops: TwoShops, crowd: Crowd) -> None:
    for route in ROUTES:
        if route.name in DOCUMENTATION:
            answer, changed = ask(crowd, "anonymous", "GET", route.address(shops.mine))
            assert (answer.status_code, changed) == (200, [])
            assert not any(secret in answer.said for secret in shops.mine.told | shops.other.told)
            CELLS.append(Cell("majuu_api", f"GET {route.name}", "anonymous", answer.status_code))

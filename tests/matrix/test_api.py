"""Every operation of the API, called by everybody: the answer, and that a refusal leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from majuu_core.api.urls import api
from tests.matrix.api_rows import FOR_EVERYBODY, FOR_THE_PAGE, OPERATIONS, WITH_A_TOKEN, Operation
from tests.matrix.cells import CELLS, Cell
from tests.matrix.two_shops import Shop, TwoShops
from tests.matrix.watching import (
    WriteLog,
    differences,
    digest,
    hash_of_rows,
    new_rows,
    one_request,
    reaching,
)

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete")
# A refused call may leave its answer for the same Idempotency-Key, and count as a use of the key.
OF_THE_CALLER = frozenset(
    {"majuu_idempotency_idempotencyrecord", "majuu_merchants_apikey", "majuu_merchants_apikeyusage"}
)


def operations() -> Iterator[tuple[str, str, str]]:
    """Method, path and operation id of everything the API offers."""
    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method.upper(), path, operation["operationId"]


ROUTES = {name: (method, path) for method, path, name in operations()}
every_route = pytest.mark.parametrize("name", [name for name in ROUTES if name in OPERATIONS])


def test_every_operation_has_a_row() -> None:
    known = OPERATIONS.keys() | WITH_A_TOKEN | FOR_EVERYBODY | FOR_THE_PAGE
    missing, gone = sorted(ROUTES.keys() - known), sorted(known - ROUTES.keys())
    assert missing == [], f"add each to OPERATIONS, or to another table, in tests/matrix/api_rows.py: {missing}"
    assert gone == [], f"the API has no such operations any more, take them out of api_rows.py: {gone}"


def call(name: str, shop: Shop, key: str = "", client: Client | None = None) -> Any:
    """The operation, naming the shop's things."""
    method, path = ROUTES[name]
    row = OPERATIONS.get(name, Operation(""))
    body = (b"" if method == "GET" else b"{}") if row.body is None else json.dumps(row.body(shop.named)).encode()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    sender = client or Client(raise_request_exception=False)
    sender.raise_request_exception = False
    address = path.format(**shop.named) + row.query(shop.named)
    return sender.generic(method, address, body, content_type="application/json", headers=headers)


def text_of(answer: Any) -> str:
    """The answer's body, also of one that comes in pieces."""
    if answer.streaming:
        return b"".join(answer.streaming_content).decode()
    return answer.content.decode()


def leaks(answer: Any, secrets: Any) -> list[str]:
    """Those of the texts that the answer tells."""
    text = text_of(answer)
    return sorted(secret for secret in secrets if secret in text)


def check(name: str, actor: str, answer: Any, expected: int) -> None:
    said = "a file" if answer.streaming else answer.content[:300].decode()
    assert answer.status_code == expected, f"{name} by {actor}: {answer.status_code} not {expected}: {said}"
    CELLS.append(Cell("API", name, actor, answer.status_code))


@every_route
@pytest.mark.parametrize("actor", ["anonymous", "signed in", "own token", "publishable", "other scope"])
def test_nobody_without_the_right_key_gets_in(name: str, actor: str, shops: TwoShops) -> None:
    """given a business / when somebody without the right key calls / then nothing is told, and nothing written"""
    row, log, keys = OPERATIONS[name], WriteLog(), shops.mine.keys
    other_scope = "wallets:read" if row.scope != "wallets:read" else "events:read"
    chosen = {"publishable": keys["publishable"], "other scope": keys[other_scope], "own token": shops.token}
    key = chosen.get(actor, "")
    with one_request(log):
        answer = call(name, shops.mine, key, shops.client if actor == "signed in" else Client())
        changed = differences(shops.digest, digest()) if log.tables else []
    free = actor == "other scope" and not row.scope
    unknown = actor in ("anonymous", "signed in", "own token")
    check(name, actor, answer, row.owner if free else 401 if unknown else 403)
    assert changed == [] or not unknown
    assert set(changed) <= OF_THE_CALLER
    assert leaks(answer, shops.mine.told - set(shops.mine.named.values())) == [] or free


@every_route
@pytest.mark.parametrize("actor", ["outsider", "outsider's client", "sister store", "live mode"])
def test_other_stores_and_modes_read_and_write_only_their_own(name: str, actor: str, shops: TwoShops) -> None:
    """given two businesses / when one names the other's things / then it gets and changes nothing of theirs"""
    mine, row, log = shops.mine, OPERATIONS[name], WriteLog()
    strangers = {"outsider": shops.other.keys["owner"], "outsider's client": shops.other.keys["client"]}
    key = strangers.get(actor) or mine.keys[actor]
    allowed = row.for_merchant and actor == "sister store"
    with one_request(log):
        answer = call(name, mine, key)
        changed = differences(shops.digest, digest()) if log.tables else []
        if log.tables and actor in strangers:
            assert reaching(new_rows(shops.keys), mine.rows) == []
        if log.tables and not allowed:
            assert hash_of_rows(mine.rows) == shops.hash_of_mine, f"{name} by {actor} changed rows: {log.tables}"
    if allowed:
        check(name, actor, answer, row.owner)
        return
    if row.stranger == 404 or ("{" in ROUTES[name][1] and row.stranger is None):
        check(name, actor, answer, 404)
        assert set(changed) <= OF_THE_CALLER
    elif actor in strangers:
        check(name, actor, answer, row.owner if row.stranger is None else row.stranger)
    else:
        check(name, actor, answer, row.owner if row.elsewhere is None else row.elsewhere)
    own = {mine.store.public_id, mine.sister.public_id} if actor not in strangers else set()
    assert leaks(answer, mine.told - set(mine.named.values()) - own) == [], f"{name} tells {actor} too much"


@every_route
@pytest.mark.parametrize("actor", ["owner", "client"])
def test_the_owner_is_served(name: str, actor: str, shops: TwoShops) -> None:
    """given a business / when its own key or client calls / then it is served, and reads nothing of the other's"""
    with one_request(WriteLog()):
        answer = call(name, shops.mine, shops.mine.keys[actor])
        theirs = hash_of_rows(shops.other.rows)
    check(name, actor, answer, OPERATIONS[name].owner)
    assert theirs == shops.hash_of_theirs
    assert leaks(answer, shops.other.told) == []


@pytest.mark.parametrize("actor", ["anonymous", "signed in", "outsider", "owner", "client", "publishable"])
@pytest.mark.parametrize("name", sorted(WITH_A_TOKEN | FOR_EVERYBODY))
def test_what_people_do_needs_their_own_token_or_password(name: str, actor: str, shops: TwoShops) -> None:
    """given a business / when a key, a cookie or nobody calls / then nobody is let in, and nothing written"""
    keys = {"outsider": shops.other.keys["owner"]} | shops.mine.keys
    key, log = keys.get(actor, ""), WriteLog()
    with one_request(log):
        answer = call(name, shops.mine, key, shops.client if actor == "signed in" else Client())
        changed = differences(shops.digest, digest()) if log.tables else []
    check(name, actor, answer, 401 if name in WITH_A_TOKEN else 422)
    assert changed == []
    assert leaks(answer, shops.mine.told) == []


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ("anonymous", 401),
        ("signed in", 401),
        ("own token", 401),
        ("outsider", 404),
        ("outsider's page", 404),
        ("publishable", 200),
    ],
)
@pytest.mark.parametrize("name", sorted(FOR_THE_PAGE))
def test_a_link_is_shown_to_its_own_shops_page(name: str, actor: str, expected: int, shops: TwoShops) -> None:
    """given a payment link / when others' keys ask for it / then there is no such link"""
    theirs = shops.other.keys
    keys = {"outsider": theirs["owner"], "outsider's page": theirs["publishable"], "own token": shops.token}
    key, log = keys.get(actor, shops.mine.keys["publishable"] if actor == "publishable" else ""), WriteLog()
    with one_request(log):
        answer = call(name, shops.mine, key, shops.client if actor == "signed in" else Client())
        changed = differences(shops.digest, digest()) if log.tables else []
    check(name, actor, answer, expected)
    assert set(changed) <= OF_THE_CALLER
    assert leaks(answer, shops.other.told) == []


def test_a_write_is_noticed(shops: TwoShops) -> None:
    """given the watch / when one row of mine changes / then each way of looking sees it"""
    log = WriteLog()
    with one_request(log):
        type(shops.mine.store).objects.filter(pk=shops.mine.store.pk).update(name="Taken over")
        assert differences(shops.digest, digest()) == ["majuu_merchants_store"]
        assert hash_of_rows(shops.mine.rows) != shops.hash_of_mine
        assert hash_of_rows(shops.other.rows) == shops.hash_of_theirs
    assert log.tables == ["majuu_merchants_store"]
    assert digest() == shops.digest

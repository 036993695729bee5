"""What holds for every page: headers, languages, wrong links, weight."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from majuu_core.payments.models import Charge
from tests.core.checkout.html import read

pytestmark = pytest.mark.django_db
POLICY = re.compile(
    r"default-src 'none'; script-src '(nonce-[\w-]{22})'; style-src 'self' '\1'; img-src 'self' data:; "
    r"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def static(name: str) -> Path:
    found = finders.find(f"majuu_checkout/{name}")
    assert isinstance(found, str)
    return Path(found)


def test_headers_of_every_answer(browser, make_intent, mock_account) -> None:
    intent = make_intent()
    page = f"/pay/{intent.link_token}"
    answers = [
        browser.get(page),
        browser.post(page, {"method": "card"}),
        browser.post(page, {"method": "mock"}),
        browser.get(f"{page}/state"),
        browser.get(f"{page}/continue"),
        browser.get("/pay/wrong"),
        browser.put(page),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 303, 200, 303, 404, 405]
    for answer in answers:
        assert POLICY.fullmatch(answer["Content-Security-Policy"])
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_static_files_may_come_from_their_own_host(browser, make_intent, settings) -> None:
    settings.STATIC_URL = "https://static.example.com/s/"
    policy = browser.get(f"/pay/{make_intent().link_token}")["Content-Security-Policy"]
    assert re.search("script-src 'nonce-[^ ]*';", policy)
    assert re.search("style-src 'self' 'nonce-[^ ]*' https://static.example.com;", policy)
    assert "connect-src 'self';" in policy


def test_nothing_is_inline(browser, make_intent, mock_account) -> None:
    answer = browser.get(f"/pay/{make_intent().link_token}")
    page = read(answer)
    assert [set(tag) for tag in page.all("script")] == [{"src", "nonce", "defer"}]
    assert f"script-src 'nonce-{page.all('script')[0]['nonce']}'" in answer["Content-Security-Policy"]
    assert page.all("style") == []
    assert [
        tag for tag, attributes in page.tags if "style" in attributes or any(n.startswith("on") for n in attributes)
    ] == []


@pytest.mark.parametrize("token", ["wrong", "0" * 32, "x" * 300, "pi_01k0000000000000000000000"])
@pytest.mark.parametrize("suffix", ["", "/continue"])
def test_a_wrong_link_is_a_kind_404_that_gives_nothing_away(token, suffix, browser, make_intent) -> None:
    intent = make_intent()
    answer = browser.get(f"/pay/{token}{suffix}")
    assert answer.status_code == 404
    assert "There is no payment here" in read(answer).text
    assert intent.store.name not in answer.content.decode()


def test_a_wrong_link_has_no_state_and_takes_no_money(browser, make_intent, mock_account) -> None:
    make_intent()
    answer = browser.get("/pay/wrong/state")
    assert (answer.status_code, answer.json()) == (404, {})
    assert browser.post("/pay/wrong", {"method": "mock"}).status_code == 404
    assert Charge.objects.count() == 0


def test_internal_ids_are_not_shown(browser, make_intent, mock_account) -> None:
    intent = make_intent(metadata={"secret": "not for customers"}, customer_phone="0711000111", reference="R-1")
    browser.post(f"/pay/{intent.link_token}", {"method": "mock"})
    charge = Charge.objects.get()
    source = browser.get(f"/pay/{intent.link_token}").content.decode()
    for hidden in (
        intent.public_id,
        str(intent.pk),
        charge.public_id,
        str(charge.pk),
        intent.store.public_id,
        charge.provider_account.public_id,
        charge.provider_reference or "?",
        "not for customers",
        "0711000111",
    ):
        assert hidden not in source
    assert charge.receipt in source
    assert "R-1" in source


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "en"),
        ("sw", "sw"),
        ("sw-KE,sw;q=0.9,en;q=0.8", "sw"),
        ("fr,sw;q=0.5", "sw"),
        ("de", "en"),
        ("\x00;;;", "en"),
    ],
)
def test_the_browsers_language_is_spoken(accept, expected, browser, make_intent, mock_account) -> None:
    answer = browser.get(f"/pay/{make_intent().link_token}", headers={"accept-language": accept})
    assert answer["Content-Language"] == expected
    assert read(answer).all("html")[0]["lang"] == expected
    assert "Cookie" in answer["Vary"]


def test_a_chosen_language_is_kept_in_a_cookie(browser, make_intent, mock_account) -> None:
    page = f"/pay/{make_intent().link_token}"
    answer = browser.get(f"{page}?lang=sw")
    assert read(answer).all("form")[0]["action"] == f"{page}?lang=sw"
    cookie = answer.cookies["majuu_pay_language"]
    assert (cookie.value, cookie["path"], cookie["samesite"], cookie["httponly"]) == ("sw", "/", "Lax", True)
    assert browser.get(page)["Content-Language"] == "sw"
    assert browser.get(f"{page}?lang=en")["Content-Language"] == "en"


def test_over_https_no_other_host_can_set_that_cookie(browser, make_intent, mock_account) -> None:
    page = f"/pay/{make_intent().link_token}"
    cookie = browser.get(f"{page}?lang=sw", secure=True).cookies["__Host-majuu_pay_language"]
    assert (cookie.value, cookie["path"], cookie["domain"], cookie["secure"]) == ("sw", "/", "", True)
    assert browser.get(page, secure=True)["Content-Language"] == "sw"
    browser.cookies.clear()
    browser.cookies["majuu_pay_language"] = "sw"  # as a neighbour would set it
    assert browser.get(page, secure=True)["Content-Language"] == "en"


def test_without_cookies_the_language_stays_in_the_address(make_intent, mock_account) -> None:
    page = f"/pay/{make_intent().link_token}"
    answer = Client().post(f"{page}?lang=sw", {"method": "mock"})
    assert answer["Location"] == f"{page}?lang=sw"


def test_an_unknown_language_is_ignored(browser, make_intent) -> None:
    answer = browser.get(f"/pay/{make_intent().link_token}?lang=xx'<script>")
    assert answer["Content-Language"] == "en"
    assert "majuu_pay_language" not in answer.cookies


def test_other_peoples_pages_cannot_send_prompts_through_a_browser(browser, make_intent, mock_account) -> None:
    page = f"/pay/{make_intent().link_token}"
    answer = browser.post(page, {"method": "mock"}, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert Charge.objects.count() == 0
    own = browser.post(page, {"method": "mock"}, headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 303
    assert Charge.objects.count() == 1


def test_the_whole_page_weighs_less_than_30_kilobytes(browser, make_intent, mock_account, phone_account) -> None:
    html = browser.get(f"/pay/{make_intent().link_token}").content
    names = ("checkout.css", "checkout.js", "icon.svg")
    files = [static(name).read_bytes() for name in names]
    assert sum(map(len, [html, *files])) < 30_000
    assert sum(len(gzip.compress(part)) for part in [html, *files]) < 10_000


def test_files_name_no_other_host() -> None:
    for name in ("checkout.css", "checkout.js"):
        text = static(name).read_text()
        assert re.findall(r"https?://", text) == []


def test_the_page_asks_the_database_little(browser, make_intent, mock_account, django_assert_num_queries) -> None:
    intent = make_intent()
    with django_assert_num_queries(3):  # the intent with its store, the charges, the accounts
        browser.get(f"/pay/{intent.link_token}")
    with django_assert_num_queries(2):
        browser.get(f"/pay/{intent.link_token}/state")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_text_can_be_read_by_everyone(look: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", static("checkout.css").read_text(), re.DOTALL)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[look == "dark"]))
    pairs = [
        *[(text, ground) for text in ("text", "soft", "accent") for ground in ("card", "page", "tint")],
        *[("text", "bad-tint"), ("bad", "bad-tint"), ("bad", "card"), ("on-test", "test")],
        *[("on-accent", "accent"), ("on-accent", "accent-hover")],
    ]
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    assert contrast(colours["edge"], colours["card"]) >= 3  # the edge of an input

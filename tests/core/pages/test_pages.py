"""What all pages for signed-in people share."""

from __future__ import annotations

import re
from pathlib import Path

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory

import majuu_core.pages
from majuu_core.pages.headers import content_security_policy, private_page

ROOM = Path(majuu_core.pages.__file__).parent


class Order(forms.Form):
    name = forms.CharField(label="Your <name>", help_text="As on the parcel.")
    note = forms.CharField(required=False)
    gift = forms.BooleanField(required=False, label="A gift")
    way = forms.ChoiceField(choices=[("a", "Air"), ("s", "Sea")], widget=forms.RadioSelect)


def test_a_page_has_one_main_a_title_and_nothing_inline() -> None:
    page = render_to_string("majuu_pages/base.html")
    assert page.count("<main") == 1
    assert "<title>Majuu</title>" in page
    assert 'href="#content"' in page
    assert 'id="content"' in page
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", page)


def test_a_wrong_field_says_so_to_a_screen_reader() -> None:
    page = render_to_string("majuu_pages/form.html", {"form": Order({"name": "", "way": "a"})})
    assert '<label for="id_name">Your &lt;name&gt;</label>' in page
    assert 'aria-invalid="true"' in page
    described = re.search(r'name="name"[^>]*aria-describedby="([^"]+)"', page)
    assert described is not None
    assert described[1].split() == ["id_name_helptext", "id_name_error"]
    assert 'id="id_name_helptext">As on the parcel.' in page
    assert 'id="id_name_error"><p>This field is required.</p>' in page


def test_only_what_may_stay_empty_is_called_optional_and_choices_are_a_group() -> None:
    page = render_to_string("majuu_pages/form.html", {"form": Order()})
    assert page.count("(optional)") == 1
    assert page.count("<fieldset") == page.count("</fieldset>") == 1
    assert page.count("<legend>Way</legend>") == 1
    assert page.count('<label for="id_gift">A gift</label>') == 1


def test_a_private_page_is_kept_by_nobody_and_framed_by_nobody() -> None:
    @private_page
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("x")
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    headers = view(RequestFactory().get("/")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == content_security_policy()
    assert "script-src 'self';" in content_security_policy()
    assert "unsafe" not in content_security_policy()


def test_static_files_from_elsewhere_are_allowed_by_name(settings: object) -> None:
    settings.STATIC_URL = "https://static.example.com/s/"  # type: ignore[attr-defined]
    assert "style-src 'self' https://static.example.com;" in content_security_policy()


def test_style_and_script_ask_for_nothing_from_elsewhere() -> None:
    for name in ("pages.css", "pages.js"):
        text = (ROOM / "static" / "majuu_pages" / name).read_text(encoding="utf-8")
        assert "http" not in text
        assert "@import" not in text

"""Which language the page speaks: the one asked for, else the one chosen before, else the browser's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from majuu_core.checkout.texts import LANGUAGES, Language
from majuu_core.network.cookies import cookie_name

PARAMETER = "lang"
COOKIE = "majuu_pay_language"
_COOKIE_AGE = 365 * 24 * 3600


def requested_language(request: HttpRequest) -> Language | None:
    """The language in the address, if it is one of ours."""
    return _known(request.GET.get(PARAMETER, ""))


def choose_language(request: HttpRequest) -> Language:
    """The language of this answer. English when nothing fits."""
    for found in (requested_language(request), _known(request.COOKIES.get(cookie_name(request, COOKIE), ""))):
        if found:
            return found
    for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()[:200]):
        if found := _known(code.partition("-")[0]):
            return found
    return "en"


def remember_language(request: HttpRequest, response: HttpResponse) -> None:
    """Keep a language that was asked for. The page works without the cookie: links carry the choice too."""
    if language := requested_language(request):
        response.set_cookie(
            cookie_name(request, COOKIE),
            language,
            max_age=_COOKIE_AGE,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )


def _known(code: str) -> Language | None:
    return next((language for language in LANGUAGES if language == code), None)

"""What pages answer: forms with what services refused, secrets that are shown once, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from majuu_core.common.problems import Problem
from majuu_core.dashboard.place import Place
from majuu_core.merchants.errors import InvalidInput


def add_problem(form: forms.Form, problem: Problem) -> None:
    """Show a refusal beside the field it is about, or above the form."""
    found = (
        [(item.field, item.message) for item in problem.violations]
        if isinstance(problem, InvalidInput)
        else [(problem.field, problem.message)]
    )
    for field, message in found:
        form.add_error(field if field in form.fields else None, message)


def form_page(
    request: HttpRequest, place: Place, form: forms.Form, *, title: str, button: str, back: str, **more: Any
) -> HttpResponse:
    """A page with one form. 422 when it was sent and something in it is wrong."""
    context = {"place": place, "form": form, "title": title, "button": button, "back": back, **more}
    return render(request, "majuu_dashboard/form.html", context, status=422 if form.errors else 200)


def secret_page(
    request: HttpRequest, place: Place, *, title: str, secret: str, text: str, back: str, **more: Any
) -> HttpResponse:
    """The one time a secret is shown. The answer to the form itself: no address shows it again, nothing keeps it."""
    context: Mapping[str, Any] = {"place": place, "title": title, "secret": secret, "text": text, "back": back, **more}
    response = render(request, "majuu_dashboard/secret.html", context)
    response.headers["Cache-Control"] = "no-store, private"
    return response


def done(request: HttpRequest, text: str, where: str) -> HttpResponseRedirect:
    """Say what was done, on the page it leads to."""
    messages.success(request, text)
    return HttpResponseRedirect(where)


def refused(request: HttpRequest, problem: Problem, where: str) -> HttpResponseRedirect:
    """Say why nothing was done."""
    messages.error(request, problem.message)
    return HttpResponseRedirect(where)

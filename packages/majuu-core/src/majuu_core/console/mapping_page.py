"""The page that says how a bank writes its CSV files: tried on a file of the bank's, then saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction, Table
from majuu_core.console.cells import address_of, code_cell, link, money_cell
from majuu_core.manual.bank_mapping import DATE_FORMATS, BankMapping
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.bank_mappings import (
    MappingPreview,
    has_mapping,
    preview_mapping,
    read_mapping,
    save_mapping,
    saved_mapping,
)
from majuu_core.reports.uploads import LARGEST_FILE

PERMISSION = "majuu_merchants.change_provideraccount"
_DELIMITERS = (("auto", "Find it"), (",", "Comma"), (";", "Semicolon"), ("tab", "Tab"), ("|", "Bar"))


class MappingForm(forms.Form):
    """A mapping as people enter it. Columns by their heading, or by number."""

    delimiter = forms.ChoiceField(choices=_DELIMITERS, label="Columns are parted by")
    skip_rows = forms.IntegerField(min_value=0, max_value=100, label="Rows above the headings")
    has_headings = forms.BooleanField(required=False, label="There are headings")
    date = forms.CharField(max_length=80, label="Column of the date")
    date_format = forms.ChoiceField(choices=[(name, name) for name in DATE_FORMATS], label="Dates look like")
    decimal_sign = forms.ChoiceField(choices=((".", "1,500.00"), (",", "1.500,00")), label="Amounts look like")
    amount = forms.CharField(
        max_length=80, required=False, label="Column of the amount", help_text="One column; money out is below zero."
    )
    credit = forms.CharField(max_length=80, required=False, label="Or: column of money in")
    debit = forms.CharField(max_length=80, required=False, label="and column of money out")
    currency = forms.CharField(max_length=3, required=False, label="Currency of all lines")
    currency_column = forms.CharField(max_length=80, required=False, label="Or: column of the currency")
    description = forms.CharField(
        max_length=400, required=False, label="Columns of texts", help_text="Several are parted by a semicolon."
    )
    payer = forms.CharField(max_length=80, required=False, label="Column of the other party's name")
    bank_reference = forms.CharField(
        max_length=80,
        required=False,
        label="Column of the bank's own number",
        help_text="Its number of the posting, never the payer's text. Do not change this later: lines that are known "
        "would be taken for new ones.",
    )
    balance = forms.CharField(max_length=80, required=False, label="Column of the balance")
    file = forms.FileField(required=False, label="A statement to try it on", help_text="It is not kept.")


def mapping_action(request: HttpRequest, account: ProviderAccount) -> list[PageAction]:
    """The button on an account's page, for who may change accounts."""
    if not has_mapping(account) or not request.user.has_perm(PERMISSION):
        return []
    address = reverse("console:majuu_merchants_provideraccount_mapping", args=[account.public_id])
    text = "Says which column of the bank's CSV files is what, and shows the first rows as they are understood."
    return [PageAction(label="Statement columns …", address=address, explanation=text, icon="table_chart")]


def mapping_page(request: HttpRequest, account: ProviderAccount | None, each_context: dict[str, Any]) -> HttpResponse:
    """The form; POST with ``try`` shows the first rows, with ``save`` keeps the mapping."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if account is None or not has_mapping(account):
        raise Http404
    here = reverse("console:majuu_merchants_provideraccount_mapping", args=[account.public_id])
    if request.method == "POST" and "date" not in request.POST:
        return HttpResponseRedirect(here)  # the button on the account's page
    form = MappingForm(
        request.POST if request.method == "POST" else None, request.FILES or None, initial=_entered(account)
    )
    preview: MappingPreview | None = None
    if request.method == "POST" and form.is_valid():
        try:
            mapping = read_mapping({name: value for name, value in form.cleaned_data.items() if name != "file"})
            preview = _try(account, mapping, form)
            if "save" in request.POST:
                with acting_user(request):
                    save_mapping(account=account, mapping=mapping)
                messages.success(request, "Saved. Statements of this account are read like this from now on.")
                return HttpResponseRedirect(address_of(account))
        except Problem as problem:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
    context = {
        **each_context,
        "title": "Statement columns",
        "form": form,
        "majuu_account": link(account, account.name),
        "majuu_tables": _tables(preview) if preview else [],
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "majuu_console/mapping.html", context, status=status)


def _try(account: ProviderAccount, mapping: BankMapping, form: MappingForm) -> MappingPreview | None:
    file = form.cleaned_data["file"]
    if file is None:
        return None
    if file.size > LARGEST_FILE:
        form.add_error("file", "A statement has at most 100 MB.")
        return None
    return preview_mapping(account, mapping, file.file)


def _entered(account: ProviderAccount) -> dict[str, Any]:
    known = saved_mapping(account)
    if known is None:
        return {"has_headings": True, "skip_rows": 0, "delimiter": "auto", "decimal_sign": "."}
    return {**known.model_dump(), "description": "; ".join(known.description)}


def _tables(preview: MappingPreview) -> list[Table]:
    rows = [
        (
            line.line_number,
            line.occurred_at.date(),
            "in" if line.direction == "in" else "out",
            money_cell(line.amount),
            line.counterparty,
            line.description,
            code_cell(line.receipt),
        )
        for line in preview.lines
    ]
    headers = ("Row", "Day", "Direction", "Amount", "Other party", "Text", "Known as")
    tables = [Table(title="The first rows as they are understood", headers=headers, rows=rows)] if rows else []
    wrong = [(item.line_number, item.column, item.message, item.value) for item in preview.problems]
    if wrong:
        titles = ("Row", "Column", "What is wrong", "Found")
        tables.append(Table(title="Rows that cannot be read", headers=titles, rows=wrong))
    return tables

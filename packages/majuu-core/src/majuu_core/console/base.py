"""Base classes of the console's pages, for core and for plugins.

A page is read-only, fast at any number of rows (no counting, search by indexed columns only, the same number of
queries however many rows are shown), and found by public id.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter, display
from django.contrib.admin.utils import flatten, flatten_fieldsets, label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from majuu_core.accounts.step_up import fresh_second_factor_required
from majuu_core.accounts.trail import acting_user
from majuu_core.common import ids
from majuu_core.common.problems import Problem
from majuu_core.console.cells import address_of, moment_cell, short_id, shown

_MOST_FOUND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Related rows below a detail page. Cells are text or safe HTML."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One labelled value of a detail page."""

    label: str
    value: SafeString | str

    @property
    def is_wide(self) -> bool:
        """True for what needs the whole width."""
        return self.value.startswith("<pre")

    @property
    def is_empty(self) -> bool:
        """True for what has no value; a phone leaves it out."""
        return self.value == "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """Values that belong together."""

    title: str
    facts: tuple[Fact, ...]

    @property
    def is_empty(self) -> bool:
        """True when there is no value at all."""
        return all(fact.is_empty for fact in self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAction:
    """A button on a detail page. It is a form of its own, sent by POST to ``address``.

    ``question`` asks for a text, sent as ``reason``, before the button may be pressed. A quiet button is not what
    the page is for: it says no, or steps back.
    """

    label: str
    address: str
    explanation: str
    icon: str = "bolt"
    question: str = ""
    is_quiet: bool = False


class ModeFilter(SimpleListFilter):
    """Test or live."""

    title = "mode"
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("test", "Test")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(livemode=self.value() == "live") if self.value() in ("live", "test") else queryset


def moment(name: str, label: str) -> Callable[[Any], SafeString]:
    """A column of ``list_display`` for a time: to the second, in the project's time zone."""

    @display(description=label)
    def column(row: Any) -> SafeString:
        return moment_cell(getattr(row, name))

    column.__name__ = name
    return column


@display(description="ID")
def short_number(row: Any) -> SafeString:
    """A column of ``list_display`` for a public id without its middle."""
    return short_id(row.public_id)


class ConsoleChangeList(ChangeList):  # type: ignore[misc]
    """A list whose rows its admin may complete in one go, and whose links carry public ids."""

    result_list: list[Any]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.prepare_rows(self.result_list)
        self.model_admin.prepare_list(request, self.result_list)

    def url_for_result(self, result: models.Model) -> str:
        return address_of(result)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A list and a detail page that change nothing.

    ``id_paths`` says which public ids can be searched for, as {prefix: lookup}. ``find_by_text`` adds look-ups of
    other text. ``list_columns_deferred`` are large columns that the list does not show.
    """

    actions = None
    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = InfinitePaginator
    ordering: ClassVar[Sequence[str]] = ("-pk",)
    sortable_by: ClassVar[Sequence[str]] = ()  # the order is that of an index, always
    search_fields = ("pk",)  # shows the box; get_search_results does the searching
    readonly_fields = ()
    change_form_template = "majuu_console/detail.html"
    id_paths: ClassVar[Mapping[str, str]] = {}
    list_columns_deferred: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(flatten_fieldsets(self.get_fieldsets(request, obj)))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ConsoleChangeList]:
        return ConsoleChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        is_list = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_changelist")
        return rows.defer(*self.list_columns_deferred) if is_list and self.list_columns_deferred else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact matches only, each by its own index; an unknown text finds nothing."""
        term = search_term.strip()[:200].replace("\x00", "")
        if not term:
            return queryset, False
        for prefix, lookup in self.id_paths.items():
            if (found := _decoded(prefix, term)) is not None:
                return queryset.filter(**{lookup: found}), False
        keys = {key for rows in self.find_by_text(term) for key in rows[:_MOST_FOUND]}
        return queryset.filter(pk__in=keys), False

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        """Queries for the primary keys that match a text, each along an index."""
        return ()

    def prepare_rows(self, rows: list[Any]) -> None:
        """Complete the rows of a list page with what needs a query for all of them."""

    def prepare_list(self, request: HttpRequest, rows: list[Any]) -> None:
        """The same, where it depends on who looks."""

    def related_tables(self, request: HttpRequest, row: Any) -> list[Table]:
        """Tables below the detail page."""
        return []

    def heading(self, row: Any) -> str:
        """What the detail page calls the row."""
        return str(row)

    def page_actions(self, request: HttpRequest, row: Any) -> list[PageAction]:
        """Buttons on the detail page, those the user may press."""
        return []

    def extra_page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """More for the templates of the detail page."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        object_id = self.plain_id(object_id)
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        context = dict(extra_context or {})
        if row is not None:
            context |= {
                "title": self.opts.verbose_name,
                "subtitle": None,
                "majuu_heading": self.heading(row),
                "majuu_groups": self.fact_groups(request, row),
                "majuu_tables": self.related_tables(request, row),
                "majuu_actions": self.page_actions(request, row),
                **self.extra_page_context(request, row),
            }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    def fact_groups(self, request: HttpRequest, row: Any) -> list[FactGroup]:
        """What the detail page shows, from ``fieldsets``: each with its label, ready to be read."""
        return [
            FactGroup(
                title=str(title or ""),
                facts=tuple(self._fact(name, row) for name in flatten(options["fields"])),
            )
            for title, options in self.get_fieldsets(request, row)
        ]

    def _fact(self, name: Any, row: Any) -> Fact:
        field, _, value = lookup_field(name, row, self)
        label = str(label_for_field(name, self.model, self))
        if field is not None and getattr(field, "flatchoices", None):
            value = dict(field.flatchoices).get(value, value)
        return Fact(label=label[:1].upper() + label[1:], value=shown(value))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer: HttpResponse = super().history_view(request, self.plain_id(object_id), extra_context)
        return answer

    def plain_id(self, object_id: str) -> str:
        """The primary key as text, from a public id or from itself."""
        decode = getattr(self.model, "uuid_of", None)
        try:
            return str(decode(object_id)) if decode else object_id
        except ValueError:
            return object_id

    def permitted_row(self, request: HttpRequest, object_id: str, permission: str) -> Any:
        """The row, for somebody who has the permission. Raises PermissionDenied, Http404."""
        if not request.user.has_perm(permission):
            raise PermissionDenied
        row = self.get_object(request, self.plain_id(object_id))
        if row is None:
            raise Http404
        return row

    def act_on(
        self,
        request: HttpRequest,
        object_id: str,
        permission: str,
        action: Callable[[Any], Any],
        done: str | Callable[[Any], str],
    ) -> HttpResponse:
        """Do something to a row for somebody who may, and show it again with what came of it.

        ``done`` may depend on what the row is afterwards.
        """
        row = self.permitted_row(request, object_id, permission)
        try:
            with acting_user(request):
                action(row)
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            if callable(done):
                row.refresh_from_db()
                done = done(row)
            messages.success(request, done)
        return HttpResponseRedirect(address_of(row))

    def action_path(self, name: str, view: Callable[..., HttpResponseBase], *, fresh: bool = False) -> URLPattern:
        """The address of a page action: ``<id>/<name>/``, staff only.

        ``fresh``: only for those who have just shown their second factor. For what moves money or opens doors.
        """
        options = self.model._meta
        found: URLPattern = path(
            f"<path:object_id>/{name}/",
            self.admin_site.admin_view(fresh_second_factor_required(view) if fresh else view),
            name=f"{options.app_label}_{options.model_name}_{name}",
        )
        return found


def _decoded(prefix: str, term: str) -> uuid.UUID | None:
    try:
        return ids.decode_id(prefix, term.lower())
    except ValueError:
        return None

"""Two different people: whoever asks for something that moves money is not the one who allows it."""

from __future__ import annotations

from django.db.models import QuerySet

from majuu_core.audit.services import current_actor
from majuu_core.common.ids import decode_id
from majuu_core.common.problems import Conflict, Denied
from majuu_core.merchants.models import ApiKey


def acting_person() -> str:
    """Who acts now, as rows remember it: ``user:12``, ``key:key_…``, ``client:client_…``, ``system``."""
    actor = current_actor()
    return f"{actor.type}:{actor.id}" if actor.id else actor.type


def require_second_person(first: str) -> str:
    """The acting person, who must be a signed-in user and not ``first``, nor who made the key or client it names.

    Raises Denied when no person acts (a key or client is nobody), Conflict when it is the same one.
    """
    actor = current_actor()
    if actor.type != "user" or not actor.id:
        raise Denied("person_required", "A signed-in person has to do this, in the console.")
    if actor.id in _people_behind(first):
        raise Conflict("second_person_required", "Somebody else has to do this: you asked for it yourself.")
    return acting_person()


def _people_behind(label: str) -> set[str]:
    kind, _, identifier = label.partition(":")
    if kind == "user":
        return {identifier}
    try:
        made_by = _keys_of(kind, identifier).exclude(created_by=None).values_list("created_by_id", flat=True)
    except ValueError:
        return set()
    return {str(user_id) for user_id in made_by}


def _keys_of(kind: str, identifier: str) -> QuerySet[ApiKey]:
    """The key; of a client all its secrets: whoever made one of them has seen it. Raises ValueError."""
    if kind == "client":
        return ApiKey.objects.filter(ApiKey.in_line(decode_id(ApiKey.client_id_prefix, identifier)))
    if kind == "key":
        return ApiKey.objects.filter(pk=ApiKey.uuid_of(identifier))
    return ApiKey.objects.none()

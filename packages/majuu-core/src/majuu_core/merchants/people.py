"""Two different people: whoever asks for something that moves money is not the one who allows it."""

from __future__ import annotations

from majuu_core.audit.services import current_actor
from majuu_core.common.problems import Conflict, Denied
from majuu_core.merchants.models import ApiKey


def acting_person() -> str:
    """Who acts now, as rows remember it: ``user:12``, ``key:key_…``, ``system``."""
    actor = current_actor()
    return f"{actor.type}:{actor.id}" if actor.id else actor.type


def require_second_person(first: str) -> str:
    """The acting person, who must be a signed-in user and not ``first``, nor who made the key that ``first`` names.

    Raises Denied when no person acts (a key is nobody), Conflict when it is the same one.
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
    if kind != "key":
        return set()
    try:
        made_by = ApiKey.objects.filter(pk=ApiKey.uuid_of(identifier)).values_list("created_by_id", flat=True).first()
    except ValueError:
        return set()
    return {str(made_by)} if made_by is not None else set()

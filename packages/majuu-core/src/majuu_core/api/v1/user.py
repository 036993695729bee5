"""What people look after themselves: their profile, where they are signed in, the businesses they belong to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_countries import countries
from django_otp import user_has_device
from ninja import Router, Schema
from ninja.params.functions import Query
from pydantic import Field, StrictStr

from majuu_core.accounts.models import Profile, UserSession
from majuu_core.accounts.phone_codes import send_code, verify_code
from majuu_core.accounts.profiles import profile_of, update_profile
from majuu_core.accounts.trail import note
from majuu_core.accounts.user_sessions import end, live_sessions
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Input, Page, ProblemOut
from majuu_core.api.user_auth import UserBearer, person
from majuu_core.common.problems import Invalid, NotFound
from majuu_core.merchants.models import Membership
from majuu_core.payments.representation import represent_time

router = Router(tags=["User"], auth=UserBearer())
_PROBLEMS = {401: ProblemOut, 422: ProblemOut, 429: ProblemOut}


class ProfileIn(Input):
    phone: Annotated[StrictStr, Field(max_length=32, description="Empty to remove it.")] | None = None
    country: Annotated[StrictStr, Field(max_length=2, description="ISO 3166-1, two letters.")] | None = None
    language: Annotated[StrictStr, Field(max_length=8)] | None = None


class ProfileOut(Schema):
    object: Literal["profile"]
    email: str
    email_verified: bool
    phone: str
    phone_verified: bool
    country: str
    language: str
    has_second_factor: bool


class PhoneCodeIn(Input):
    code: Annotated[StrictStr, Field(max_length=16, description="The six digits of the message.")]


class PhoneCodeOut(Schema):
    object: Literal["phone_code"]
    phone: str
    expires_at: str


class UserSessionOut(Schema):
    object: Literal["user_session"]
    id: str
    kind: Literal["browser", "app"]
    is_current: bool
    user_agent: str
    address: str
    created_at: str
    last_seen_at: str
    expires_at: str


class UserMerchantOut(Schema):
    object: Literal["user_merchant"]
    merchant: str
    name: str
    role: Literal["owner", "developer", "finance", "viewer"]


class UserMerchantsOut(Schema):
    object: Literal["list"]
    data: list[UserMerchantOut]


@router.get(
    "/profile",
    response={200: ProfileOut, **_PROBLEMS},
    operation_id="get_profile",
    summary="Retrieve one's profile",
    url_name="user_profile",
)
def profile(request: HttpRequest) -> HttpResponse:
    """E-mail address, phone, country and language of the person whose access token it is."""
    user = person(request).user
    return json_response(request, 200, _represent_profile(user, profile_of(user)))


@router.patch(
    "/profile",
    response={200: ProfileOut, **_PROBLEMS},
    operation_id="update_profile",
    summary="Change one's profile",
    url_name="user_profile",
)
def change_profile(request: HttpRequest, body: ProfileIn) -> HttpResponse:
    """Another phone number is unverified."""
    user = person(request).user
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if values.get("country") and values["country"] not in dict(countries):
        raise Invalid("country_unknown", "Use a code of ISO 3166-1 such as KE.", field="country")
    if values.get("language") and values["language"] not in dict(settings.LANGUAGES):
        raise Invalid("language_unknown", "This language is not offered here.", field="language")
    return json_response(request, 200, _represent_profile(user, update_profile(request, user, values)))


@router.post(
    "/phone/code",
    response={202: PhoneCodeOut, 409: ProblemOut, **_PROBLEMS},
    operation_id="send_phone_code",
    summary="Send a code to one's phone",
    url_name="user_phone_code",
)
def send_phone_code(request: HttpRequest) -> HttpResponse:
    """A text message to the number of one's profile. A new code takes the place of the one before."""
    row = send_code(request, person(request).user)
    answer = {"object": "phone_code", "phone": row.phone, "expires_at": represent_time(row.expires_at)}
    return json_response(request, 202, answer)


@router.post(
    "/phone/verify",
    response={200: ProfileOut, 409: ProblemOut, **_PROBLEMS},
    operation_id="verify_phone",
    summary="Verify one's phone",
    url_name="user_phone_verify",
)
def verify_phone(request: HttpRequest, body: PhoneCodeIn) -> HttpResponse:
    """With the code of the message, within ten minutes. After five wrong codes a new one is needed."""
    user = person(request).user
    return json_response(request, 200, _represent_profile(user, verify_code(request, user, body.code)))


@router.get(
    "/sessions",
    response={200: Page[UserSessionOut], **_PROBLEMS},
    operation_id="list_user_sessions",
    summary="List one's sessions",
    url_name="user_sessions",
)
def sessions(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Where one is signed in now, browsers too, newest first."""
    caller = person(request)
    page = paginate(
        live_sessions(caller.user),
        limit=limit,
        cursor=cursor,
        represent=lambda row: _represent_session(row, caller.session),
    )
    return json_response(request, 200, page)


@router.delete(
    "/sessions/{session_id}",
    response={204: None, 404: ProblemOut, **_PROBLEMS},
    operation_id="end_user_session",
    summary="End one of one's sessions",
    url_name="user_session",
)
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """The browser, or the app's tokens, are signed out with the next request."""
    caller = person(request)
    try:
        row = live_sessions(caller.user).get(pk=UserSession.uuid_of(session_id))
    except (ValueError, UserSession.DoesNotExist):
        raise NotFound("session_not_found", "You have no such session.", field="session_id") from None
    if end(row):
        note(request, caller.user, "user.session_ended", session=row.public_id)
    return HttpResponse(status=204)


@router.get(
    "/merchants",
    response={200: UserMerchantsOut, **_PROBLEMS},
    operation_id="list_user_merchants",
    summary="List one's businesses",
    url_name="user_merchants",
)
def merchants(request: HttpRequest) -> HttpResponse:
    """The businesses one belongs to, and in which role."""
    rows = Membership.objects.filter(user=person(request).user).select_related("merchant").order_by("pk")
    return json_response(request, 200, {"object": "list", "data": [_represent_membership(row) for row in rows]})


def _represent_profile(user: Any, found: Profile) -> dict[str, Any]:
    address = EmailAddress.objects.filter(user=user).order_by("-primary", "-verified", "pk").first()
    return {
        "object": "profile",
        "email": user.email if address is None else address.email,
        "email_verified": address is not None and address.verified,
        "phone": found.phone,
        "phone_verified": found.phone_verified_at is not None,
        "country": str(found.country or ""),
        "language": found.language,
        "has_second_factor": user_has_device(user),
    }


def _represent_session(row: UserSession, current: UserSession) -> dict[str, Any]:
    return {
        "object": "user_session",
        "id": row.public_id,
        "kind": row.kind,
        "is_current": row.pk == current.pk,
        "user_agent": row.user_agent,
        "address": row.address,
        "created_at": represent_time(row.created_at),
        "last_seen_at": represent_time(row.last_seen_at),
        "expires_at": represent_time(row.expires_at),
    }


def _represent_membership(row: Membership) -> dict[str, Any]:
    return {
        "object": "user_merchant",
        "merchant": row.merchant.public_id,
        "name": row.merchant.name,
        "role": row.role,
    }

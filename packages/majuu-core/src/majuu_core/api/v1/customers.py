"""Customers of a store, and the payment methods they left for later."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import run_once, run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.customers_schemas import CustomerIn, CustomerOut, SavedMethodIn, SavedMethodOut
from majuu_core.payments.customers import CustomerDetails, create_customer, get_customer
from majuu_core.payments.models import Customer, SavedMethod
from majuu_core.payments.representation import represent_time
from majuu_core.payments.saved_methods import (
    SavingDetails,
    get_saved_method,
    remove_method,
    represent_saved_method,
    save_method,
)

router = Router(tags=["Customers"])
saved_router = Router(tags=["Customers"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


def represent_customer(customer: Customer) -> dict[str, Any]:
    """A customer as the API shows it."""
    return {
        "id": customer.public_id,
        "object": "customer",
        "livemode": customer.livemode,
        "reference": customer.reference,
        "name": customer.name,
        "email": customer.email,
        "metadata": customer.metadata,
        "created_at": represent_time(customer.created_at),
    }


@router.post(
    "",
    response={201: CustomerOut, **_PROBLEMS},
    operation_id="create_customer",
    summary="Create a customer",
    url_name="customers",
)
def create(request: HttpRequest, body: CustomerIn) -> HttpResponse:
    """Write down somebody who pays more than once. ``reference`` is your own number of them, unique in the store."""
    caller = require(request, "customers:write")

    def work() -> tuple[int, Any]:
        details = CustomerDetails(reference=body.reference, name=body.name, email=body.email, metadata=body.metadata)
        customer = create_customer(store=store_of(caller), livemode=caller.livemode, details=details)
        return 201, represent_customer(customer)

    with acting(request):
        return run_once_atomically(request, caller, work)


@router.get(
    "",
    response={200: Page[CustomerOut], **_PROBLEMS},
    operation_id="list_customers",
    summary="List customers",
    url_name="customers",
)
def list_customers(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    reference: str | None = Query(None, description="Only the one with this number of yours."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "customers:read")
    rows = Customer.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if reference is not None:
        rows = rows.filter(reference=reference)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_customer))


@router.get(
    "/{customer_id}",
    response={200: CustomerOut, **_PROBLEMS},
    operation_id="get_customer",
    summary="Retrieve a customer",
    url_name="customer",
)
def retrieve(request: HttpRequest, customer_id: str) -> HttpResponse:
    """One customer."""
    caller = require(request, "customers:read")
    customer = get_customer(store_id=caller.store_id, livemode=caller.livemode, public_id=customer_id)
    return json_response(request, 200, represent_customer(customer))


@router.post(
    "/{customer_id}/saved-methods",
    response={201: SavedMethodOut, **_PROBLEMS},
    operation_id="save_method",
    summary="Save a payment method",
    url_name="customer_saved_methods",
)
def save(request: HttpRequest, customer_id: str, body: SavedMethodIn) -> HttpResponse:
    """Begin saving a method. ``requires_action``: send the customer where ``next_action`` says, then wait for the
    webhook ``saved_method.active`` or ``saved_method.failed``. Without data the customer enters it at the provider."""
    caller = require(request, "customers:write")

    def work(request_key: str) -> tuple[int, Any]:
        customer = get_customer(store_id=caller.store_id, livemode=caller.livemode, public_id=customer_id)
        details = SavingDetails(
            payment_method=body.payment_method,
            payment_method_data=body.payment_method_data,
            return_url=body.return_url,
        )
        return 201, represent_saved_method(save_method(customer=customer, details=details, request_key=request_key))

    with acting(request):
        return run_once(request, caller, work)


@router.get(
    "/{customer_id}/saved-methods",
    response={200: Page[SavedMethodOut], **_PROBLEMS},
    operation_id="list_saved_methods",
    summary="List a customer's saved methods",
    url_name="customer_saved_methods",
)
def list_saved(
    request: HttpRequest,
    customer_id: str,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    status: str | None = Query(None, description='Only this status, such as "active".'),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "customers:read")
    customer = get_customer(store_id=caller.store_id, livemode=caller.livemode, public_id=customer_id)
    rows = SavedMethod.objects.filter(customer=customer).select_related("customer")
    if status is not None:
        rows = rows.filter(status=status)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_saved_method))


@saved_router.get(
    "/{saved_method_id}",
    response={200: SavedMethodOut, **_PROBLEMS},
    operation_id="get_saved_method",
    summary="Retrieve a saved method",
    url_name="saved_method",
)
def retrieve_saved(request: HttpRequest, saved_method_id: str) -> HttpResponse:
    """One saved method."""
    caller = require(request, "customers:read")
    saved = get_saved_method(store_id=caller.store_id, livemode=caller.livemode, public_id=saved_method_id)
    return json_response(request, 200, represent_saved_method(saved))


@saved_router.post(
    "/{saved_method_id}/remove",
    response={200: SavedMethodOut, **_PROBLEMS},
    operation_id="remove_saved_method",
    summary="Remove a saved method",
    url_name="saved_method_remove",
)
def remove(request: HttpRequest, saved_method_id: str) -> HttpResponse:
    """Let go of it, at the provider too. Payments that are under way go on."""
    caller = require(request, "customers:write")

    def work(request_key: str) -> tuple[int, Any]:
        saved = get_saved_method(store_id=caller.store_id, livemode=caller.livemode, public_id=saved_method_id)
        return 200, represent_saved_method(remove_method(saved=saved))

    with acting(request):
        return run_once(request, caller, work)

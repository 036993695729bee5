"""The one address where providers reach us: /in/<subject>/<secret>, with or without a topic."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from majuu_core.audit.services import Actor, acting_as
from majuu_core.network.client import address_of
from majuu_core.webhooks.inbound import MAX_BODY, RawRequest, receive_webhook

logger = logging.getLogger("majuu.webhooks")


@csrf_exempt
def receive(request: HttpRequest, subject: str, secret: str, topic: str | None = None) -> HttpResponse:
    """Take a provider's message. The answer is the provider's own form; a foreign address is a plain 404."""
    address = address_of(request)
    raw = RawRequest(
        method=request.method or "",
        subject=subject,
        secret=secret,
        topic=topic or "",
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: str(value) for name, value in request.GET.items()},
        body=request.read(MAX_BODY + 1),
        remote_addr=address,
    )
    with acting_as(Actor(type="provider", remote_addr=address)):
        answer = receive_webhook(raw)
    if answer is None:
        raise Http404
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)

"""``python -m tests.core.worker.stage``: prepares and inspects the database of worker processes, as a process itself.

Commands: ``migrate``; ``fill <base url> <endpoints> <events>``; ``age`` (every lease ends now); ``report`` (JSON).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(base: str, endpoints: str, events: str) -> None:
    from majuu_core.events.services import build_event
    from majuu_core.testing.factories import make_store
    from majuu_core.webhooks.endpoints import create_webhook_endpoint

    store = make_store()
    for number in range(int(endpoints)):
        create_webhook_endpoint(store=store, livemode=False, url=f"{base}/{number}")
    for number in range(int(events)):
        data = {"charge": {"id": f"ch_{number}"}}
        event = build_event(
            store_id=store.pk, livemode=False, type="charge.failed", object_id=f"ch_{number}", data=data
        )
        event.save(force_insert=True)


def age() -> None:
    from majuu_core.common import clock
    from majuu_core.webhooks.models import WebhookDelivery

    WebhookDelivery.objects.filter(state="sending").update(leased_until=clock.now())


def report() -> dict[str, Any]:
    from django.db.models import Count

    from majuu_core.events.models import Event
    from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery

    states = WebhookDelivery.objects.values_list("state").annotate(count=Count("pk"))
    return {
        "states": dict(states),
        "undispatched": Event.objects.filter(dispatched_at=None).count(),
        "attempts": WebhookAttempt.objects.count(),
        "numbers": dict(WebhookDelivery.objects.values_list("attempts").annotate(count=Count("pk"))),
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))  # noqa: T201

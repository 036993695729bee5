"""Asking for a close."""

from __future__ import annotations

from majuu_core.common.problems import Conflict
from majuu_core.reports.models import Close


def request_close(*, close: Close) -> Close:
    """Let the worker close the day again. Waiting already: nothing changes. Raises Conflict while it is running."""
    states = [Close.State.DONE, Close.State.FAILED]
    if not Close.objects.filter(pk=close.pk, state__in=states).update(state=Close.State.WAITING):
        close.refresh_from_db()
        if close.state == Close.State.RUNNING:
            raise Conflict("close_running", "It is being closed at this moment.")
    close.state = Close.State.WAITING
    return close

"""``python -m majuu_core.worker.cluster <parent>``: django-q2's cluster as a child of the worker.

django-q2's own signal handler waits inside the handler and never comes back when a second signal interrupts it. Linux
sends the signal of a dying parent once for each of its threads, so here signals only leave a note.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from time import sleep
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOOK_EVERY = 0.2


class Stopping:
    """The note that a signal leaves."""

    def __init__(self) -> None:
        self.requested = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self.requested = True


def end_with_parent(parent: int) -> None:
    """Ask Linux to send SIGTERM to this process when its parent dies, even by SIGKILL. Elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        raise SystemExit(0)


def run_cluster() -> int:
    """Run the cluster until a signal comes. Returns the exit status: 1 when the cluster ended by itself."""
    from django_q.cluster import Cluster

    cluster = Cluster()
    stopping = Stopping()  # after Cluster, which installs handlers of its own
    cluster.start()
    while not stopping.requested:
        if not cluster.sentinel.is_alive():
            return 1
        sleep(_LOOK_EVERY)
    cluster.stop()
    return 0


def main() -> None:
    """Start the cluster and stay until it ends."""
    end_with_parent(int(sys.argv[1]))
    import django

    django.setup()
    raise SystemExit(run_cluster())


if __name__ == "__main__":
    main()

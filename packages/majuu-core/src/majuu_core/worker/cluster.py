"""``python -m majuu_core.worker.cluster <parent>``: django-q2's cluster as a child of the worker."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Ask Linux to send SIGTERM to this process when its parent dies, even by SIGKILL. Elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        raise SystemExit(0)


def main() -> None:
    """Start the cluster and stay until it ends."""
    end_with_parent(int(sys.argv[1]))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("qcluster")


if __name__ == "__main__":
    main()

"""``make demo``: see sandbox_project/play/main.py."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The folder of this file must not be searched: its modules are sandbox_project.settings and so on.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from sandbox_project.play.main import main

    raise SystemExit(main())

#!/usr/bin/env python
"""Django's commands for the sandbox project, from any folder: ``python sandbox_project/manage.py …``"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)


def main() -> None:
    """Run the command of the command line."""
    # The folder of this file must not be searched: its modules are sandbox_project.settings and so on.
    sys.path[0] = ROOT
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

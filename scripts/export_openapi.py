"""Writes the OpenAPI document that tests/core/api compares with: run by `make openapi`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SNAPSHOT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "openapi.json"


def render() -> str:
    """The document as it is committed: sorted, indented, with a final newline."""
    from majuu_core.api.urls import api

    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def main() -> int:
    """Write the snapshot."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    SNAPSHOT.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"wrote {SNAPSHOT.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

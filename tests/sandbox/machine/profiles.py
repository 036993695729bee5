"""How hard the machine tries.

``HYPOTHESIS_PROFILE=dev`` (the usual one, 50 examples), ``ci`` (1,000, the same ones every time; chosen by itself when
``CI=true``), ``nightly`` (10,000, new ones every time) or ``look`` (1,000 new ones, and the first failure as it was
found). A failure prints the shortest run that fails, as Python that can be pasted into a test, and a
``@reproduce_failure`` blob; ``pytest --hypothesis-seed=N`` repeats a random run. On a database that is not SQLite in
memory an example is twenty times dearer, and there are a twentieth as many.
"""

from __future__ import annotations

import os

from django.db import connection
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = {"dev": 50, "ci": 1000, "nightly": 10_000, "look": 1000}


def machine_settings(*, steps: int = 16, share: int = 1) -> settings:
    """For run_state_machine_as_test: one in ``share`` of the profile's examples."""
    name = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
    examples = EXAMPLES.get(name, EXAMPLES["dev"]) // share
    return settings(
        max_examples=examples if connection.vendor == "sqlite" else max(examples // 20, 10),
        stateful_step_count=steps,
        deadline=None,
        derandomize=name == "ci",
        database=None,
        phases=[Phase.generate] if name == "look" else [Phase.explicit, Phase.generate, Phase.shrink],
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

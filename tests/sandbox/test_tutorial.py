"""What the tutorial tells people to type works as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from majuu_core.webhooks.signing import new_secret
from sandbox_project.play.plan import free_ports
from tests.sandbox.support import ROOT, listens

SECRET = new_secret()
PAID = {
    "type": "payment_intent.succeeded",
    "data": {"payment_intent": {"reference": "order-1001", "amount_received": "1500.00", "currency": "KES"}},
}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[httpx.Client, Path]]:
    """The program of the page, running, and what it prints."""
    page = (ROOT / "docs/tutorial/3-receive-webhooks.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(programs) == 1
    (tmp_path / "receiver.py").write_text(programs[0], encoding="utf-8")
    [port], output = free_ports(1), tmp_path / "output"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "receiver.py", str(port)],
            cwd=tmp_path,
            env={**os.environ, "WEBHOOK_SECRET": SECRET},
            stdout=stream,
            stderr=subprocess.DEVNULL,
        )
    try:
        while not listens(port):
            assert process.poll() is None
            time.sleep(0.1)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client, output
    finally:
        process.terminate()
        process.wait(10)


def send(client: httpx.Client, *, webhook_id: str, secret: str = SECRET) -> int:
    body, now = json.dumps(PAID), datetime.now(UTC)
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(int(now.timestamp()))}
    headers["webhook-signature"] = Webhook(secret).sign(webhook_id, now, body)
    return client.post("/webhooks", content=body, headers=headers).status_code


def test_the_receiver_of_the_tutorial_takes_each_genuine_message_once(receiver: tuple[httpx.Client, Path]) -> None:
    client, output = receiver

    assert [send(client, webhook_id="evt_1"), send(client, webhook_id="evt_1")] == [204, 204]
    assert send(client, webhook_id="evt_2", secret=new_secret()) == 401

    assert output.read_text() == "paid: order-1001 1500.00 KES\n"


def test_the_transcript_of_the_tutorial_has_the_steps_of_the_demo() -> None:
    from sandbox_project.play.programme import PARTS

    page = (ROOT / "docs/tutorial/1-first-payment.md").read_text(encoding="utf-8")

    names = [step.name for part in PARTS for step in part.steps]
    assert re.findall(r"^  ✓ ([\w-]+)", page, re.MULTILINE) == names
    assert re.findall(r"^\d+\. \*\*([\w-]+)\*\*", page, re.MULTILINE) == names
    assert [part.title for part in PARTS if f"\n{part.title}\n" not in page] == []


def test_every_variable_of_the_settings_is_explained() -> None:
    sources = [ROOT / f"sandbox_project/{name}.py" for name in ("settings", "providers", "play/plan")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    read = set(re.findall(r'env\.\w+\("([A-Z_]+)"', text)) | set(re.findall(r'environ\.get\("([A-Z_]+)"', text))
    read |= set(re.findall(r'\w="(MAJUU_[A-Z_]+)"', text))
    read -= {"SANDBOX_SHOP_URL", "SANDBOX_SIMULATOR_URL", "SANDBOX_STRIPE_URL", "SANDBOX_PAYPAL_URL"}  # the demo's own
    read.discard("PYTHONPATH")  # Python's, handed on to the demo's children

    page = (ROOT / "docs/how-to/deploy-settings.md").read_text(encoding="utf-8")

    assert {"DATABASE_URL", "MAJUU_PAYPAL_TEST_ROOT_CERTIFICATES"} <= read
    assert len(read) > 20
    assert [name for name in sorted(read) if f"`{name}`" not in page] == []

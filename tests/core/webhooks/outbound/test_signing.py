"""Signatures as Standard Webhooks wants them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from majuu_core.webhooks.signing import key_of, new_secret, sign
from tests.shared_files import shared_fixture


def test_the_published_vectors_come_out_exactly() -> None:
    """given the specification's vectors / when we sign / then every signature is the published one."""
    vectors = json.loads(shared_fixture("specs/standard_webhooks_vectors.json").read_text())["symmetric"]

    for vector in vectors:
        header = sign(
            [key_of(vector["secret"])],
            message_id=vector["webhook_id"],
            timestamp=vector["timestamp"],
            body=vector["payload"].encode(),
        )
        assert header == vector["signature"]
    assert vectors


@given(body=st.binary(max_size=5000).filter(lambda body: b"\x80" not in body), seconds=st.integers(1, 4_000_000_000))
def test_the_public_library_signs_the_same(body: bytes, seconds: int) -> None:
    """given any text and time / when both sign / then the signatures agree."""
    secret, text = new_secret(), body.decode("utf-8", errors="ignore")

    ours = sign([key_of(secret)], message_id="evt_1", timestamp=seconds, body=text.encode())

    assert ours == Webhook(secret).sign("evt_1", datetime.fromtimestamp(seconds, UTC), text)


def test_two_keys_make_two_signatures_each_of_which_verifies() -> None:
    """given an old and a new secret / when a message carries both / then holders of either can verify it."""
    secrets, now = [new_secret(), new_secret()], int(datetime.now(UTC).timestamp())

    header = sign([key_of(secret) for secret in secrets], message_id="evt_1", timestamp=now, body=b'{"a":1}')

    assert len(header.split(" ")) == 2
    for secret in secrets:
        headers = {"webhook-id": "evt_1", "webhook-timestamp": str(now), "webhook-signature": header}
        assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}


def test_a_new_secret_has_256_bits_and_is_never_the_same() -> None:
    """given many new secrets / when they are read / then each holds 32 bytes and none repeats."""
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(key_of(secret)) for secret in secrets} == {32}


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_!!!!", "sk_test_abc", base64.b64encode(bytes(32)).decode()]
    + ["whsec_" + base64.b64encode(bytes(count)).decode() for count in (23, 65)],
)
def test_other_things_are_not_secrets(secret: str) -> None:
    """given something of another kind or length / when it is read / then it is refused."""
    with pytest.raises(ValueError, match="not a webhook signing secret"):
        key_of(secret)

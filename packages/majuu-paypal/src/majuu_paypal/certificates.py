"""The certificates that PayPal signs its messages with: where they may come from, and whom they must lead to."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from majuu_core.providers import NotSent, OutcomeUnknown, RateLimited, SharedCache, WebhookRejected
from majuu_core.providers.http import ProviderHttp
from majuu_paypal.options import OptionsError, Verification, origin

# The authority that PayPal's certificates come from, by its name in the trust store: today's root (High Assurance EV)
# and those it may move to when browsers drop that one.
_AUTHORITY = "DigiCert Inc"
_KEPT_SECONDS = 86_400
_LONGEST = 50_000
_LONGEST_URL = 500


class Unreachable(Exception):
    """The certificate could not be fetched now. That says nothing about the message."""


def signer_key(
    url: str, *, http: ProviderHttp, cache: SharedCache, settings: Verification, now: datetime
) -> RSAPublicKey:
    """The key of the certificate at this address, verified at this moment.

    Raises WebhookRejected for another host, a certificate that is not PayPal's or not valid now, Unreachable when it
    cannot be fetched, and OptionsError for roots that cannot be read.
    """
    if len(url) > _LONGEST_URL or origin(url) not in settings.certificate_origins:
        raise WebhookRejected("the certificate is not on PayPal's host")
    key = f"paypal-certificate-{hashlib.sha256(url.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept:
        # One that is over may have been replaced at the same address.
        with suppress(WebhookRejected):
            return verified_key(kept, settings=settings, now=now)
    pem = _fetch(url, http)
    found = verified_key(pem, settings=settings, now=now)
    cache.set(key, pem, seconds=_KEPT_SECONDS)
    return found


def verified_key(pem: str, *, settings: Verification, now: datetime) -> RSAPublicKey:
    """The key of the first certificate, when the chain leads to a root we trust and names PayPal's signer."""
    try:
        leaf, *others = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise WebhookRejected("there is no certificate at the certificate's address") from None
    store = Store(list(roots(settings.root_certificates)))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(settings.signer))
    try:
        verifier.verify(leaf, others)
        found = leaf.public_key()
    except (VerificationError, UnsupportedAlgorithm, ValueError) as problem:
        raise WebhookRejected(f"the certificate is not PayPal's: {str(problem)[:200]}") from None
    if not isinstance(found, RSAPublicKey):
        raise WebhookRejected("the certificate has no RSA key")
    return found


@cache
def roots(path: str) -> Sequence[x509.Certificate]:
    """The roots in this PEM file; without a path PayPal's authority's in the trust store. Raises OptionsError."""
    if not path:
        return _authority_roots()
    try:
        found = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError) as problem:
        raise OptionsError(f"root_certificates must be a PEM file that can be read: {type(problem).__name__}") from None
    return found


def _authority_roots() -> Sequence[x509.Certificate]:
    # What the system and the certifi package trust, each once.
    contexts = (ssl.create_default_context(), ssl.create_default_context(cafile=certifi.where()))
    trusted = {der for context in contexts for der in context.get_ca_certs(binary_form=True)}
    found = [x509.load_der_x509_certificate(der) for der in sorted(trusted) if _AUTHORITY.encode() in der]
    found = [one for one in found if _is_authority(one)]
    if not found:
        raise OptionsError("no root certificate of DigiCert is installed; set root_certificates to a PEM file with it")
    return found


def _is_authority(certificate: x509.Certificate) -> bool:
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(name.value == _AUTHORITY for name in names)


def _fetch(url: str, http: ProviderHttp) -> str:
    try:
        answer = http.send("GET", url, operation="fetch_certificate", headers={"Accept": "*/*"})
    except (NotSent, OutcomeUnknown, RateLimited) as problem:
        raise Unreachable(str(problem)) from problem
    if answer.status == 429 or answer.status >= 500:
        raise Unreachable(f"HTTP {answer.status}")
    if answer.status != 200 or len(answer.content) > _LONGEST:
        raise WebhookRejected("there is no certificate at the certificate's address")
    return answer.text

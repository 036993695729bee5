"""The settings of KYC, typed. Read when asked for; docs/reference/settings.md lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from majuu_core.configuration import unusable, whole_number

STORAGE_ALIAS = "majuu_kyc"
_REVIEW_DAYS: Mapping[str, int] = MappingProxyType({"low": 730, "normal": 365, "high": 180})
_LARGEST_MB = 50


def kyc_root() -> Path:
    """``MAJUU_KYC_ROOT``: the folder of the documents. ``private/kyc`` in BASE_DIR, or where the process runs.

    Not used when ``STORAGES["majuu_kyc"]`` names another place.
    """
    given = getattr(settings, "MAJUU_KYC_ROOT", "") or Path(getattr(settings, "BASE_DIR", ".")) / "private" / "kyc"
    if not isinstance(given, (str, Path)):
        raise ImproperlyConfigured("MAJUU_KYC_ROOT must be a path.")
    return Path(given).absolute()


def largest_document() -> int:
    """``MAJUU_KYC_DOCUMENT_MB``: how large a document may be, in megabytes. 10 by default. Returns bytes."""
    megabytes = whole_number("MAJUU_KYC_DOCUMENT_MB", default=10, least=1, most=_LARGEST_MB)
    return megabytes * 1024 * 1024


def review_days(risk: str) -> int:
    """``MAJUU_KYC_REVIEW_DAYS``: after how many days an approved business is asked again, by risk.

    ``{"low": 730, "normal": 365, "high": 180}`` by default.
    """
    given = getattr(settings, "MAJUU_KYC_REVIEW_DAYS", {})
    is_fine = isinstance(given, Mapping) and all(
        key in _REVIEW_DAYS and isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 3650
        for key, value in given.items()
    )
    if not is_fine:
        raise ImproperlyConfigured(
            'MAJUU_KYC_REVIEW_DAYS must be a dictionary from "low", "normal" and "high" to days from 1 to 3650.'
        )
    days: int = {**_REVIEW_DAYS, **given}[risk]
    return days


def sanctions_files() -> tuple[Path, ...]:
    """``MAJUU_SANCTIONS_FILES``: the CSV files of sanctions lists; none by default, and then nobody is compared."""
    given = getattr(settings, "MAJUU_SANCTIONS_FILES", ())
    if isinstance(given, (list, tuple)) and all(isinstance(item, (str, Path)) and str(item) for item in given):
        return tuple(Path(item) for item in given)
    raise ImproperlyConfigured("MAJUU_SANCTIONS_FILES must be a list of paths.")


def sanctions_threshold() -> int:
    """``MAJUU_SANCTIONS_THRESHOLD``: how much a name resembles one that is shown, 50 to 100. 85 by default."""
    return whole_number("MAJUU_SANCTIONS_THRESHOLD", default=85, least=50, most=100)


def screening_days() -> int:
    """``MAJUU_KYC_SCREENING_DAYS``: after how many days a case is compared with the lists again. 1 by default."""
    return whole_number("MAJUU_KYC_SCREENING_DAYS", default=1, least=1, most=90)


_READERS = (
    kyc_root,
    largest_document,
    lambda: review_days("normal"),
    sanctions_files,
    sanctions_threshold,
    screening_days,
)


def check_kyc_settings(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: a setting of KYC that cannot be used. majuu.E060: documents that a web server would hand out."""
    return unusable(_READERS) or _check_place()


def _check_place() -> list[CheckMessage]:
    if STORAGE_ALIAS in settings.STORAGES:
        return []
    root = kyc_root().resolve()
    served = [("MEDIA_ROOT", settings.MEDIA_ROOT), ("STATIC_ROOT", settings.STATIC_ROOT)]
    served += [("STATICFILES_DIRS", item) for item in _static_folders()]
    for name, folder in served:
        if folder and root.is_relative_to(Path(folder).resolve()):
            message = f"MAJUU_KYC_ROOT lies in {name}: a web server would hand out people's identity documents."
            return [Error(message, hint="Choose a folder that no web server serves.", id="majuu.E060")]
    return []


def _static_folders() -> list[Any]:
    folders = getattr(settings, "STATICFILES_DIRS", ())
    return [item[1] if isinstance(item, (list, tuple)) else item for item in folders]

"""Days as an account's provider counts them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.providers import ReadsStatements

# A payment at the end of a day may stand on the statement of the next, and the other way round.
SKEW = timedelta(minutes=10)


def zone_of(account: ProviderAccount) -> str:
    """The time zone of the account's statements; UTC where the provider names none."""
    provider = provider_for(account)
    return provider.statement_time_zone() if isinstance(provider, ReadsStatements) else "UTC"


def day_of(at: datetime, zone: str) -> date:
    """The day a moment belongs to."""
    return at.astimezone(ZoneInfo(zone)).date()


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The first moment of the day and the first of the next."""
    place = ZoneInfo(zone)
    start = datetime.combine(day, time(), place)
    return start, datetime.combine(day + timedelta(days=1), time(), place)

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, models, transaction

from majuu_core.database.errors import is_unique_violation, names_constraint
from majuu_core.merchants.models import Merchant, Store

pytestmark = pytest.mark.django_db


def refusal(row: models.Model) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        row.save(force_insert=True)
    return caught.value


@pytest.fixture
def merchant() -> Merchant:
    return Merchant.objects.create(name="Duka")


def test_a_unique_column(merchant: Merchant) -> None:
    Store.objects.create(merchant=merchant, name="Duka", code="duka")

    error = refusal(Store(merchant=merchant, name="Other", code="duka"))

    assert is_unique_violation(error)
    assert names_constraint(error, "code")
    assert not names_constraint(error, "no_such_constraint", "neither")


def test_a_primary_key(merchant: Merchant) -> None:
    assert is_unique_violation(refusal(Merchant(pk=merchant.pk, name="Other")))


def test_a_missing_value_is_no_unique_violation(merchant: Merchant) -> None:
    nameless = Store(merchant=merchant, code="duka")
    nameless.name = None  # type: ignore[assignment]

    assert not is_unique_violation(refusal(nameless))


def test_other_errors_are_no_unique_violation() -> None:
    assert not is_unique_violation(DataError("UNIQUE constraint failed"))

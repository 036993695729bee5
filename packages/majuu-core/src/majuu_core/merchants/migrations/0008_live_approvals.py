from django.db import migrations

from majuu_core.common import clock


def approve_who_is_approved(apps, schema_editor):
    """An approval for every business that is or was approved, and for their live keys.

    Services have never made a live key for any other; should there be one, it never opened anything, and it is revoked.
    """
    alias = schema_editor.connection.alias
    merchants = apps.get_model("majuu_merchants", "Merchant").objects.using(alias)
    approvals = apps.get_model("majuu_merchants", "LiveApproval").objects.using(alias)
    keys = apps.get_model("majuu_merchants", "ApiKey").objects.using(alias)
    live = keys.filter(livemode=True)
    holders = set(live.values_list("store__merchant_id", flat=True))
    approved = set(merchants.filter(status__in=("approved", "suspended")).values_list("pk", flat=True))
    for merchant_id in sorted(approved | holders):
        approvals.create(merchant_id=merchant_id, approved_by="system", approved_at=clock.now())
        live.filter(store__merchant_id=merchant_id).update(live_approval_id=merchant_id)
    live.filter(store__merchant_id__in=holders - approved, revoked_at=None).update(revoked_at=clock.now())


def forget(apps, schema_editor):
    """The columns and the table go with the migration before."""
    alias = schema_editor.connection.alias
    apps.get_model("majuu_merchants", "ApiKey").objects.using(alias).update(live_approval=None)
    apps.get_model("majuu_merchants", "LiveApproval").objects.using(alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("majuu_merchants", "0007_kyc")]
    operations = [migrations.RunPython(approve_who_is_approved, forget)]

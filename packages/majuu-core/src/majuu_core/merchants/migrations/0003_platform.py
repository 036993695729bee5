from django.db import migrations

from majuu_core.common import clock, ids

CODE = "ADMIN_SHOP"


def make_platform(apps, schema_editor):
    """The platform's own business, which is approved, and its store, where money waits that came by itself.

    Nobody can become a member of it. What is there already stays as it is.
    """
    alias = schema_editor.connection.alias
    merchants = apps.get_model("majuu_merchants", "Merchant").objects.using(alias)
    stores = apps.get_model("majuu_merchants", "Store").objects.using(alias)
    approvals = apps.get_model("majuu_merchants", "LiveApproval").objects.using(alias)
    store = stores.filter(code=CODE).first()
    if store is None:
        owner = merchants.create(
            id=ids.new_uuid(), name="Platform", country="KE", status="approved", is_system=True, created_at=clock.now()
        )
        store = stores.create(id=ids.new_uuid(), merchant=owner, name="Intake", code=CODE, created_at=clock.now())
    if merchants.filter(pk=store.merchant_id, status="approved").exists():
        values = {"approved_by": "system", "approved_at": clock.now()}
        approvals.get_or_create(merchant_id=store.merchant_id, defaults=values)


class Migration(migrations.Migration):
    dependencies = [("majuu_merchants", "0002_safeguards")]
    # Backwards the tables go, and the rows with them.
    operations = [migrations.RunPython(make_platform, migrations.RunPython.noop)]

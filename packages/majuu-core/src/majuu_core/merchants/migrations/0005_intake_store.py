from django.db import migrations

from majuu_core.common import clock, ids

CODE = "ADMIN_SHOP"


def create_intake_store(apps, schema_editor):
    """The platform's own store, where money waits that came by itself. Nobody can become a member of it."""
    merchants = apps.get_model("majuu_merchants", "Merchant").objects.using(schema_editor.connection.alias)
    stores = apps.get_model("majuu_merchants", "Store").objects.using(schema_editor.connection.alias)
    if stores.filter(code=CODE).exists():
        return
    owner = merchants.create(
        id=ids.new_uuid(), name="Platform", country="KE", status="approved", is_system=True, created_at=clock.now()
    )
    stores.create(id=ids.new_uuid(), merchant=owner, name="Intake", code=CODE, created_at=clock.now())


def remove_intake_store(apps, schema_editor):
    """Nothing owns it once the tables that point at it are gone, which later migrations see to."""
    stores = apps.get_model("majuu_merchants", "Store").objects.using(schema_editor.connection.alias)
    merchants = apps.get_model("majuu_merchants", "Merchant").objects.using(schema_editor.connection.alias)
    store = stores.filter(code=CODE).first()
    if store is not None:
        stores.filter(pk=store.pk).delete()
        merchants.filter(pk=store.merchant_id, is_system=True).delete()


class Migration(migrations.Migration):
    dependencies = [("majuu_merchants", "0004_claiming")]
    operations = [migrations.RunPython(create_intake_store, remove_intake_store)]

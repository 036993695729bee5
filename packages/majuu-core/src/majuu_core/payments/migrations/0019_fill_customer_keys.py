from django.db import migrations

from majuu_core.payments.customer_keys import email_key, phone_key

AT_ONCE = 1000
_UPDATE = "UPDATE majuu_payments_paymentintent SET customer_email_key = %s, customer_phone_key = %s WHERE id = %s"


def fill(apps, schema_editor):
    """Keys for the payments there are. Those made while it runs have theirs already."""
    connection = schema_editor.connection
    model = apps.get_model("majuu_payments", "PaymentIntent")
    rows = model.objects.using(connection.alias).exclude(customer_email="", customer_phone="").order_by("pk")
    rows = rows.only("pk", "customer_email", "customer_phone", "currency")
    page = list(rows[:AT_ONCE])
    while page:
        values = [
            (
                email_key(row.customer_email),
                phone_key(row.customer_phone, row.currency),
                model._meta.pk.get_db_prep_value(row.pk, connection),
            )
            for row in page
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_UPDATE, values)
        page = list(rows.filter(pk__gt=page[-1].pk)[:AT_ONCE])


class Migration(migrations.Migration):
    # Each page is committed on its own, so that no payment waits for the whole table. Safe to run again.
    atomic = False
    dependencies = [("majuu_payments", "0018_customer_keys")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

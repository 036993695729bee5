from django.db import migrations, models

from majuu_core.database.operations import ExactText, KeepTriggers

TABLE = "majuu_payments_paymentintent"


class Migration(migrations.Migration):
    """A customer's address and number in one spelling, indexed, so that people find their own payments."""

    dependencies = [("majuu_payments", "0017_anchor_alerts")]
    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    "paymentintent", "customer_email_key", models.CharField(blank=True, editable=False, max_length=254)
                ),
                migrations.AddField(
                    "paymentintent", "customer_phone_key", models.CharField(blank=True, editable=False, max_length=15)
                ),
                migrations.AddIndex(
                    "paymentintent",
                    models.Index(
                        condition=models.Q(("customer_email_key__gt", "")),
                        fields=["customer_email_key"],
                        name="majuu_intent_by_email",
                    ),
                ),
                migrations.AddIndex(
                    "paymentintent",
                    models.Index(
                        condition=models.Q(("customer_phone_key__gt", "")),
                        fields=["customer_phone_key"],
                        name="majuu_intent_by_phone",
                    ),
                ),
            ]
        ),
        ExactText(TABLE, "customer_email_key", 254),
        ExactText(TABLE, "customer_phone_key", 15),
    ]

from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):
    """Remember by which id the provider will answer whether money arrived."""

    dependencies = [("majuu_payments", "0005_money_in_and_out_guards")]
    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    "incomingpayment",
                    "check_reference",
                    models.CharField(blank=True, help_text="The provider's id of our question.", max_length=128),
                )
            ]
        )
    ]

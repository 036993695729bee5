import django.db.models.deletion
from django.db import migrations, models

import majuu_core.common.clock
import majuu_core.common.ids
from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):
    """OAuth clients are keys of a third kind; the guards of live keys hold for them as they are."""

    dependencies = [("majuu_merchants", "0011_invitations")]
    operations = [
        KeepTriggers(
            [
                migrations.RemoveConstraint(model_name="apikey", name="majuu_key_prefix_agrees"),
                migrations.AlterField(
                    model_name="apikey",
                    name="kind",
                    field=models.CharField(
                        choices=[("secret", "Secret"), ("publishable", "Publishable"), ("client", "OAuth client")],
                        default="secret",
                        max_length=16,
                    ),
                ),
                migrations.AddConstraint(
                    model_name="apikey",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "secret"), ("livemode", False), ("prefix", "sk_test_")),
                            models.Q(("kind", "secret"), ("livemode", True), ("prefix", "sk_live_")),
                            models.Q(("kind", "publishable"), ("livemode", False), ("prefix", "pk_test_")),
                            models.Q(("kind", "publishable"), ("livemode", True), ("prefix", "pk_live_")),
                            models.Q(("kind", "client"), ("livemode", False), ("prefix", "ck_test_")),
                            models.Q(("kind", "client"), ("livemode", True), ("prefix", "ck_live_")),
                            _connector="OR",
                        ),
                        name="majuu_key_prefix_agrees",
                    ),
                ),
                migrations.CreateModel(
                    name="ClientToken",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=majuu_core.common.ids.new_uuid,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                        (
                            "scopes",
                            models.JSONField(default=list, help_text="What was asked for, of what the client may do."),
                        ),
                        ("expires_at", models.DateTimeField(db_index=True)),
                        ("created_at", models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                        (
                            "api_key",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tokens",
                                to="majuu_merchants.apikey",
                            ),
                        ),
                    ],
                ),
            ]
        )
    ]

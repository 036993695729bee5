import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import majuu_core.common.clock


class Migration(migrations.Migration):
    """Codes that show that a phone number is the person's."""

    dependencies = [
        ("majuu_accounts", "0002_user_sessions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="PhoneCode",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="majuu_phone_code",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("phone", models.CharField(help_text="Where it was sent, in E.164.", max_length=16)),
                ("code_hash", models.CharField(editable=False, max_length=64)),
                ("wrong_tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(default=majuu_core.common.clock.now)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            "profile",
            models.Index(
                condition=models.Q(("phone__gt", "")), fields=["phone"], name="majuu_profile_by_phone"
            ),
        ),
    ]

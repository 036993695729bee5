from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0003_exact_text'),
    ]

    operations = [
        KeepTriggers([
            migrations.AddField(
                model_name='store',
                name='account_prefix',
                field=models.CharField(blank=True, help_text='What account references of this store begin with on a shared paybill, such as DUKA.', max_length=8, null=True, unique=True),
            ),
        ]),
        KeepTriggers([
            migrations.AddField(
                model_name='store',
                name='auto_claim_score',
                field=models.PositiveSmallIntegerField(blank=True, help_text='Suggestions with at least this score (50 to 100) are claimed without asking; empty: none.', null=True),
            ),
        ]),
        KeepTriggers([
            migrations.AddConstraint(
                model_name='store',
                constraint=models.CheckConstraint(condition=models.Q(('auto_claim_score__isnull', True), models.Q(('auto_claim_score__gte', 50), ('auto_claim_score__lte', 100)), _connector='OR'), name='majuu_store_auto_claim_score'),
            ),
        ]),
    ]

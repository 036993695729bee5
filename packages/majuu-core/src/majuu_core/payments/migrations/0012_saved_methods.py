import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models

from majuu_core.database.operations import CompositeForeignKey, ExactText, KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0006_breaker'),
        ('majuu_payments', '0011_routing'),
    ]

    operations = [
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('livemode', models.BooleanField()),
                ('reference', models.CharField(blank=True, help_text="The shop's own number of them.", max_length=64, null=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('email', models.CharField(blank=True, max_length=254)),
                ('metadata', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='majuu_merchants.store')),
            ],
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='SavedMethod',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('livemode', models.BooleanField()),
                ('payment_method', models.CharField(max_length=32)),
                ('status', models.CharField(choices=[('pending', 'Being saved'), ('requires_action', 'Waiting for the customer'), ('active', 'Ready to be charged'), ('failed', 'Not saved'), ('removed', 'Removed')], default='pending', max_length=16)),
                ('provider_reference', models.CharField(blank=True, help_text='Of the saving itself.', max_length=128, null=True)),
                ('customer_reference', models.CharField(blank=True, help_text="The customer's id at the provider.", max_length=128)),
                ('method_reference', models.CharField(blank=True, help_text='What payments name.', max_length=128)),
                ('brand', models.CharField(blank=True, max_length=32)),
                ('last4', models.CharField(blank=True, max_length=4)),
                ('expires', models.CharField(blank=True, help_text='Year and month.', max_length=7)),
                ('failure_code', models.CharField(blank=True, max_length=32)),
                ('provider_failure_code', models.CharField(blank=True, max_length=64)),
                ('failure_message', models.CharField(blank=True, max_length=500)),
                ('next_action', models.JSONField(null=True)),
                ('follow_up_count', models.PositiveSmallIntegerField(default=0)),
                ('follow_up_at', models.DateTimeField(null=True)),
                ('request_key', models.CharField(blank=True, help_text='The API request that started it.', max_length=64)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='saved_methods', to='majuu_payments.customer')),
                ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='saved_methods', to='majuu_merchants.provideraccount')),
            ],
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        KeepTriggers(
            [
                migrations.AddField(
                    model_name='charge',
                    name='saved_method',
                    field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='majuu_payments.savedmethod'),
                ),
            ]
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['store', 'livemode', '-id'], name='majuu_customer_by_store'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('id', 'livemode'), name='majuu_customer_mode'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('store', 'livemode', 'reference'), name='majuu_customer_reference_once'),
        ),
        migrations.AddIndex(
            model_name='savedmethod',
            index=models.Index(condition=models.Q(('follow_up_at__isnull', False)), fields=['follow_up_at'], name='majuu_saved_due'),
        ),
        migrations.AddConstraint(
            model_name='savedmethod',
            constraint=models.UniqueConstraint(fields=('provider_account', 'provider_reference'), name='majuu_saved_provider_reference_once'),
        ),
        migrations.AddConstraint(
            model_name='savedmethod',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'active'), _negated=True), models.Q(('method_reference', ''), _negated=True), _connector='OR'), name='majuu_saved_active_has_reference'),
        ),
        CompositeForeignKey(
            "majuu_saved_customer_mode",
            "majuu_payments_savedmethod",
            ("customer_id", "livemode"),
            "majuu_payments_customer",
            ("id", "livemode"),
        ),
        CompositeForeignKey(
            "majuu_saved_account_mode",
            "majuu_payments_savedmethod",
            ("provider_account_id", "livemode"),
            "majuu_merchants_provideraccount",
            ("id", "livemode"),
        ),
        ExactText("majuu_payments_customer", "reference", 64, null=True),
        ExactText("majuu_payments_savedmethod", "provider_reference", 128, null=True),
    ]

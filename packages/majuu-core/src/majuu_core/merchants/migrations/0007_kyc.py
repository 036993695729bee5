import django.db.models.deletion
import django_countries.fields
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.conf import settings
from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0006_breaker'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='KycCase',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('draft', 'Being filled in'), ('submitted', 'Waiting for a reviewer'), ('in_review', 'In review'), ('second_review', 'Waiting for a second reviewer'), ('needs_more', 'More is needed'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('reverification_due', 'To be confirmed again')], default='draft', max_length=24)),
                ('risk', models.CharField(choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High')], default='normal', max_length=8)),
                ('legal_form', models.CharField(blank=True, choices=[('sole_proprietor', 'Sole proprietor'), ('partnership', 'Partnership'), ('private_company', 'Private limited company'), ('public_company', 'Public limited company'), ('cooperative', 'Cooperative or SACCO'), ('non_profit', 'NGO, society or trust'), ('public_body', 'Public body'), ('foreign_company', 'Foreign company')], max_length=24)),
                ('registered_name', models.CharField(blank=True, max_length=200)),
                ('registration_number', models.CharField(blank=True, max_length=64)),
                ('tax_pin', models.CharField(blank=True, help_text='In Kenya such as P051234567Z.', max_length=32, verbose_name='KRA PIN')),
                ('vat_number', models.CharField(blank=True, max_length=32, verbose_name='VAT number')),
                ('address', models.CharField(blank=True, help_text='Where the business is to be found.', max_length=300)),
                ('city', models.CharField(blank=True, max_length=100)),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('country', django_countries.fields.CountryField(default='KE', max_length=2)),
                ('website', models.URLField(blank=True)),
                ('description', models.TextField(blank=True, help_text='What is sold, and to whom.', max_length=2000)),
                ('settlement_kind', models.CharField(blank=True, choices=[('bank', 'Bank account'), ('till', 'M-Pesa till'), ('paybill', 'M-Pesa paybill')], max_length=8)),
                ('settlement_bank', models.CharField(blank=True, help_text='The bank and its branch.', max_length=100)),
                ('settlement_name', models.CharField(blank=True, help_text='Whose account it is.', max_length=200)),
                ('settlement_account', models.TextField(blank=True, editable=False, help_text='Encrypted; bound to this row.')),
                ('first_approver', models.CharField(blank=True, help_text='Who said the first of two yeses.', max_length=80)),
                ('told', models.CharField(blank=True, help_text='What the business was told last.', max_length=1000)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('screened_at', models.DateTimeField(blank=True, null=True)),
                ('next_review_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'KYC case',
                'permissions': [('review_kyccase', 'Can review KYC cases and decide about them')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='KycDecision',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('submitted', 'Submitted'), ('assigned', 'Assigned'), ('asked_for_more', 'Asked for more'), ('noted', 'Note'), ('risk_set', 'Risk set'), ('first_approval', 'Approved by the first of two'), ('sent_back', 'Sent back to the first reviewer'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('reopened', 'Opened again by the business'), ('review_due', 'To be confirmed again'), ('screened', 'Compared with sanctions lists'), ('hit_cleared', 'Resemblance cleared'), ('hit_confirmed', 'Resemblance confirmed'), ('document_accepted', 'Document accepted'), ('document_refused', 'Document refused')], max_length=24)),
                ('from_state', models.CharField(blank=True, max_length=24)),
                ('to_state', models.CharField(blank=True, max_length=24)),
                ('actor', models.CharField(help_text='Such as "user:12", or "system".', max_length=80)),
                ('reason', models.CharField(blank=True, max_length=2000)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'KYC decision',
            },
        ),
        migrations.CreateModel(
            name='KycDocument',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('registration', 'Certificate of registration or incorporation'), ('tax_pin', 'KRA PIN certificate'), ('ownership', 'CR12 or list of owners'), ('identity', 'Identity document'), ('address', 'Proof of address'), ('settlement', 'Bank letter or till confirmation'), ('licence', 'Licence'), ('other', 'Something else')], max_length=16)),
                ('name', models.CharField(help_text='As it was uploaded.', max_length=200)),
                ('content_type', models.CharField(help_text='As its bytes say.', max_length=64)),
                ('size', models.PositiveIntegerField(help_text='Bytes of the cleaned file.')),
                ('sha256', models.CharField(help_text='Of the cleaned file.', max_length=64)),
                ('storage_name', models.CharField(editable=False, max_length=64, unique=True)),
                ('file_key', models.TextField(editable=False, help_text='What opens the file. Encrypted; bound to this row.')),
                ('state', models.CharField(choices=[('uploaded', 'Uploaded'), ('accepted', 'Accepted'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn by the business')], default='uploaded', max_length=16)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'KYC document',
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='KycHit',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('list_code', models.CharField(max_length=64)),
                ('entry_id', models.CharField(max_length=128)),
                ('entry_name', models.CharField(help_text='The name on the list that resembles most.', max_length=300)),
                ('entry_details', models.CharField(blank=True, help_text='Birth dates and countries on the list.', max_length=300)),
                ('matched_name', models.CharField(help_text='The name in the case.', max_length=300)),
                ('score', models.PositiveSmallIntegerField(help_text='0 to 100.')),
                ('explanation', models.CharField(blank=True, max_length=500)),
                ('fingerprint', models.CharField(help_text="Changes when the list's entry or the name here changes.", max_length=64)),
                ('state', models.CharField(choices=[('open', 'To be looked at'), ('cleared', 'Somebody else'), ('confirmed', 'The same')], default='open', max_length=16)),
                ('decided_by', models.CharField(blank=True, max_length=80)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'sanctions hit',
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='KycLetter',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, default=majuu_core.common.clock.now, null=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'KYC letter',
            },
        ),
        migrations.CreateModel(
            name='KycPerson',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('is_director', models.BooleanField(default=False)),
                ('is_owner', models.BooleanField(default=False)),
                ('is_signatory', models.BooleanField(default=False)),
                ('nationality', django_countries.fields.CountryField(max_length=2)),
                ('id_kind', models.CharField(choices=[('national_id', 'National identity card'), ('passport', 'Passport'), ('alien_id', 'Alien identity card'), ('military_id', 'Military identity card')], max_length=16)),
                ('identity', models.TextField(editable=False, help_text='Encrypted; bound to this row.')),
                ('share_percent', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'person of a KYC case',
                'verbose_name_plural': 'people of KYC cases',
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='LiveApproval',
            fields=[
                ('merchant', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='live_approval', serialize=False, to='majuu_merchants.merchant')),
                ('approved_by', models.CharField(help_text='Such as "user:12", or "system".', max_length=80)),
                ('approved_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
        ),
        migrations.AddField(
            model_name='kyccase',
            name='assignee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='kyccase',
            name='merchant',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='kyc_case', to='majuu_merchants.merchant'),
        ),
        migrations.AddField(
            model_name='kycdecision',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='majuu_merchants.kyccase'),
        ),
        migrations.AddField(
            model_name='kycdocument',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='majuu_merchants.kyccase'),
        ),
        migrations.AddField(
            model_name='kycdocument',
            name='uploaded_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='kychit',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='majuu_merchants.kyccase'),
        ),
        migrations.AddField(
            model_name='kycletter',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='letters', to='majuu_merchants.kyccase'),
        ),
        migrations.AddField(
            model_name='kycperson',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='people', to='majuu_merchants.kyccase'),
        ),
        migrations.AddField(
            model_name='kychit',
            name='person',
            field=models.ForeignKey(blank=True, help_text='None: the business.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='majuu_merchants.kycperson'),
        ),
        migrations.AddField(
            model_name='kycdocument',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='majuu_merchants.kycperson'),
        ),
        migrations.AddField(
            model_name='liveapproval',
            name='case',
            field=models.ForeignKey(help_text='None: approved without a case.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='majuu_merchants.kyccase'),
        ),
        migrations.AddIndex(
            model_name='kyccase',
            index=models.Index(fields=['state', 'submitted_at', 'id'], name='majuu_kyc_queue'),
        ),
        migrations.AddIndex(
            model_name='kyccase',
            index=models.Index(fields=['state', 'next_review_on'], name='majuu_kyc_review_due'),
        ),
        migrations.AddIndex(
            model_name='kyccase',
            index=models.Index(fields=['screened_at'], name='majuu_kyc_screened'),
        ),
        migrations.AddIndex(
            model_name='kycdecision',
            index=models.Index(fields=['case', 'id'], name='majuu_kyc_decisions'),
        ),
        migrations.AddIndex(
            model_name='kycletter',
            index=models.Index(fields=['next_attempt_at'], name='majuu_kyc_letter_due'),
        ),
        migrations.AddConstraint(
            model_name='kycperson',
            constraint=models.CheckConstraint(condition=models.Q(('share_percent__isnull', True), models.Q(('share_percent__gt', 0), ('share_percent__lte', 100)), _connector='OR'), name='majuu_kyc_person_share'),
        ),
        migrations.AddConstraint(
            model_name='kychit',
            constraint=models.UniqueConstraint(fields=('case', 'fingerprint'), name='majuu_kyc_hit_once'),
        ),
        migrations.AddConstraint(
            model_name='kychit',
            constraint=models.CheckConstraint(condition=models.Q(('score__lte', 100)), name='majuu_kyc_hit_score'),
        ),
        KeepTriggers(
            [
                migrations.AddConstraint(
                    model_name='store',
                    constraint=models.UniqueConstraint(fields=('id', 'merchant'), name='majuu_store_of_merchant'),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='live_approval',
                    field=models.ForeignKey(blank=True, editable=False, help_text="What lets a live key exist: the approval of its store's business.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='majuu_merchants.liveapproval'),
                ),
            ]
        ),
    ]

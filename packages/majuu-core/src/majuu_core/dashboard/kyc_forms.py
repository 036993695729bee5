"""The forms of the verification of a business."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import lazy
from django_countries import countries

from majuu_core.merchants.kyc.cases import PersonDetails
from majuu_core.merchants.models import KycCase, KycDocument, KycPerson

_COUNTRIES = lazy(lambda: [("", "Choose …"), *countries], list)
_CHOOSE: list[tuple[str, str]] = [("", "Choose …")]
_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class BusinessForm(forms.Form):
    """What a business is. Everything may be left for later; what is missing is said before it is submitted."""

    is_open = True  # no field is called optional: most are needed in the end
    legal_form = forms.ChoiceField(label="Legal form", choices=_CHOOSE + KycCase.LegalForm.choices, required=False)
    registered_name = forms.CharField(label="Registered name", max_length=200, required=False)
    registration_number = forms.CharField(label="Registration number", max_length=64, required=False)
    tax_pin = forms.CharField(label="KRA PIN", max_length=32, required=False, help_text="Such as P051234567Z.")
    vat_number = forms.CharField(label="VAT number, if there is one", max_length=32, required=False)
    country = forms.ChoiceField(label="Country", choices=_COUNTRIES)
    city = forms.CharField(label="Town", max_length=100, required=False)
    address = forms.CharField(
        label="Address", max_length=300, required=False, help_text="Where the business is to be found."
    )
    postal_code = forms.CharField(label="Postal code, if there is one", max_length=20, required=False)
    website = forms.URLField(label="Website, if there is one", max_length=200, required=False, assume_scheme="https")
    description = forms.CharField(
        label="What you sell, and to whom", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class AccountForm(forms.Form):
    """Where the money goes."""

    is_open = True
    settlement_kind = forms.ChoiceField(label="Kind", choices=_CHOOSE + KycCase.Settlement.choices)
    settlement_name = forms.CharField(label="Whose account it is", max_length=200)
    settlement_bank = forms.CharField(
        label="Bank and branch", max_length=100, required=False, help_text="Of a bank account."
    )
    settlement_account = forms.CharField(
        label="Number of the account, till or paybill",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class PersonForm(forms.Form):
    """Somebody behind the business."""

    name = forms.CharField(label="Whole name", max_length=200, help_text="As on the identity document.")
    nationality = forms.ChoiceField(label="Nationality", choices=_COUNTRIES, initial="KE")
    born_on = forms.DateField(label="Born on", widget=_DATE)
    id_kind = forms.ChoiceField(label="Identity document", choices=_CHOOSE + KycPerson.IdKind.choices)
    id_number = forms.CharField(
        label="Its number", max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    is_director = forms.BooleanField(label="Is a director", required=False)
    is_owner = forms.BooleanField(label="Is an owner", required=False)
    is_signatory = forms.BooleanField(label="May sign for the business", required=False)
    share_percent = forms.DecimalField(
        label="Share in percent", required=False, max_digits=5, decimal_places=2, help_text="Of an owner."
    )

    def details(self) -> PersonDetails:
        """What was entered, once it is valid."""
        return PersonDetails(**self.cleaned_data)


class DocumentForm(forms.Form):
    """One file."""

    kind = forms.ChoiceField(label="What it is", choices=_CHOOSE + KycDocument.Kind.choices)
    person = forms.ChoiceField(label="Whose it is", required=False, help_text="For an identity document.")
    file = forms.FileField(
        label="File",
        help_text="PDF, JPEG or PNG.",
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )

    def __init__(self, *args: Any, people: list[KycPerson], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(person.public_id, person.name) for person in people]
        person_field: Any = self.fields["person"]
        person_field.choices = [("", "The business"), *named]

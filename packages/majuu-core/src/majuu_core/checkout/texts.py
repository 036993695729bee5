"""Every sentence of the customer's page, in English and Swahili.

A field without a text in one of the languages is an error at import. Placeholders such as ``{method}`` must be the same
in both; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Language = Literal["en", "sw"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The page in one language. Names say where a text stands."""

    title: str
    language_name: str
    other_language: str
    skip: str
    test_ribbon: str
    test_note: str
    amount_to_pay: str
    amount_remaining: str
    of_total: str
    order: str
    # the form
    choose_method: str
    pay_with: str
    phone_label: str
    email_label: str
    optional: str
    phone_hint: str
    pay_button: str
    sending: str
    prompt_promise: str
    pin_warning: str
    mock_hint: str
    bank_transfer: str
    bank_transfer_note: str
    cash: str
    cash_note: str
    form_error: str
    other_ways: str
    leave_note: str
    you_pay: str
    # while it goes on
    prompt_title: str
    prompt_text: str
    prompt_text_no_phone: str
    prompt_time_left: str
    prompt_step_1: str
    prompt_step_2: str
    prompt_step_3: str
    prompt_none: str
    processing_title: str
    processing_text: str
    checking_title: str
    checking_text: str
    do_not_pay_again: str
    redirect_title: str
    redirect_text: str
    redirect_button: str
    returned_title: str
    returned_text: str
    instructions_title: str
    instructions_reference: str
    transfer_title: str
    transfer_step_1: str
    transfer_step_2: str
    transfer_step_3: str
    cash_title: str
    cash_step_1: str
    cash_step_2: str
    bank_name: str
    branch: str
    account_name: str
    account_number: str
    iban: str
    swift: str
    copy: str
    copied: str
    other_method: str
    other_method_text: str
    authorized_title: str
    authorized_text: str
    page_updates: str
    refresh: str
    # how it ended
    paid_title: str
    paid_text: str
    paid_surplus: str
    receipt: str
    receipt_coming: str
    covers: str
    paid_on: str
    paid_by: str
    paid_to: str
    amount: str
    keep_receipt: str
    back_to_store: str
    failed_title: str
    failed_part_title: str
    not_charged: str
    retry_button: str
    partial_title: str
    partial_text: str
    review_title: str
    review_text: str
    canceled_title: str
    canceled_text: str
    canceled_open: str
    expired_title: str
    expired_text: str
    unavailable_title: str
    unavailable_text: str
    not_found_title: str
    not_found_text: str
    # at the foot
    secure_note: str
    months: tuple[str, ...]


ENGLISH = Texts(
    title="Pay {store}",
    language_name="English",
    other_language="Language",
    skip="Skip to the payment",
    test_ribbon="Test mode",
    test_note="This is a test. No real money moves.",
    amount_to_pay="Amount to pay",
    amount_remaining="Still to pay",
    of_total="of {amount}",
    order="Order",
    choose_method="How would you like to pay?",
    pay_with="Pay with {method}",
    phone_label="{method} phone number",
    email_label="E-mail address",
    optional="optional",
    phone_hint="For example 0712 345 678",
    pay_button="Pay {amount}",
    sending="One moment…",
    prompt_promise="A request will appear on this phone. You approve it there with your PIN.",
    pin_warning="This page never asks for your PIN. Enter it on your own phone only.",
    mock_hint="The amount decides what a test payment does: 7701 fails for lack of money, 7721 takes five seconds, the "
    "answer to 7731 gets lost. Any other amount succeeds.",
    bank_transfer="Bank transfer",
    bank_transfer_note="You get the account number and a reference to write on your transfer.",
    cash="Cash",
    cash_note="You see where to pay, and get a reference to say there.",
    form_error="Please look at this again.",
    other_ways="Or pay another way",
    leave_note="You finish the payment on the provider's own page and come back here.",
    you_pay="You pay {charged} ({rate})",
    prompt_title="Check your phone",
    prompt_text="We sent a request for {amount} to {phone}.",
    prompt_text_no_phone="We sent a request for {amount} to your phone.",
    prompt_time_left="Time left to approve",
    prompt_step_1="Unlock your phone; the {method} request opens by itself.",
    prompt_step_2="Check that it says {amount}.",
    prompt_step_3="Enter your {method} PIN and send it.",
    prompt_none="Nothing on your phone? Make sure it is on and has signal, and wait here. If the request does not come "
    "before the time is over, you can try again.",
    processing_title="Your payment is on its way",
    processing_text="We are waiting for the answer of {method}. This takes a few seconds as a rule.",
    checking_title="We are checking your payment",
    checking_text="{method} has not told us yet whether you paid. We keep asking. You may close this page and open it "
    "again later with the same link.",
    do_not_pay_again="Please do not pay again meanwhile.",
    redirect_title="Continue at {method}",
    redirect_text="You finish this payment on the page of {method} and come back here.",
    redirect_button="Continue to {method}",
    returned_title="Waiting for {method}",
    returned_text="If you have finished there, this page shows it in a moment. If you have not, go on where you left.",
    instructions_title="How to pay",
    instructions_reference="Reference",
    transfer_title="Pay by bank transfer",
    transfer_step_1="In your bank's app or at the counter, send {amount} to this account.",
    transfer_step_2="Write the reference {reference} as reason for payment, and nothing else. It tells {store} that "
    "the money is yours.",
    transfer_step_3="{store} sees the money within one or two working days. You need not wait here: this link shows "
    "when it has arrived.",
    cash_title="Pay in cash",
    cash_step_1="Bring {amount} and say the reference {reference}.",
    cash_step_2="This page changes once {store} has confirmed your payment. Ask for a receipt.",
    bank_name="Bank",
    branch="Branch",
    account_name="Account name",
    account_number="Account number",
    iban="IBAN",
    swift="SWIFT",
    copy="Copy",
    copied="Copied",
    other_method="Pay in another way",
    other_method_text="If you have sent the money already, do not pay again: it will be found.",
    authorized_title="Your payment is reserved",
    authorized_text="The amount is set aside for {store}, which takes it when your order is ready, or releases it. You "
    "need not do anything more.",
    page_updates="This page updates by itself.",
    refresh="Look again",
    paid_title="Payment received",
    paid_text="Thank you. {store} has been told.",
    paid_surplus="You paid {amount} more than was asked. {store} sees this and can give it back.",
    receipt="Receipt number",
    receipt_coming="on its way",
    covers="Covers",
    paid_on="Date",
    paid_by="Paid with",
    paid_to="Paid to",
    amount="Amount",
    keep_receipt="Keep the receipt number. It proves your payment.",
    back_to_store="Back to {store}",
    failed_title="The payment did not go through",
    failed_part_title="The last payment did not go through",
    not_charged="You have not been charged for it.",
    retry_button="Try again: pay {amount}",
    partial_title="Part of it is paid",
    partial_text="{paid} of {amount} has arrived. {remaining} remains to be paid.",
    review_title="Your payment is being looked at",
    review_text="A person has to look at this payment before it is settled. Please do not pay again. Ask {store} if "
    "you have questions.",
    canceled_title="This payment was cancelled",
    canceled_text="{store} cancelled this request. There is nothing to pay here.",
    canceled_open="If you have approved the request on your phone already, do not pay again: we are checking, and this "
    "page will show what became of it.",
    expired_title="This payment link has expired",
    expired_text="It can no longer be paid. Ask {store} for a new one.",
    unavailable_title="This cannot be paid right now",
    unavailable_text="{store} has no way to take this payment at the moment. Please tell them, and try again later.",
    not_found_title="There is no payment here",
    not_found_text="Check that the whole link was copied, or ask the shop for a new one.",
    secure_note="Your payment goes straight to the provider. Card numbers and PINs are never stored here.",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

SWAHILI = Texts(
    title="Lipa {store}",
    language_name="Kiswahili",
    other_language="Lugha",
    skip="Ruka hadi kwenye malipo",
    test_ribbon="Jaribio",
    test_note="Hili ni jaribio. Hakuna pesa halisi zinazotumwa.",
    amount_to_pay="Kiasi cha kulipa",
    amount_remaining="Kilichobaki kulipwa",
    of_total="kati ya {amount}",
    order="Oda",
    choose_method="Ungependa kulipa vipi?",
    pay_with="Lipa kwa {method}",
    phone_label="Nambari ya simu ya {method}",
    email_label="Barua pepe",
    optional="si lazima",
    phone_hint="Kwa mfano 0712 345 678",
    pay_button="Lipa {amount}",
    sending="Subiri kidogo…",
    prompt_promise="Ombi litatokea kwenye simu hii. Utalithibitisha hapo kwa PIN yako.",
    pin_warning="Ukurasa huu hauulizi PIN yako kamwe. Iweke kwenye simu yako mwenyewe tu.",
    mock_hint="Kiasi ndicho kinachoamua matokeo ya jaribio: 7701 hushindwa kwa kukosa pesa, 7721 huchukua sekunde "
    "tano, jibu la 7731 hupotea. Kiasi kingine chochote hufaulu.",
    bank_transfer="Benki",
    bank_transfer_note="Utapata nambari ya akaunti na kumbukumbu ya kuandika unapotuma.",
    cash="Pesa taslimu",
    cash_note="Utaona mahali pa kulipia, na kupata kumbukumbu ya kutaja hapo.",
    form_error="Tafadhali angalia tena hapa.",
    other_ways="Au lipa kwa njia nyingine",
    leave_note="Utamalizia malipo kwenye ukurasa wa mtoa huduma kisha urudi hapa.",
    you_pay="Utalipa {charged} ({rate})",
    prompt_title="Angalia simu yako",
    prompt_text="Tumetuma ombi la {amount} kwa {phone}.",
    prompt_text_no_phone="Tumetuma ombi la {amount} kwenye simu yako.",
    prompt_time_left="Muda uliobaki kuthibitisha",
    prompt_step_1="Fungua simu yako; ombi la {method} litatokea lenyewe.",
    prompt_step_2="Hakikisha linasema {amount}.",
    prompt_step_3="Weka PIN yako ya {method} kisha utume.",
    prompt_none="Huoni chochote kwenye simu? Hakikisha imewashwa na ina mtandao, kisha subiri hapa. Ombi lisipofika "
    "kabla ya muda kwisha, unaweza kujaribu tena.",
    processing_title="Malipo yako yanashughulikiwa",
    processing_text="Tunasubiri jibu la {method}. Kwa kawaida huchukua sekunde chache.",
    checking_title="Tunakagua malipo yako",
    checking_text="{method} bado haijatuambia kama umelipa. Tunaendelea kuuliza. Unaweza kufunga ukurasa huu na "
    "kuufungua tena baadaye kwa kiungo hiki hiki.",
    do_not_pay_again="Tafadhali usilipe tena kwa sasa.",
    redirect_title="Endelea kwenye {method}",
    redirect_text="Utamalizia malipo haya kwenye ukurasa wa {method} kisha urudi hapa.",
    redirect_button="Endelea kwenye {method}",
    returned_title="Tunasubiri {method}",
    returned_text="Kama umemaliza huko, ukurasa huu utaonyesha hivi punde. Kama bado, endelea ulipoachia.",
    instructions_title="Jinsi ya kulipa",
    instructions_reference="Kumbukumbu",
    transfer_title="Lipa kwa benki",
    transfer_step_1="Tuma {amount} kwa akaunti hii, kwa programu ya benki yako au kwenye kaunta.",
    transfer_step_2="Andika kumbukumbu {reference} kama sababu ya malipo, bila maneno mengine. Hiyo ndiyo inayoonyesha "
    "{store} kuwa pesa ni zako.",
    transfer_step_3="{store} huona pesa ndani ya siku moja au mbili za kazi. Huna haja ya kusubiri hapa: kiungo hiki "
    "kitaonyesha zikifika.",
    cash_title="Lipa taslimu",
    cash_step_1="Lete {amount} na utaje kumbukumbu {reference}.",
    cash_step_2="Ukurasa huu utabadilika {store} ikithibitisha malipo yako. Omba risiti.",
    bank_name="Benki",
    branch="Tawi",
    account_name="Jina la akaunti",
    account_number="Nambari ya akaunti",
    iban="Nambari ya IBAN",
    swift="Msimbo wa SWIFT",
    copy="Nakili",
    copied="Imenakiliwa",
    other_method="Lipa kwa njia nyingine",
    other_method_text="Kama tayari umetuma pesa, usilipe tena: zitapatikana.",
    authorized_title="Malipo yako yametengwa",
    authorized_text="Kiasi hiki kimetengwa kwa ajili ya {store}, itakayokichukua oda yako ikiwa tayari, au "
    "kukiachilia. Huhitaji kufanya jambo lingine.",
    page_updates="Ukurasa huu hujisasisha wenyewe.",
    refresh="Angalia tena",
    paid_title="Malipo yamepokelewa",
    paid_text="Asante. {store} imejulishwa.",
    paid_surplus="Umelipa {amount} zaidi ya kiasi kilichoombwa. {store} inaona hili na inaweza kukurudishia.",
    receipt="Nambari ya risiti",
    receipt_coming="iko njiani",
    covers="Kinalipia",
    paid_on="Tarehe",
    paid_by="Umelipa kwa",
    paid_to="Duka",
    amount="Kiasi",
    keep_receipt="Hifadhi nambari ya risiti. Ni uthibitisho wa malipo yako.",
    back_to_store="Rudi kwa {store}",
    failed_title="Malipo hayakufaulu",
    failed_part_title="Malipo ya mwisho hayakufaulu",
    not_charged="Hujatozwa pesa yoyote kwa malipo hayo.",
    retry_button="Jaribu tena: lipa {amount}",
    partial_title="Sehemu imelipwa",
    partial_text="{paid} kati ya {amount} imefika. Bado {remaining}.",
    review_title="Malipo yako yanaangaliwa",
    review_text="Mtu anapaswa kuangalia malipo haya kabla ya kukamilika. Tafadhali usilipe tena. Uliza {store} ukiwa "
    "na swali.",
    canceled_title="Malipo haya yameghairiwa",
    canceled_text="{store} imeghairi ombi hili. Hakuna cha kulipa hapa.",
    canceled_open="Kama tayari umethibitisha ombi kwenye simu yako, usilipe tena: tunakagua, na ukurasa huu utaonyesha "
    "matokeo.",
    expired_title="Muda wa kiungo hiki umekwisha",
    expired_text="Hakiwezi kulipwa tena. Omba {store} kiungo kipya.",
    unavailable_title="Haiwezekani kulipa kwa sasa",
    unavailable_text="{store} haina njia ya kupokea malipo haya kwa sasa. Tafadhali wajulishe, kisha ujaribu baadaye.",
    not_found_title="Hakuna malipo hapa",
    not_found_text="Hakikisha kiungo chote kimenakiliwa, au omba duka kiungo kipya.",
    secure_note="Malipo yako huenda moja kwa moja kwa mtoa huduma. Nambari za kadi na PIN hazihifadhiwi hapa kamwe.",
    months=("Jan", "Feb", "Mac", "Apr", "Mei", "Jun", "Jul", "Ago", "Sep", "Okt", "Nov", "Des"),
)

TEXTS: MappingProxyType[Language, Texts] = MappingProxyType({"en": ENGLISH, "sw": SWAHILI})

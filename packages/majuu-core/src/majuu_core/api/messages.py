"""Swahili for what the API refuses. English texts are made where the refusal is; these are general, by code."""

from __future__ import annotations

FALLBACK = "Ombi halikukubaliwa. Soma ujumbe wa Kiingereza kwa maelezo zaidi."

SWAHILI: dict[str, str] = {
    "amount_changed": "Sehemu ya malipo haya imelipwa wakati huu. Angalia tena kisha ujaribu upya.",
    "amount_invalid": 'Tuma kiasi kama maandishi ya desimali, kwa mfano "1500.00".',
    "amount_not_positive": "Kiasi lazima kizidi sifuri.",
    "amount_out_of_range": "Kiasi kimezidi kilichobaki kulipwa.",
    "amount_too_large": "Kiasi ni kikubwa mno.",
    "amount_too_precise": "Kiasi kina desimali nyingi kuliko sarafu hii.",
    "authentication_required": "Tuma ufunguo wako wa API katika kichwa cha Authorization.",
    "body_too_large": "Ombi ni kubwa mno.",
    "card_number_refused": "Hii inafanana na namba ya kadi. Usitume namba za kadi hapa.",
    "charge_in_progress": "Malipo mengine ya ombi hili bado yanaendelea. Subiri matokeo yake.",
    "charge_not_found": "Hakuna malipo kama hayo katika duka hili.",
    "currency_mismatch": "Sarafu si ile ya ombi la malipo.",
    "currency_unknown": "Sarafu hiyo haijulikani. Tumia msimbo wa ISO 4217, kama KES.",
    "event_not_found": "Hakuna tukio kama hilo katika duka hili.",
    "idempotency_key_in_use": "Ombi la kwanza lenye ufunguo huu bado linaendelea. Jaribu tena baada ya muda mfupi.",
    "idempotency_key_invalid": "Idempotency-Key si sahihi.",
    "idempotency_key_reused": "Idempotency-Key hii ilitumika kwa ombi tofauti. Tumia mpya.",
    "internal_error": "Hitilafu imetokea upande wetu. Jaribu tena kwa Idempotency-Key ile ile.",
    "json_invalid": "Ombi si JSON sahihi.",
    "key_expired": "Ufunguo wa API umekwisha muda.",
    "key_revoked": "Ufunguo wa API umebatilishwa.",
    "key_unknown": "Ufunguo wa API haujulikani.",
    "limit_invalid": "limit lazima iwe kati ya 1 na 100.",
    "cursor_invalid": "cursor si sahihi. Tumia next_cursor ya jibu lililotangulia.",
    "merchant_suspended": "Akaunti ya mfanyabiashara imesimamishwa.",
    "metadata_too_large": "metadata ni kubwa mno.",
    "method_not_allowed": "Njia hii ya HTTP hairuhusiwi hapa.",
    "no_provider_account": "Duka hili halina akaunti ya mtoa huduma kwa njia hii ya malipo.",
    "not_found": "Anwani hii haipo.",
    "parameter_invalid": "Sehemu ya ombi si sahihi.",
    "parameter_missing": "Sehemu ya ombi inakosekana.",
    "parameter_unknown": "Ombi lina sehemu isiyojulikana.",
    "claim_undone": "Dai hili limeshabatilishwa.",
    "incoming_payment_claimed": "Risiti hii imeshadaiwa.",
    "incoming_payment_held": "Malipo yanayoendelea yanaweza kuwa pesa hizi. Jaribu tena baada ya nusu dakika.",
    "incoming_payment_not_found": "Hakuna malipo kama hayo katika duka hili.",
    "incoming_payment_unverified": "Mtoa huduma bado hajathibitisha malipo haya. Jaribu tena baada ya nusu dakika.",
    "receipt_not_found": "Hakuna pesa zenye risiti hii ambazo duka hili linaweza kudai.",
    "reference_missing": "Sema pesa ni za nini: namba ya oda yako.",
    "payment_intent_expired": "Muda wa ombi la malipo umekwisha. Tengeneza jipya.",
    "payment_intent_final": "Ombi la malipo limekwisha; haliwezi kulipwa.",
    "payment_intent_not_payable": "Ombi la malipo haliwezi kulipwa sasa.",
    "provider_account_unusable": "Akaunti ya njia hii ya malipo haiwezi kutumika kwa sasa.",
    "capture_method_unsupported": "Njia hiyo ya kukamilisha malipo haitolewi.",
    "payment_intent_not_found": "Hakuna ombi la malipo kama hilo katika duka hili.",
    "payment_intent_partially_paid": "Sehemu ya malipo imelipwa; irudishe badala ya kughairi.",
    "payment_intent_succeeded": "Malipo yamekamilika; yarudishe badala ya kughairi.",
    "payment_intent_under_review": "Pesa za ombi hili zinachunguzwa. Usilipe tena.",
    "payment_method_currency_unsupported": "Njia hii ya malipo haipokei sarafu hii.",
    "payment_method_not_offered": "Ombi hili la malipo halipokei njia hiyo.",
    "payment_method_unknown": "Njia hiyo ya malipo haijulikani.",
    "phone_invalid": "Namba ya simu si sahihi. Tumia mfano 0712 345 678.",
    "scope_missing": "Ufunguo huu hauruhusu kitendo hiki.",
    "secret_key_required": "Tumia ufunguo wa siri (sk_…) kwa ombi hili.",
    "too_many_attempts": "Umejaribu mara nyingi mno. Subiri kidogo kisha ujaribu tena.",
    "webhook_endpoint_not_found": "Hakuna anwani ya webhook kama hiyo katika duka hili.",
}


def in_swahili(code: str) -> str:
    """The Swahili text of a refusal."""
    return SWAHILI.get(code, FALLBACK)

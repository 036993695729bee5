"""Why a payment failed, in the customer's own words, and what to do next. English and Swahili."""

from __future__ import annotations

from majuu_core.providers import Explanation

LANGUAGES = ("en", "sw")

_Both = dict[str, Explanation]


def explain(code: str, *, language: str) -> Explanation | None:
    """The explanation of an M-Pesa code; English for a language we do not speak, None for a code we do not know.

    A code without an explanation is shown with Safaricom's own text, which the failure carries.
    """
    found = EXPLANATIONS.get(code)
    return found[language if language in LANGUAGES else "en"] if found else None


def _both(*, en: tuple[str, str], sw: tuple[str, str]) -> _Both:
    return {
        "en": Explanation(text=en[0], next_step=en[1]),
        "sw": Explanation(text=sw[0], next_step=sw[1]),
    }


_NOT_REACHED = _both(
    en=(
        "The payment request could not be sent to your phone.",
        "Check that your phone is on and has network, then try again.",
    ),
    sw=(
        "Ombi la malipo halikuweza kutumwa kwenye simu yako.",
        "Hakikisha simu yako imewashwa na ina mtandao, kisha ujaribu tena.",
    ),
)
_SHOP_SETUP = _both(
    en=(
        "The shop's M-Pesa account is not set up for this payment. You have not been charged.",
        "Tell the shop. Trying again will not help until they have corrected it.",
    ),
    sw=(
        "Akaunti ya M-Pesa ya biashara hii haijawekwa sawa kwa malipo haya. Hujatozwa pesa yoyote.",
        "Mjulishe muuzaji. Kujaribu tena hakutasaidia hadi atakaporekebisha.",
    ),
)
_SUBSCRIBER_BUSY = _both(
    en=(
        "Another M-Pesa request is still open on your phone.",
        "Finish it or close it, wait a minute, then try again.",
    ),
    sw=(
        "Kuna ombi lingine la M-Pesa ambalo bado linaendelea kwenye simu yako.",
        "Likamilishe au ulifunge, subiri dakika moja, kisha ujaribu tena.",
    ),
)

EXPLANATIONS: dict[str, _Both] = {
    "1": _both(
        en=(
            "There is not enough money in your M-Pesa account for this payment.",
            "Top up your M-Pesa or check your Fuliza limit, then try again.",
        ),
        sw=(
            "Salio lako la M-Pesa halitoshi kwa malipo haya.",
            "Ongeza pesa kwenye M-Pesa yako au angalia kiwango chako cha Fuliza, kisha ujaribu tena.",
        ),
    ),
    "2": _both(
        en=("The amount is below the smallest that M-Pesa accepts.", "Ask the shop to correct the amount."),
        sw=(
            "Kiasi hiki ni kidogo kuliko kiwango cha chini kinachokubaliwa na M-Pesa.",
            "Mwombe muuzaji arekebishe kiasi hicho.",
        ),
    ),
    "3": _both(
        en=(
            "The amount is above what M-Pesa allows in one payment.",
            "Pay a smaller amount, or ask the shop for another way to pay.",
        ),
        sw=(
            "Kiasi hiki kinazidi kiwango cha juu ambacho M-Pesa inaruhusu kwa malipo ya mara moja.",
            "Lipa kiasi kidogo zaidi, au mwulize muuzaji njia nyingine ya kulipa.",
        ),
    ),
    "4": _both(
        en=("You have reached your M-Pesa limit for today.", "Try again tomorrow, or pay another way."),
        sw=(
            "Umefikia kiwango chako cha juu cha M-Pesa kwa leo.",
            "Jaribu tena kesho, au lipa kwa njia nyingine.",
        ),
    ),
    "5": _both(
        en=(
            "This payment would leave less in your M-Pesa account than M-Pesa allows.",
            "Top up your M-Pesa, then try again.",
        ),
        sw=(
            "Malipo haya yangepunguza salio lako la M-Pesa chini ya kiwango kinachoruhusiwa.",
            "Ongeza pesa kwenye M-Pesa yako, kisha ujaribu tena.",
        ),
    ),
    "6": _both(
        en=(
            "M-Pesa could not find the account that was to pay.",
            "Check that your number is registered for M-Pesa, then try again.",
        ),
        sw=(
            "M-Pesa haikupata akaunti ya kulipia.",
            "Hakikisha nambari yako imesajiliwa kwa M-Pesa, kisha ujaribu tena.",
        ),
    ),
    "7": _SHOP_SETUP,
    "8": _both(
        en=(
            "The shop's M-Pesa account cannot take more money at the moment. You have not been charged.",
            "Tell the shop and try again later, or pay another way.",
        ),
        sw=(
            "Akaunti ya M-Pesa ya biashara hii haiwezi kupokea pesa zaidi kwa sasa. Hujatozwa pesa yoyote.",
            "Mjulishe muuzaji na ujaribu tena baadaye, au lipa kwa njia nyingine.",
        ),
    ),
    "17": _both(
        en=(
            "M-Pesa refused this payment, often because the same amount was sent a moment ago.",
            "Check your M-Pesa messages in case you have paid already. If not, wait two minutes and try again.",
        ),
        sw=(
            "M-Pesa imekataa malipo haya, mara nyingi kwa sababu kiasi kama hiki kimetumwa muda mfupi uliopita.",
            "Angalia ujumbe wako wa M-Pesa, huenda tayari umelipa. Kama hujalipa, subiri dakika mbili kisha "
            "ujaribu tena.",
        ),
    ),
    "26": _both(
        en=("M-Pesa is very busy at the moment.", "Wait a few minutes, then try again."),
        sw=("M-Pesa ina shughuli nyingi kwa sasa.", "Subiri dakika chache, kisha ujaribu tena."),
    ),
    "1001": _SUBSCRIBER_BUSY,
    "1019": _both(
        en=(
            "The payment request expired before it was completed.",
            "Try again, and enter your PIN as soon as the request appears on your phone.",
        ),
        sw=(
            "Muda wa ombi la malipo uliisha kabla ya malipo kukamilika.",
            "Jaribu tena, na uweke PIN yako mara tu ombi linapotokea kwenye simu.",
        ),
    ),
    "1025": _NOT_REACHED,
    "1031": _both(
        en=(
            "No answer came from your phone in time.",
            "Try again, and enter your PIN when the request appears on your phone.",
        ),
        sw=(
            "Hatukupata jibu kutoka kwa simu yako kwa wakati.",
            "Jaribu tena, na uweke PIN yako ombi linapotokea kwenye simu.",
        ),
    ),
    "1032": _both(
        en=(
            "The request was cancelled, or it closed by itself, on your phone.",
            "If you still want to pay, try again and enter your M-Pesa PIN.",
        ),
        sw=(
            "Ombi la malipo lilighairiwa au lilijifunga kwenye simu yako.",
            "Kama bado unataka kulipa, jaribu tena na uweke PIN yako ya M-Pesa.",
        ),
    ),
    "1037": _both(
        en=(
            "Your phone could not be reached, or the request was not answered.",
            "Check that your phone is on, has network and is not busy, then try again. "
            "If no request ever appears, ask Safaricom whether your SIM card is too old.",
        ),
        sw=(
            "Simu yako haikupatikana, au ombi halikujibiwa.",
            "Hakikisha simu yako imewashwa, ina mtandao na haitumiki kwa sasa, kisha ujaribu tena. "
            "Kama ombi halitokei kabisa, waulize Safaricom kama laini yako ni ya zamani mno.",
        ),
    ),
    "2001": _both(
        en=(
            "The M-Pesa PIN that was entered is wrong.",
            "Try again with the right PIN. Never tell your PIN to anyone.",
        ),
        sw=(
            "PIN ya M-Pesa iliyowekwa si sahihi.",
            "Jaribu tena kwa PIN sahihi. Usimwambie mtu yeyote PIN yako.",
        ),
    ),
    "2028": _SHOP_SETUP,
    "8006": _both(
        en=("Your M-Pesa PIN is locked.", "Call Safaricom on 100 or 200 to unlock it, then try again."),
        sw=(
            "PIN yako ya M-Pesa imefungwa.",
            "Piga simu kwa Safaricom kupitia 100 au 200 ili ifunguliwe, kisha ujaribu tena.",
        ),
    ),
    "9999": _NOT_REACHED,
    "E3008": _both(
        en=(
            "This number cannot be used in M-Pesa's test system.",
            "Use Safaricom's test number, 0708 374 149. No money moves in a test.",
        ),
        sw=(
            "Nambari hii haiwezi kutumika kwenye mfumo wa majaribio wa M-Pesa.",
            "Tumia nambari ya majaribio ya Safaricom, 0708 374 149. Hakuna pesa zinazotumwa kwenye jaribio.",
        ),
    ),
    "SFC_IC0003": _SHOP_SETUP,
    # Two answers to the request itself, before any prompt was sent.
    "400.002.02": _both(
        en=(
            "M-Pesa did not accept this payment request. You have not been charged.",
            "Check the phone number and try again. If it happens again, tell the shop.",
        ),
        sw=(
            "M-Pesa haikukubali ombi hili la malipo. Hujatozwa pesa yoyote.",
            "Kagua nambari ya simu na ujaribu tena. Likitokea tena, mjulishe muuzaji.",
        ),
    ),
    "500.001.1001": _SUBSCRIBER_BUSY,
}

"""Words of small vocabularies that services know by heart: currencies, countries, languages, time zones."""

from __future__ import annotations

from collections.abc import Iterator

from nines.lab.requests.shapes import words

_CURRENCIES = (
    "EUR USD GBP CHF JPY SEK NOK DKK PLN CZK HUF RON BGN ISK CAD AUD NZD SGD HKD CNY INR BRL MXN ZAR TRY ILS KRW THB "
    "MYR IDR PHP VND TWD AED SAR QAR KWD BHD OMR JOD EGP MAD TND KES NGN GHS UAH GEL AMD AZN KZT UZS PKR BDT LKR NPR "
    "CLP COP PEN UYU ARS BOB PYG CRC GTQ HNL NIO DOP JMD TTD BBD BSD BZD XCD FJD PGK TOP WST MUR SCR MVR BWP NAD MZN "
    "ZMW MWK TZS UGX RWF ETB XOF XAF MGA CVE GMD GNF DZD LYD IQD LBP RSD MKD ALL BAM MDL MNT KHR LAK MMK BND MOP"
)  # fmt: skip
_COUNTRIES = (
    "DE FR IT ES PT NL BE LU AT CH GB IE DK SE NO FI IS EE LV LT PL CZ SK HU SI HR RO BG GR CY MT US CA MX BR AR CL CO "
    "PE UY EC BO PY VE CR PA GT HN NI SV DO JM TT BB BS BZ CU HT AU NZ FJ PG JP KR CN TW HK MO SG MY ID PH TH VN KH LA "
    "MM IN PK BD LK NP BT MV AF IR IQ IL JO LB SA AE QA KW BH OM YE TR GE AM AZ KZ UZ KG TJ TM MN EG MA TN DZ LY SD ET "
    "KE UG TZ RW BI NG GH CI SN ML BF NE TD CM GA CG AO ZM ZW MW MZ BW NA ZA LS SZ MG MU SC CV GM GN SL LR TG BJ UA MD "
    "RS ME MK AL BA"
)  # fmt: skip
_LANGUAGES = (
    "en de fr es it pt nl sv da fi pl cs sk hu sl hr ro bg el et lv lt mt ga is sq mk sr bs uk be ru tr ka hy az kk uz "
    "ky tg mn zh ja ko vi th lo km my id ms tl hi bn ur pa gu mr ta te kn ml si ne fa ar he am sw so ha yo ig zu xh af"
)  # fmt: skip
_ZONES = (
    "UTC Europe/Berlin Europe/Paris Europe/London Europe/Madrid Europe/Rome Europe/Vienna Europe/Zurich Europe/Prague "
    "Europe/Warsaw Europe/Stockholm Europe/Oslo Europe/Helsinki Europe/Athens Europe/Lisbon Europe/Dublin "
    "America/New_York America/Chicago America/Denver America/Los_Angeles America/Toronto America/Sao_Paulo "
    "America/Mexico_City Asia/Tokyo Asia/Seoul Asia/Singapore Asia/Dubai Asia/Kolkata Asia/Bangkok Australia/Sydney "
    "Pacific/Auckland Africa/Cairo Africa/Lagos Africa/Nairobi"
)  # fmt: skip
_LISTS = {
    "currency": _CURRENCIES,
    "country": _COUNTRIES,
    "nationality": _COUNTRIES,
    "language": _LANGUAGES,
    "lang": _LANGUAGES,
    "locale": _LANGUAGES,
    "timezone": _ZONES,
    "tz": _ZONES,
}
_PLACES_MAX = 20_000


def listed(name: str) -> Iterator[str]:
    """The words that a field of this name may hold, none for most names."""
    for part in reversed(words(name)):
        if part in _LISTS:
            yield from _LISTS[part].split()
            return
        if part in ("phone", "mobile", "telephone"):
            yield from (f"+4930{901_820 + n}" for n in range(_PLACES_MAX))
            return
        if part in ("zip", "zipcode", "postcode", "postal"):
            yield from (f"{10_115 + n}" for n in range(_PLACES_MAX))
            return
        if part in ("color", "colour"):
            yield from (f"#{0x336699 + n:06x}" for n in range(_PLACES_MAX))
            return
        if part == "iban":
            yield from (_iban(n) for n in range(_PLACES_MAX))
            return


def _iban(number: int) -> str:
    """A German account with its check digits (ISO 13616, modulo 97)."""
    account = f"370400440{532_013_000 + number:09}"
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02}{account}"

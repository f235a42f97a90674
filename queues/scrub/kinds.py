"""The kinds of values that the scrub knows, in words, and what other tools' labelled files call them."""

from types import MappingProxyType
from typing import Final

# What stands on screens: one of it, and several.
WORDS: Final = MappingProxyType({
    "email": ("an e-mail address", "E-mail addresses"),
    "phone": ("a phone number", "Phone numbers"),
    "card": ("a payment card", "Payment cards"),
    "iban": ("an IBAN", "IBANs"),
    "account": ("a bank account", "Bank accounts, called so"),
    "key": ("a key or password", "Keys, tokens, passwords"),
    "wallet": ("a wallet", "Wallets of Bitcoin"),
    "national_id": ("a national id", "National ids, tax and health numbers"),
    "document": ("a passport, licence or id card", "Passports, licences, id cards, called so"),
    "plate": ("a number plate", "Number plates, called so"),
    "ip": ("an IP address", "IP addresses"),
    "mac": ("a MAC address", "MAC addresses"),
    "birthdate": ("a date of birth", "Dates of birth, called so"),
    "address": ("a postal address", "Postal addresses"),
    "name": ("a person’s name", "Names of persons"),
})  # fmt: skip
# What nothing here looks for, in words.
NOT_CLAIMED: Final = (
    "names of places, companies and websites",
    "ages, dates other than of birth, job titles, nationalities",
    "registers of companies (VAT and trade register numbers)",
    "names in other scripts than the Latin one, unless a text says that they are one",
    "what is only personal taken together, or by what a text tells",
)

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email", "email_address", "mail"),
    "phone": ("phone", "phone_number", "telephone", "telephonenum", "ph_mobile_number", "tr_phone_number"),
    "card": ("card", "credit_card", "creditcard", "creditcardnumber", "credit_card_number"),
    "iban": ("iban", "iban_code"),
    "account": ("account", "accountnum", "bank_account", "aba_routing_number", "us_bank_number", "uk_sort_code"),
    "key": ("key", "secret", "password", "api_key", "token"),
    "wallet": ("wallet", "crypto"),
    "ip": ("ip", "ip_address"),
    "mac": ("mac", "mac_address"),
    "birthdate": ("birthdate", "birth_date", "date_of_birth", "dateofbirth", "dob"),
    "address": ("address", "street_address", "street", "postal_address", "uk_postcode"),
    "name": ("name", "person", "first_name", "last_name", "givenname", "surname", "per"),
    "document": ("document", "passport", "driver_license", "us_driver_license", "uk_driving_licence",
                 "it_driver_license", "kr_driver_license", "de_fuehrerschein", "de_id_card", "it_identity_card",
                 "es_passport", "us_passport", "uk_passport", "de_passport", "in_passport", "it_passport",
                 "kr_passport", "idcardnum", "driverlicensenum"),
    "plate": ("plate", "license_plate", "vehicle_registration", "de_kfz", "in_vehicle_registration",
              "ng_vehicle_registration", "uk_vehicle_registration", "tr_license_plate"),
    "national_id": (
        "national_id", "ssn", "us_ssn", "us_itin", "us_mbi", "us_npi", "socialnum", "taxnum", "uk_nhs", "uk_nino",
        "de_tax_id", "de_tax_number", "de_social_security", "de_health_insurance", "de_lanr", "de_bsnr", "fr_nir",
        "es_nif", "es_nie", "it_fiscal_code", "pl_pesel", "nl_bsn", "fi_personal_identity_code", "se_personnummer",
        "in_aadhaar", "in_pan", "in_voter", "sg_nric_fin", "au_tfn", "au_medicare", "ca_sin", "th_tnin",
        "tr_national_id", "za_id_number", "kr_rrn", "kr_frn", "ng_nin", "ph_tin", "medical_license",
    ),
}  # fmt: skip
_OF: Final = MappingProxyType({alias: kind for kind, aliases in _ALIASES.items() for alias in aliases})
# A finding that also covers what belongs to such a value is not wrong: the town of an address.
_NEIGHBOURS: Final = MappingProxyType({
    "address": frozenset(("location", "gpe", "zip_code", "zipcode", "de_plz", "city", "state", "country")),
    "name": frozenset(("title",)),
    "birthdate": frozenset(("date_time", "date")),
    "ip": frozenset(("url",)),
})  # fmt: skip


def ours(foreign: str) -> str | None:
    """Our kind for what a labelled file calls a value; None for what nothing here looks for."""
    return _OF.get(foreign.strip().lower().replace("-", "_").replace(" ", "_"))


def belongs(foreign: str, kind: str) -> bool:
    """Whether a finding of this kind may cover a value that a file calls so."""
    return ours(foreign) == kind or foreign.strip().lower() in _NEIGHBOURS.get(kind, ())

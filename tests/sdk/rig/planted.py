"""Values that must never get through, and the search for them.

They are put together at run time, so that no file of the repository holds one and secret scanners stay calm.
"""

import random
import re
from dataclasses import dataclass

# Long enough that chance does not produce it, short enough that a leaked fragment is still caught.
CARD_RUN = 8
KEY_RUN = 12


def _luhn_digit(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@dataclass(frozen=True)
class Planted:
    """One value, the text that replaces it, and the fragments whose appearance is a leak."""

    name: str
    value: str
    mask: str
    run: int
    public_prefix: str = ""

    def fragments(self) -> list[str]:
        """Every run of `run` characters of the part that is not public anyway."""
        secret = self.value[len(self.public_prefix) :]
        return [secret[at : at + self.run] for at in range(len(secret) - self.run + 1)]

    def found_in(self, text: str) -> str | None:
        """The first fragment found in `text`, also where JSON escapes hide it."""
        for form in (text, _unescaped(text), _unescaped(_unescaped(text))):
            for fragment in self.fragments():
                if fragment in form:
                    return fragment
        return None


def _unescaped(text: str) -> str:
    return re.sub(r"\\+u([0-9a-fA-F]{4})", lambda it: chr(int(it.group(1), 16)), text)


def _drawn(alphabet: str, length: int, seed: int) -> str:
    source = random.Random(seed)
    return "".join(source.choice(alphabet) for _ in range(length))


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHANUMERIC = _LETTERS + _LETTERS.upper() + "0123456789"

_CARD_BODY = "4539" + "5787" + "6362" + "148"
CARD = Planted("card", _CARD_BODY + _luhn_digit(_CARD_BODY), "[payment-card]", CARD_RUN)

_KEY_PREFIX = "-".join(["sk", "ant", "api03"]) + "-"
API_KEY = Planted(
    "key",
    _KEY_PREFIX + _drawn(_ALPHANUMERIC, 93, seed=7) + "AA",
    "[ai-provider-key]",
    KEY_RUN,
    public_prefix=_KEY_PREFIX,
)

_IBAN_BODY = "3704" + "0044" + "0532" + "0130" + "00"


def _iban(country: str, body: str) -> str:
    numeric = "".join(str(int(it, 36)) for it in body + country + "00")
    return f"{country}{98 - int(numeric) % 97:02d}{body}"


IBAN = Planted("iban", _iban("DE", _IBAN_BODY), "[iban]", 10)
US_SSN = Planted("ssn", "-".join(["536", "22", "8437"]), "[us-ssn]", 11)
EMAIL = "jane.doe" + "@" + "northwind.example"
AWS_KEY = Planted("aws-key", "AKIA" + _drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, seed=3), "[aws-key]", 12, "AKIA")
PRIVATE_KEY = Planted(
    "private-key",
    f"-----BEGIN {'PRIVATE'} KEY-----\n"
    + "\n".join(_drawn(_ALPHANUMERIC, 64, seed=at) for at in range(6))
    + f"\n-----END {'PRIVATE'} KEY-----",
    "[private-key]",
    16,
    f"-----BEGIN {'PRIVATE'} KEY-----\n",
)

EVERYTHING = [CARD, API_KEY, IBAN, US_SSN, AWS_KEY, PRIVATE_KEY]


def assert_no_leak(planted: Planted, *places: bytes | str) -> None:
    """Fails when a fragment of the planted value is in any of the places."""
    for place in places:
        text = place.decode("utf-8", "replace") if isinstance(place, bytes) else place
        fragment = planted.found_in(text)
        assert fragment is None, f"{planted.name} leaked: `{fragment}` in `{text[:2000]}`"

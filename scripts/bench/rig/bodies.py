"""The requests that are sent: chat prompts in three sizes and kinds, and one that asks for a stream."""

import json
from dataclasses import dataclass
from pathlib import Path

NOTES = (
    "Please read the notes of this week's meeting and write three sentences for the people who could not come. "
    "The delivery for the northern region was moved by four days since the carrier changed; nobody expects a fine. "
    "Two candidates were seen for the open position, and the second one is to be invited again. The workshop on "
    "writing clearer tickets found more interest than there are seats, so a further one follows in the spring. "
    "The old printer on the second floor is gone, which was noted with relief."
)

# Card, account and address are the published test values of their formats.
PERSONAL = (
    "Write a friendly reminder. The invoice goes to ada.lovelace@example.org, copy to billing@example.com; the account is "
    "DE89 3704 0044 0532 0130 00, and the card on file was 4111 1111 1111 1111, expiring next spring. "
)


@dataclass(frozen=True)
class Bodies:
    """Files with request bodies."""

    small: Path
    """About 0.7 KB, in which nothing is to be found."""
    large: Path
    """About 32 KB, in which nothing is to be found."""
    personal: Path
    """About 0.7 KB with personal data, which the policy masks."""
    stream: Path
    """The small one, asking for a stream."""


def write(folder: Path) -> Bodies:
    def one(name: str, prompt: str, **more: object) -> Path:
        messages = [
            {"role": "system", "content": "You write short and friendly summaries for colleagues."},
            {"role": "user", "content": prompt},
        ]
        body = {"model": "bench-1", "temperature": 0.2, "max_tokens": 120, "messages": messages, **more}
        path = folder / f"{name}.json"
        path.write_text(json.dumps(body, separators=(",", ":")))
        return path

    return Bodies(
        small=one("small", NOTES),
        large=one("large", "\n\n".join([NOTES] * 66)),
        personal=one("personal", PERSONAL * 2),
        stream=one("stream", NOTES, stream=True),
    )

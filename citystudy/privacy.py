"""Pseudonyms, sealed identifiers and redaction: nothing personal is kept in clear.

One secret a study, kept outside its database, keys everything here. Authors and native ids become HMAC-SHA-256
(RFC 2104) over source and id; what must be readable again (for re-checks and deletions) is sealed with Fernet
(AES-128-CBC and HMAC) under a key derived from the same secret by HKDF (RFC 5869).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from citystudy.errors import SecretError

if TYPE_CHECKING:
    from citystudy.config import Study

MIN_SECRET_BYTES = 16


class Secret:
    """The study's secret and what is made with it."""

    def __init__(self, value: bytes) -> None:
        if len(value) < MIN_SECRET_BYTES:
            raise SecretError(
                f"the study's secret has {len(value)} bytes, expected at least {MIN_SECRET_BYTES}; "
                "make a new one before anything is gathered, or restore the one the database was made with"
            )
        self._pseudonym_key = _derive(value, b"pseudonym")
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(value, b"seal")))
        self.fingerprint = _derive(value, b"fingerprint").hex()[:16]

    @classmethod
    def of(cls, study: Study) -> Secret:
        """Read the secret that the study file names; raises SecretError with the mend."""
        where, _, name = study.privacy.secret.partition(":")
        if where == "env":
            value = os.environ.get(name, "")
            if not value:
                raise SecretError(
                    f"privacy.secret names the environment variable {name}, which is not set; "
                    "set it to the secret this study was made with"
                )
            return cls(value.encode())
        path = study.folder / name
        try:
            return cls(path.read_bytes().strip())
        except FileNotFoundError:
            raise SecretError(
                f"{path}: the study's secret is missing. Restore the file; for a study that has gathered nothing yet, "
                f"make one with: openssl rand -hex 32 > {path}"
            ) from None
        except OSError as error:
            raise SecretError(f"{path}: the study's secret can't be read: {error.strerror or error}") from None

    def pseudonym(self, source: str, author: str) -> str:
        """Return 32 hex digits that stand for one author of one source."""
        return self._keyed("author", source, author)

    def key(self, source: str, native_id: str) -> str:
        """Return 32 hex digits that stand for a native id (post or thread) of one source."""
        return self._keyed("id", source, native_id)

    def seal(self, value: dict[str, Any]) -> str:
        """Return `value` encrypted; only the holder of the secret can read it again."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def unseal(self, sealed: str) -> dict[str, Any]:
        """Return what was sealed; raises SecretError when it was sealed with another secret."""
        try:
            value: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SecretError("this was sealed with another secret; restore the study's own") from None
        return value

    def _keyed(self, *parts: str) -> str:
        message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in parts)
        return hmac.new(self._pseudonym_key, message, hashlib.sha256).hexdigest()[:32]


def _derive(value: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"citystudy " + purpose).derive(value)


def write_new_secret(path: Path) -> None:
    """Write a fresh secret that only its owner may read; an existing file is never touched."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")


_D = "[0-9٠-٩۰-۹]"
_HYPHEN = r"[\u2010-\u2013-]"
_GAP = r"[ ().\u2010-\u2013/-]{0,2}"
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'«»()\[\]]+"
    r"|\b(?:t\.me|telegram\.me|wa\.me|vk\.com|ok\.ru|instagram\.com|facebook\.com|fb\.com|twitter\.com|x\.com"
    r"|tiktok\.com|youtube\.com|linkedin\.com|threads\.net)/[^\s<>\"'«»()\[\]]+",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"@{0,2}[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<!@)@+[\u200b-\u200f]*\w(?:[\w.-]*\w)?(?:@[\w-]+(?:\.[\w-]+)+)?")
_VK_MENTION = re.compile(r"\[(?:id|club|public)\d+\|[^\[\]]*\]")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(rf"(?<!{_D})(?:(?:{_D}{{4}}[ -]?){{3}}{_D}{{4}}|(?![0٠۰]{{2}}){_D}{{14,}})(?!{_D})")
_PHONE = re.compile(
    # Not in the middle of a number, a price or a date; a word may be written onto it ("тел.8917…", "واتس079…").
    rf"(?<!{_D})(?<!{_D}[.,/:-])"
    rf"(?:(?:\+|[0٠۰]{{2}}){_D}{{1,3}}{_GAP}(?:{_D}{_GAP}){{6,12}}{_D}"  # +962 7 9012 3456
    rf"|(?!{_D}{{1,2}}[./-]{_D}{{1,2}}(?:[./-](?:{_D}{{4}}|{_D}{{2}})(?!{_D})|(?![./-]|{_D})))"
    rf"\(?[0٠۰](?={_D})(?:{_GAP}{_D}){{7,11}}"  # 0912 345 6789, 06-5555123, (0113) 496 0123, but no 01.02.2024, no 09.00-18.00
    rf"|(?:[78٧٨۷۸][ -]?)?\((?!(?:19|20){_D}{{2}}\)){_D}{{2,5}}\)[ -]?{_D}{{2,4}}[ -]?{_D}{{2}}[ -]?{_D}{{2}}"  # 8 (843) 555-12-34
    rf"|(?:[78٧٨۷۸][ -]?)?[9٩۹]{_D}{{2}}[ -]{_D}{{3}}[ -]?{_D}{{2}}[ -]?{_D}{{2}}"  # 8 917 555 12 34
    rf"|(?<!{_D} )(?:[78٧٨۷۸][ -]?)?{_D}{{3}}[ -]{_D}{{3}}[ -](?:{_D}{{4}}|{_D}{{2}}[ -]{_D}{{2}})"  # 8 843 555 12 34, 555 123 4567
    rf"|{_D}{{1,4}}(?:{_HYPHEN}{_D}{{2,4}}){{2,4}}"  # 555-12-34
    rf"|[0٠۰]{_D}{{6,12}}|{_D}{{9,13}})"  # 0790123456, 89175551234
    rf"(?!{_D})"
)
_DATE = re.compile(
    rf"{_D}{{4}}{_HYPHEN}{_D}{{1,2}}{_HYPHEN}{_D}{{1,2}}|{_D}{{1,2}}{_HYPHEN}{_D}{{1,2}}{_HYPHEN}{_D}{{2,4}}"
)
_HOURS = re.compile(rf"{_D}{{4}} ?{_HYPHEN} ?{_D}{{4}}")
_ROUND = re.compile(rf"[1-9١-٩۱-۹]{_D}*[0٠۰]{{6}}")
_WWW = re.compile(r"www\.", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_LOCAL_DIGITS = 7
_IBAN_DIGITS = 8
MARKS = ("[LINK]", "[EMAIL]", "[HANDLE]", "[ACCOUNT]", "[PHONE]")


def redact(text: str) -> str:
    """Return `text` with links, e-mails, handles, account and phone numbers replaced by marks.

    Idempotent. Digits may be Western, Arabic-Indic or Persian. Dates, years and prices stay; so do numbers of fewer
    than nine digits that neither begin with 0 nor are grouped as a phone number is.
    """
    # A mark parts what stood together, so that a second look can find what the first could not.
    while (redacted := _redact_once(text)) != text:
        text = redacted
    return text


def _redact_once(text: str) -> str:
    # Each step is taken only where the text holds what it looks for: most posts hold none of it.
    if "/" in text or _WWW.search(text):
        text = _LINK.sub("[LINK]", text)
    if "@" in text:
        text = _EMAIL.sub(lambda match: "[HANDLE]" if match[0].startswith("@") else "[EMAIL]", text)
    if "[" in text:
        text = _VK_MENTION.sub("[HANDLE]", text)
    if "@" in text:
        text = _HANDLE.sub("[HANDLE]", text)
    if len(_DIGIT.findall(text)) >= _LOCAL_DIGITS:
        text = _IBAN.sub(lambda match: "[ACCOUNT]" if _digits(match[0]) >= _IBAN_DIGITS else match[0], text)
        text = _CARD.sub("[ACCOUNT]", text)
        text = _PHONE.sub(lambda match: match[0] if _is_no_phone(match[0]) else "[PHONE]", text)
    return text


def _is_no_phone(found: str) -> bool:
    return _digits(found) < _LOCAL_DIGITS or any(p.fullmatch(found) for p in (_DATE, _HOURS, _ROUND))


def _digits(found: str) -> int:
    return sum(c.isdigit() for c in found)

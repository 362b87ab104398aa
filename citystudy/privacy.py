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
                "make one with: citystudy init --secret-only"
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
        return self._fernet.encrypt(json.dumps(value, ensure_ascii=False).encode()).decode()

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


_DIGIT = "0-9٠-٩۰-۹"
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'«»()\[\]]+|\b(?:t\.me|wa\.me|vk\.com|instagram\.com)/[^\s<>\"']+", re.I)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@/])@[\w](?:[\w.-]*\w)?(?:@[\w-]+(?:\.[\w-]+)+)?")
_VK_MENTION = re.compile(r"\[(?:id|club|public)\d+\|[^\[\]]*\]")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(rf"(?<![{_DIGIT}])(?:[{_DIGIT}]{{4}}[ -]?){{3}}[{_DIGIT}]{{4}}(?![{_DIGIT}])")
_PHONE = re.compile(
    rf"(?<![\w{_DIGIT}.,/-])"
    rf"(?:(?:\+|00)[{_DIGIT}]{{1,3}}[ ().-]{{0,2}}(?:[{_DIGIT}][ ().-]{{0,2}}){{6,12}}[{_DIGIT}]"  # +962 7 9012 3456
    rf"|[8٨۸]?[ -]?\(?[0٠۰9]?[{_DIGIT}]{{2,3}}\)[ -]?[{_DIGIT}]{{3}}[ -]?[{_DIGIT}]{{2}}[ -]?[{_DIGIT}]{{2}}"  # 8 (843) 555-12-34
    rf"|[{_DIGIT}]{{1,4}}(?:-[{_DIGIT}]{{2,4}}){{2,4}}(?<=[{_DIGIT}]{{2}})"  # 555-12-34, 8-917-555-12-34
    rf"|[0٠۰][{_DIGIT}]{{2,4}}(?:[ .]?[{_DIGIT}]{{2,4}}){{2,3}}"  # 0912 345 6789
    rf"|[{_DIGIT}]{{9,13}})"
    rf"(?![{_DIGIT}])"
)
_DATE = re.compile(rf"^[{_DIGIT}]{{4}}-[{_DIGIT}]{{1,2}}-[{_DIGIT}]{{1,2}}$|^[{_DIGIT}]{{1,2}}-[{_DIGIT}]{{1,2}}-[{_DIGIT}]{{2,4}}$")
MARKS = ("[LINK]", "[EMAIL]", "[HANDLE]", "[ACCOUNT]", "[PHONE]")


def redact(text: str) -> str:
    """Return `text` with links, e-mails, handles, account and phone numbers replaced by marks.

    Idempotent. Digits may be Western, Arabic-Indic or Persian. Dates, years and prices stay.
    """
    text = _LINK.sub("[LINK]", text)
    text = _EMAIL.sub("[EMAIL]", text)
    text = _VK_MENTION.sub("[HANDLE]", text)
    text = _HANDLE.sub("[HANDLE]", text)
    text = _IBAN.sub("[ACCOUNT]", text)
    text = _CARD.sub("[ACCOUNT]", text)
    return _PHONE.sub(lambda match: match[0] if _is_date_or_short(match[0]) else "[PHONE]", text)


def _is_date_or_short(found: str) -> bool:
    digits = sum(c.isdigit() for c in found)
    return digits < 7 or bool(_DATE.match(found))  # noqa: PLR2004  fewer digits than a local number

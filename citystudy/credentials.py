"""The operator's own keys for services that ask for one: from the environment or a keyring, never from the study file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from citystudy.errors import SecretError

if TYPE_CHECKING:
    from citystudy.config import Source, Study


def credential(study: Study, source: str) -> str | None:
    """Return the key that a study names for a source; None where it names none.

    Raises SecretError with the mend when the place it names holds no key.
    """
    where = study.credentials.get(cast("Source", source))
    return None if where is None else key_at(where, named_by=f"credentials.{source}", service=source)


def key_at(where: str, *, named_by: str, service: str) -> str:
    """Return the key for a service that is kept at 'env:NAME' or 'keyring:SERVICE/USER'.

    `named_by` is the key of the study file that names the place. Raises SecretError with the mend when it holds no key.
    """
    keeper, _, name = where.partition(":")
    value = os.environ.get(name) if keeper == "env" else _from_keyring(named_by, name)
    if not value:
        place = f"the environment variable {name}" if keeper == "env" else f"the keyring entry {name}"
        raise SecretError(f"{named_by}: {place} is not set; set it to your own key for {service}")
    return value


def _from_keyring(named_by: str, name: str) -> str | None:
    try:
        import keyring
    except ImportError:
        raise SecretError(
            f"{named_by}: the keyring is an extra that is not installed; install the package keyring, "
            "or name an environment variable: env:NAME"
        ) from None
    service, _, user = name.partition("/")
    try:
        return keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SecretError(f"{named_by}: the keyring can't be asked ({type(error).__name__}); unlock it") from None

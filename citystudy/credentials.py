"""The operator's own keys for sources that ask for one: from the environment or a keyring, never from the study file."""

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
    if where is None:
        return None
    keeper, _, name = where.partition(":")
    value = os.environ.get(name) if keeper == "env" else _from_keyring(source, name)
    if not value:
        place = f"the environment variable {name}" if keeper == "env" else f"the keyring entry {name}"
        raise SecretError(f"credentials.{source}: {place} is not set; set it to your own key for {source}")
    return value


def _from_keyring(source: str, name: str) -> str | None:
    try:
        import keyring
    except ImportError:
        raise SecretError(
            f"credentials.{source}: the keyring is an extra that is not installed; install the package keyring, "
            "or name an environment variable: env:NAME"
        ) from None
    service, _, user = name.partition("/")
    try:
        return keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SecretError(
            f"credentials.{source}: the keyring can't be asked ({type(error).__name__}); unlock it"
        ) from None

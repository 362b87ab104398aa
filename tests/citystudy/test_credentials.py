from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from citystudy.config import Study, read_study
from citystudy.credentials import credential
from citystudy.errors import ConfigError, SecretError
from tests.citystudy.conftest import MINIMAL


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, entries: dict[tuple[str, str], str], *, locked: bool = False) -> None:
        self.entries = entries
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def study(tmp_path: Path, credentials: str) -> Study:
    path = tmp_path / "study.toml"
    path.write_text(MINIMAL + f"\n[credentials]\n{credentials}\n", encoding="utf-8")
    return read_study(path)


def test_a_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "abc")
    named = study(tmp_path, 'youtube = "env:MY_KEY"')
    assert credential(named, "youtube") == "abc"
    assert credential(named, "vk") is None, "the study names none"


def test_a_key_comes_from_a_keyring(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(Ring({("citystudy", "vk"): "token"}))
        assert credential(study(tmp_path, 'vk = "keyring:citystudy/vk"'), "vk") == "token"
        with pytest.raises(SecretError, match=r"credentials\.vk: the keyring entry citystudy/other is not set"):
            credential(study(tmp_path, 'vk = "keyring:citystudy/other"'), "vk")
        keyring.set_keyring(Ring({}, locked=True))
        with pytest.raises(SecretError, match=r"the keyring can't be asked \(KeyringLocked\); unlock it"):
            credential(study(tmp_path, 'vk = "keyring:citystudy/vk"'), "vk")
    finally:
        keyring.set_keyring(before)


def test_a_key_that_is_not_there_is_told_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(SecretError, match=r"credentials\.youtube: the environment variable MY_KEY is not set"):
        credential(study(tmp_path, 'youtube = "env:MY_KEY"'), "youtube")


def test_a_key_in_the_study_file_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected 'env:NAME' or 'keyring:SERVICE/USER'"):
        study(tmp_path, 'youtube = "AIzaSomething"')

"""The options that commands share, and how a study is opened from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from citystudy.config import Study, read_study
from citystudy.lock import locked
from citystudy.privacy import Secret
from citystudy.store import Store

StudyOption = Annotated[Path, typer.Option("--study", "-s", help="The study file.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
DEFAULT_STUDY = Path("study.toml")


@contextmanager
def opened(path: Path) -> Iterator[tuple[Study, Store, Secret]]:
    """Give the study, its database and its secret, holding the study's lock."""
    study = read_study(path)
    secret = Secret.of(study)
    with locked(study.database_path), Store(study.database_path) as store:
        store.bind(secret)
        store.register(study)
        yield study, store, secret


@contextmanager
def looked_at(path: Path) -> Iterator[tuple[Study, Store]]:
    """Give the study and its database for reading only; another process may be working on it."""
    study = read_study(path)
    with Store(study.database_path, create=False) as store:
        yield study, store

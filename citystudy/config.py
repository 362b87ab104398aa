"""The study file: `study.toml` read into typed, checked models.

Every problem is reported at once, each on its own line with file, key, what was found and what is expected.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from citystudy.codeframe import THEMES, Kind
from citystudy.config_errors import did_you_mean, explain
from citystudy.config_types import CountryCode, LanguageCode, Latitude, Longitude, Name, StrictModel, WebAddress
from citystudy.errors import ConfigError
from citystudy.targets import AnyTarget, Target
from citystudy.text import slug

ReportLanguage = Literal["en", "ar", "fa", "ru"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower-case letters, digits and _")]
Words = dict[LanguageCode, list[Annotated[str, Field(min_length=1)]]]
Source = Literal["youtube", "vk", "bluesky", "reddit"]
Where = Annotated[
    str, Field(pattern=r"^(env:.+|keyring:[^/]+/.+)$", description="'env:NAME' or 'keyring:SERVICE/USER'")
]

POLITE_DELAY_SECONDS = 0.5
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
_REACHABLE = "an e-mail or web address by which a site's owner can reach the operator"


def _contact(contact: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+|https?://\S+", contact):
        raise ValueError(_REACHABLE)
    return contact


class District(StrictModel):
    """A named part of a city."""

    name: str = Field(min_length=1)
    aliases: Words = {}
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class City(StrictModel):
    """A city of the study with what tells it from others and where to read about it."""

    name: Name
    country: CountryCode
    languages: list[LanguageCode] = Field(min_length=1)
    aliases: Words = {}
    population: int | None = Field(default=None, gt=0)
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    districts: list[District] = []
    targets: list[AnyTarget] = []

    @property
    def id(self) -> str:
        """The city's key in the database and in file names."""
        return slug(self.name)

    def target_id(self, target: Target) -> str:
        """Return the key of one of this city's targets."""
        return f"{self.id}/{target.source}/{target.name}"

    def all_names(self) -> Iterator[str]:
        """Yield the name and every alias."""
        yield self.name
        for names in self.aliases.values():
            yield from names


class Theme(StrictModel):
    """A theme that the study adds to the codeframe, coded by its words."""

    label: dict[LanguageCode, str] = Field(min_length=1)
    words: Words = Field(min_length=1)


class Segment(StrictModel):
    """People who say of themselves that they belong to a group, found by phrases."""

    id: Identifier
    label: dict[LanguageCode, str] = Field(min_length=1)
    words: Words = Field(min_length=1)


class Brand(StrictModel):
    """A brand of interest, own or a competitor's."""

    name: str = Field(min_length=1)
    owner: Literal["own", "competitor", "other"] = "other"
    aliases: Words = {}


class Offer(StrictModel):
    """Something the company could bring, and the needs it answers."""

    name: str = Field(min_length=1)
    description: str = ""
    themes: list[str] = Field(min_length=1)
    kinds: list[Kind] = ["problem", "wish"]


class Question(StrictModel):
    """What the study asks, of whom it reports, and to whom a site owner may write."""

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    contact: Annotated[str, AfterValidator(_contact), Field(description=_REACHABLE)]
    report_languages: list[ReportLanguage] = Field(default=["en"], min_length=1)
    database: str = Field(default="study.db", min_length=1)
    reports: str = Field(default="reports", min_length=1)


class Privacy(StrictModel):
    """What may be shown, and where the secret of the pseudonyms is kept."""

    secret: str = Field(
        default="file:study.secret", pattern=r"^(file|env):.+$", description="'file:PATH' or 'env:NAME'"
    )
    k: int = Field(default=5, ge=5, description="the fewest voices that a figure may stand on")
    exact_quotes: bool = True
    links: bool = False


class Limits(StrictModel):
    """How hard a source may be asked."""

    delay_seconds: float = Field(default=2.0, ge=0, le=600)
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    retries: int = Field(default=3, ge=0, le=10)
    max_pages_per_target: int = Field(default=200, ge=1)
    max_response_mb: int = Field(default=20, ge=1, le=500)
    retries_per_target: int = Field(default=20, ge=0, description="the most retries that one target may cost a crawl")
    second_look_hours: float = Field(
        default=36.0, ge=0, description="how old a post is when it is looked at again for edits and deletion"
    )
    history_days: int | None = Field(default=None, ge=1, description="how far back a first crawl reads; unset: all")


class Retention(StrictModel):
    """How long what was gathered is kept; unset means until the operator removes it."""

    posts_days: int | None = Field(default=None, ge=1)


class LanguageModel(StrictModel):
    """The endpoint of a language model that codes posts, and what it may cost."""

    url: WebAddress
    model: str = Field(min_length=1)
    key: Where | None = None
    input_price: float = Field(
        ge=0, allow_inf_nan=False, description="for a million tokens, in the operator's currency"
    )
    output_price: float = Field(
        ge=0, allow_inf_nan=False, description="for a million tokens, in the operator's currency"
    )
    max_cost: float = Field(ge=0, allow_inf_nan=False, description="the most that the study may ever spend")
    timeout_seconds: float = Field(default=120.0, gt=0, le=3600)
    passages_per_request: int = Field(default=10, ge=1, le=100)
    max_answer_tokens: int = Field(default=4000, ge=100, description="the most tokens of one answer, thinking included")


class Transformers(StrictModel):
    """The sentence-embedding model that codes posts, by folder or name, and the head trained for it."""

    model: str = Field(min_length=1)
    head: str = Field(min_length=1)


class Analysis(StrictModel):
    """Choices of the language pipeline."""

    coder: Literal["default", "llm", "transformers"] = "default"
    llm: LanguageModel | None = None
    transformers: Transformers | None = None
    cut: float = Field(
        default=0.5, gt=0, lt=1, description="the least probability of a kind at which a statement is kept"
    )
    claim_cut: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="the least score (kind and theme both right) at which a statement enters a finding",
    )
    topics: bool = True
    seed: int = Field(default=20, ge=0)

    @property
    def model(self) -> str:
        """The name of the model that codes; empty for the one that ships."""
        named = {"llm": self.llm, "transformers": self.transformers}.get(self.coder)
        return named.model if named else ""


class Study(StrictModel):
    """A whole study file."""

    study: Question
    cities: list[City] = Field(min_length=1)
    codeframe: dict[Identifier, Theme] = {}
    segments: list[Segment] = []
    brands: list[Brand] = []
    offers: list[Offer] = []
    privacy: Privacy = Privacy()
    limits: Limits = Limits()
    retention: Retention = Retention()
    analysis: Analysis = Analysis()
    credentials: dict[Source, Where] = {}

    _folder: Path = Path()

    @property
    def folder(self) -> Path:
        """The folder of the study file; relative paths start here."""
        return self._folder

    @property
    def database_path(self) -> Path:
        """Where the study's database is."""
        return self._folder / self.study.database

    @property
    def reports_path(self) -> Path:
        """The folder that holds the study's reports."""
        return self._folder / self.study.reports

    @property
    def themes(self) -> tuple[str, ...]:
        """The codeframe's themes: the built-in ones, then the study's own."""
        return (*THEMES, *self.codeframe)

    def targets(self) -> Iterator[tuple[City, Target]]:
        """Yield every target with its city, in the file's order."""
        for city in self.cities:
            for target in city.targets:
                yield city, target

    def languages(self) -> tuple[str, ...]:
        """Return the languages of the study's cities, the most common first."""
        counts = Counter(code for city in self.cities for code in city.languages)
        return tuple(code for code, _ in counts.most_common())

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        if problems := list(self._inconsistencies()):
            raise ValueError("\n".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        """Yield a line for each thing that no single table can know to be wrong."""
        yield from _repeated("cities", "name", [(c.id, c.name) for c in self.cities])
        yield from _repeated("brands", "name", [(slug(b.name), b.name) for b in self.brands])
        yield from _repeated("segments", "id", [(s.id, s.id) for s in self.segments])
        yield from _repeated("offers", "name", [(slug(o.name), o.name) for o in self.offers])
        for number, city in enumerate(self.cities):
            targets = [(city.target_id(target), target.name) for target in city.targets]
            yield from _repeated(f"cities[{number}].targets", "target", targets)
        for name in self.codeframe:
            if name in THEMES:
                yield f"codeframe.{name}: found the name of a built-in theme, expected another name"
        for number, offer in enumerate(self.offers):
            for theme in offer.themes:
                if theme not in self.themes:
                    hint = did_you_mean(theme, self.themes)
                    yield f"offers[{number}].themes: found '{theme}', expected a theme of the codeframe{hint}"
        yield from self._coder_tables()
        if self.limits.delay_seconds < POLITE_DELAY_SECONDS:
            yield from self._impolite()

    def _coder_tables(self) -> Iterator[str]:
        """Yield a line for a coder without its table, or a table without its coder."""
        chosen = self.analysis.coder
        tables = {"llm": self.analysis.llm, "transformers": self.analysis.transformers}
        for coder, table in tables.items():
            if chosen == coder and table is None:
                yield (
                    f"analysis.{coder}: missing, expected a [analysis.{coder}] table where analysis.coder is '{coder}'"
                )
            if chosen != coder and table is not None:
                yield (
                    f"analysis.coder: found '{chosen}' beside a [analysis.{coder}] table, expected '{coder}'; "
                    "or remove the table"
                )

    def _impolite(self) -> Iterator[str]:
        for city, target in self.targets():
            host = urlsplit(target.address).hostname
            if host is not None and host not in LOOPBACK_HOSTS:
                yield (
                    f"limits.delay_seconds: found {self.limits.delay_seconds:g}, expected at least "
                    f"{POLITE_DELAY_SECONDS:g} while a target ({city.name}: {target.name}) is not on this machine"
                )
                return


def read_study(path: Path) -> Study:
    """Read and check a study file.

    Raises ConfigError with one line a problem: file, key, found, expected.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such study file. Make one with: citystudy init CITY [CITY ...] --study {path}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror or error}") from None
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}: line {line}: found a byte that is not UTF-8; save the file as UTF-8") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML: found too many brackets within one another") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in explain(error, Study))) from None
    study._folder = path.parent
    return study


def _repeated(where: str, what: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for key, shown in pairs:
        if key in seen:
            yield (
                f"{where}: found '{shown}' twice (as '{seen[key]}' before), expected each {what} once; "
                "rename or remove one"
            )
        seen.setdefault(key, shown)

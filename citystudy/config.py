"""The study file: `study.toml` read into typed, checked models.

Every problem is reported at once, each on its own line with file, key, what was found and what is expected.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from citystudy.codeframe import CODED_LANGUAGES, THEMES, Kind
from citystudy.errors import ConfigError

ReportLanguage = Literal["en", "ar", "fa", "ru"]
TargetKind = Literal[
    "forum", "microblog", "community", "reviews", "portal", "news_comments", "news", "chat", "video_comments"
]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", description="an ISO 639 code such as 'ar'")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower-case letters, digits and _")]
Words = dict[LanguageCode, list[Annotated[str, Field(min_length=1)]]]

POLITE_DELAY_SECONDS = 0.5
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


def slug(name: str) -> str:
    """Return `name` as an identifier: letters and digits of any script kept, the rest folded to '-'."""
    folded = unicodedata.normalize("NFKD", name)
    kept = "".join(c for c in folded if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^\w]+", "-", kept).strip("-_")


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a full web address that starts with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("a web address without a name or password in it; secrets come from the environment")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class _Target(_Model):
    kind: TargetKind
    comparable: bool = True
    note: str = ""


class FeedTarget(_Target):
    """An RSS, Atom or JSON feed."""

    source: Literal["feed"]
    url: WebAddress

    @property
    def name(self) -> str:
        """What tells this target from its city's others."""
        return self.url

    @property
    def post_source(self) -> str:
        """The source name that its posts carry."""
        return "feed"


class MastodonTarget(_Target):
    """One hashtag, or the local timeline, of a server that speaks the Mastodon API."""

    source: Literal["mastodon"]
    instance: WebAddress
    tag: str | None = Field(None, pattern=r"^[^\s#/?]+$", description="a hashtag without '#'")

    @property
    def name(self) -> str:
        """What tells this target from its city's others."""
        host = urlsplit(self.instance).netloc
        return f"{host}#{self.tag}" if self.tag else f"{host} local"

    @property
    def post_source(self) -> str:
        """The source name that its posts carry."""
        return "mastodon"


class ImportTarget(_Target):
    """Rows of imported files whose source column holds `rows`."""

    source: Literal["import"]
    rows: str = Field(min_length=1)

    @property
    def name(self) -> str:
        """What tells this target from its city's others."""
        return self.rows

    @property
    def post_source(self) -> str:
        """The source name that its posts carry."""
        return self.rows


Target = Annotated[FeedTarget | MastodonTarget | ImportTarget, Field(discriminator="source")]


class District(_Model):
    """A named part of a city."""

    name: str = Field(min_length=1)
    aliases: Words = {}
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)


class City(_Model):
    """A city of the study with what tells it from others and where to read about it."""

    name: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$", description="an ISO 3166 code such as 'JO'")
    languages: list[LanguageCode] = Field(min_length=1)
    aliases: Words = {}
    population: int | None = Field(None, gt=0)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    districts: list[District] = []
    targets: list[Target] = []

    @property
    def id(self) -> str:
        """The city's key in the database and in file names."""
        return slug(self.name)

    def target_id(self, target: FeedTarget | MastodonTarget | ImportTarget) -> str:
        """Return the key of one of this city's targets."""
        return f"{self.id}/{target.source}/{target.name}"

    def all_names(self) -> Iterator[str]:
        """Yield the name and every alias."""
        yield self.name
        for names in self.aliases.values():
            yield from names


class Theme(_Model):
    """A theme that the study adds to the codeframe, coded by its words."""

    label: dict[LanguageCode, str] = Field(min_length=1)
    words: Words = Field(min_length=1)


class Segment(_Model):
    """People who say of themselves that they belong to a group, found by phrases."""

    id: Identifier
    label: dict[LanguageCode, str] = Field(min_length=1)
    words: Words = Field(min_length=1)


class Brand(_Model):
    """A brand of interest, own or a competitor's."""

    name: str = Field(min_length=1)
    owner: Literal["own", "competitor", "other"] = "other"
    aliases: Words = {}


class Offer(_Model):
    """Something the company could bring, and the needs it answers."""

    name: str = Field(min_length=1)
    description: str = ""
    themes: list[str] = Field(min_length=1)
    kinds: list[Kind] = ["problem", "wish"]


class Question(_Model):
    """What the study asks, of whom it reports, and to whom a site owner may write."""

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    contact: str = Field(
        min_length=3, description="an e-mail or web address by which a site's owner can reach the operator"
    )
    report_languages: list[ReportLanguage] = Field(["en"], min_length=1)
    database: str = "study.db"
    reports: str = "reports"


class Privacy(_Model):
    """What may be shown, and where the secret of the pseudonyms is kept."""

    secret: str = Field("file:study.secret", pattern=r"^(file|env):.+$", description="'file:PATH' or 'env:NAME'")
    k: int = Field(5, ge=5, description="the fewest voices that a figure may stand on; 5 or more")
    exact_quotes: bool = True
    links: bool = False


class Limits(_Model):
    """How hard a source may be asked."""

    delay_seconds: float = Field(2.0, ge=0, le=600)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    retries: int = Field(3, ge=0, le=10)
    max_pages_per_target: int = Field(200, ge=1)
    max_response_mb: int = Field(20, ge=1, le=500)


class Retention(_Model):
    """How long what was gathered is kept; unset means until the operator removes it."""

    posts_days: int | None = Field(None, ge=1)


class Analysis(_Model):
    """Choices of the language pipeline."""

    coder: Literal["default"] = "default"
    cut: float = Field(0.5, gt=0, lt=1, description="the least probability at which a statement is kept")
    topics: bool = True
    seed: int = Field(20, ge=0)


class Study(_Model):
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

    def targets(self) -> Iterator[tuple[City, FeedTarget | MastodonTarget | ImportTarget]]:
        """Yield every target with its city, in the file's order."""
        for city in self.cities:
            for target in city.targets:
                yield city, target

    def languages(self) -> tuple[str, ...]:
        """Return the languages of the study's cities, the most common first."""
        counts = Counter(code for city in self.cities for code in city.languages)
        return tuple(code for code, _ in counts.most_common())

    @field_validator("codeframe")
    @classmethod
    def _no_theme_twice(cls, codeframe: dict[str, Theme]) -> dict[str, Theme]:
        for name in codeframe:
            if name in THEMES:
                raise ValueError(f"a name other than the built-in theme '{name}'")
        return codeframe

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        _unique("cities", "name", [(c.id, c.name) for c in self.cities])
        _unique("brands", "name", [(slug(b.name), b.name) for b in self.brands])
        _unique("segments", "id", [(s.id, s.id) for s in self.segments])
        _unique("offers", "name", [(slug(o.name), o.name) for o in self.offers])
        for city in self.cities:
            _unique(f"cities.{city.name}.targets", "target", [(city.target_id(t), t.name) for t in city.targets])
        for number, offer in enumerate(self.offers):
            for theme in offer.themes:
                if theme not in self.themes:
                    raise ValueError(
                        f"offers[{number}].themes: found '{theme}', expected a theme of the codeframe"
                        + _did_you_mean(theme, self.themes)
                    )
        if self.limits.delay_seconds < POLITE_DELAY_SECONDS:
            for city, target in self.targets():
                host = urlsplit(getattr(target, "url", None) or getattr(target, "instance", "") or "").hostname
                if host is not None and host not in LOOPBACK_HOSTS:
                    raise ValueError(
                        f"limits.delay_seconds: found {self.limits.delay_seconds:g}, expected at least "
                        f"{POLITE_DELAY_SECONDS:g} while a target ({city.name}: {target.name}) is not on this machine"
                    )
        return self


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
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in _explain(error, data))) from None
    study._folder = path.parent
    return study


def _unique(where: str, what: str, pairs: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for key, shown in pairs:
        if key in seen:
            raise ValueError(
                f"{where}: found '{shown}' twice (as '{seen[key]}' before), expected each {what} once; "
                "rename or remove one"
            )
        seen[key] = shown


def _did_you_mean(word: str, known: tuple[str, ...] | list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f" ({', '.join(known)})" if len(known) <= 20 else ""


def _explain(error: ValidationError, data: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line a problem in the words of the study file."""
    for problem in error.errors():
        location = [part for part in problem["loc"] if part not in {"feed", "mastodon", "import", "[key]"}]
        key = _dotted(location)
        found = problem["input"]
        kind, message = problem["type"], problem["msg"]
        if kind == "extra_forbidden":
            known = _known_keys(location[:-1], data)
            yield f"{key}: unknown key{_did_you_mean(str(location[-1]), known)}"
        elif kind == "missing":
            yield f"{key}: missing, expected {_expected(location)}"
        elif kind == "literal_error":
            choices = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
            yield f"{key}: found {found!r}, expected one of {', '.join(choices)}" + (
                _did_you_mean(found, choices) if isinstance(found, str) and len(choices) > 20 else _hint(found, choices)
            )
        elif kind in {"union_tag_invalid", "union_tag_not_found"}:
            sources = re.findall(r"'([^']*)'", problem["ctx"].get("expected_tags", "'feed', 'mastodon', 'import'"))
            tag = found.get("source") if isinstance(found, dict) else found
            shown = f"found {tag!r}" if tag is not None else "missing"
            yield f"{key}.source: {shown}, expected one of {', '.join(sources)}{_hint(tag, sources)}"
        elif kind == "value_error":
            text = message.removeprefix("Value error, ")
            yield text if not location else f"{key}: found {_short(found)}, expected {text}"
        else:
            expected = _description(location) or message[0].lower() + message[1:]
            yield f"{key}: found {_short(found)}, expected {expected}"


def _hint(found: object, choices: list[str]) -> str:
    close = difflib.get_close_matches(str(found), choices, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _dotted(location: list[int | str]) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key or "study file"


def _model_at(location: list[int | str], data: object) -> type[BaseModel] | None:
    """Follow a location through the models; the data tells which target model applies."""
    model: type[BaseModel] | None = Study
    for part in location:
        data = data[part] if isinstance(data, list | dict) and _has(data, part) else None  # type: ignore[index]
        if isinstance(part, int):
            continue
        if model is None:
            return None
        if part == "targets":
            model = FeedTarget
            continue
        if model is Study and part == "codeframe":
            model = Theme
            continue
        model = _FIELD_MODELS.get((model, part), model if model is Theme and part not in Theme.model_fields else None)
    if model is FeedTarget and isinstance(data, dict):
        model = {"mastodon": MastodonTarget, "import": ImportTarget}.get(str(data.get("source")), FeedTarget)
    return model


def _has(data: list[Any] | dict[str, Any], part: int | str) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return part in data


_FIELD_MODELS: dict[tuple[type[BaseModel], str], type[BaseModel]] = {
    (Study, "study"): Question,
    (Study, "cities"): City,
    (Study, "segments"): Segment,
    (Study, "brands"): Brand,
    (Study, "offers"): Offer,
    (Study, "privacy"): Privacy,
    (Study, "limits"): Limits,
    (Study, "retention"): Retention,
    (Study, "analysis"): Analysis,
    (City, "districts"): District,
}


def _known_keys(location: list[int | str], data: Mapping[str, Any]) -> list[str]:
    model = _model_at(location, data)
    return list(model.model_fields) if model else []


def _description(location: list[int | str]) -> str | None:
    if not location or isinstance(location[-1], int):
        return None
    model = _model_at(location[:-1], {})
    field = model.model_fields.get(location[-1]) if model else None
    if field is None:
        return None
    return field.description


def _expected(location: list[int | str]) -> str:
    described = _description(location)
    if described:
        return described
    name = location[-1]
    return {"study": "a [study] table", "cities": "at least one [[cities]] table"}.get(str(name), "a value")

"""The coded posts that train and measure the coder.

The repository holds row ids, codes and span offsets only (`<lang>.jsonl` here); the texts stay in the shared data
folder, which is found by the environment variable CITYSTUDY_SHARED (default: `../shared` beside the repository).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from citystudy.errors import InputError
from citystudy.text import full_text

# set name → file under data/, name of the id field
SETS = {
    "demo-cities": ("demo-cities/posts.jsonl", "id"),
    "reddit-city-issues-en": ("reddit-city-issues-en/dev/posts.jsonl", "id"),
    "nyc-hoboken-311-en": ("nyc-hoboken-311-en/dev/reports_with_resident_text.jsonl", "id"),
    "sentihood-london-en": ("sentihood-london-en/dev/train.jsonl", "id"),
    "suggestions-en": ("suggestions-en/dev/trial_hotel.jsonl", "id"),
    "complaints-en": ("complaints-en/dev/complaints.jsonl", "id"),
    "stavropol-vk-ru": ("stavropol-vk-ru/dev/vk.jsonl", "id"),
    "spb-vk-comments-ru": ("spb-vk-comments-ru/dev/comments.jsonl", "id"),
    "kursk-appeals-ru": ("kursk-appeals-ru/dev/appeals.jsonl", "id"),
    "sentiment-ru": ("sentiment-ru/dev/rusentitweet_train.jsonl", "id"),
    "saudi-places-ar": ("saudi-places-ar/dev/reviews.jsonl", "id"),
    "idrisi-ar": ("idrisi-ar/dev/tweets.jsonl", "tweet_id"),
    "sentiment-ar/astd": ("sentiment-ar/dev/astd_train_val.jsonl", "id"),
    "sentiment-ar/ajgt": ("sentiment-ar/dev/ajgt.jsonl", "id"),
    "sentiment-ar/arsarcasm": ("sentiment-ar/dev/arsarcasm_v2_train.jsonl", "id"),
    "sentiment-fa/armanemo": ("sentiment-fa/dev/armanemo_train.jsonl", "id"),
    "sentiment-fa/parsabsa": ("sentiment-fa/dev/parsabsa_half.jsonl", "id"),
    "sentiment-fa/parsinlu-food": ("sentiment-fa/dev/parsinlu_food.jsonl", "id"),
    "sentiment-fa/deepsentipers": ("sentiment-fa/dev/deepsentipers_train.jsonl", "id"),
    "tehran-gmaps-fa": ("tehran-gmaps-fa/dev/reviews.jsonl", "id"),
}


@dataclass(frozen=True, slots=True)
class Code:
    """A pair of kind and theme; `span` counts code points of the post's text and is None where none was marked."""

    kind: str
    theme: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CodedPost:
    """A post with the codes a human coder gave it (none: an empty tuple)."""

    set: str
    id: str
    lang: str
    text: str
    codes: tuple[Code, ...]


def shared_folder() -> Path | None:
    """Return the folder of the shared data, or None where it is absent."""
    folder = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
    return folder if (folder / "data").is_dir() else None


def coded_posts(lang: str) -> Iterator[CodedPost]:
    """Yield the coded posts of a language with their texts; raises InputError where the shared data is absent."""
    with resources.files("nlp.training").joinpath(f"{lang}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = _texts(row["set"], lang)[row["id"]]
            codes = tuple(
                Code(c["kind"], c["theme"], (c["span"][0], c["span"][1]) if "span" in c else None) for c in row["codes"]
            )
            yield CodedPost(row["set"], row["id"], lang, text, codes)


def second_codings(lang: str) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Return what a second coder, who saw nothing of the first one's work, gave: (set, id) → pairs of kind and theme."""
    lines = resources.files("nlp.training.second").joinpath(f"{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    coded = map(json.loads, lines)
    return {(row["set"], row["id"]): frozenset((c["kind"], c["theme"]) for c in row["codes"]) for row in coded}


def written_posts(lang: str) -> Iterator[CodedPost]:
    """Yield the posts written for training in a language (none in some); they train and never evaluate."""
    file = resources.files("nlp.training.written").joinpath(f"{lang}.jsonl")
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        codes = (_code(code, row["text"]) for code in row["codes"])
        yield CodedPost("written", row["id"], lang, row["text"], tuple(codes))


def _code(code: dict[str, str], text: str) -> Code:
    start = text.index(code["span"])
    return Code(code["kind"], code["theme"], (start, start + len(code["span"])))


def rows(path: str) -> Iterator[dict[str, object]]:
    """Yield the rows of a JSON Lines file of the shared folder."""
    folder = shared_folder()
    if folder is None:
        raise InputError("the shared data is absent: set CITYSTUDY_SHARED to the folder that holds data/ and gold/")
    with (folder / path).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@cache
def _texts(set_name: str, lang: str) -> dict[str, str]:
    path, id_field = ("", "id") if set_name == "gold" else SETS[set_name]
    source = f"gold/{lang}.jsonl" if set_name == "gold" else f"data/{path}"
    return {
        str(row[id_field]): full_text(str(row.get("title") or ""), str(row.get("text") or row.get("review") or ""))
        for row in rows(source)
    }

"""One spaCy pipeline a language: post → clauses → statements, segments, brands, districts."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

import citystudy
from citystudy.codeframe import CODED_LANGUAGES
from citystudy.config import Study
from citystudy.store import Reading, UnreadPost
from citystudy.text import full_text
from nlp.adverts import is_advert
from nlp.clauses import mark_clauses
from nlp.coder.choice import coder_config, default_config, made
from nlp.coder.component import make_coder
from nlp.language import LanguageDetector
from nlp.mentions import make_mentions, mention_config

BATCH = 500
# spaCy finds components by name once their modules are imported.
COMPONENTS = (mark_clauses, make_coder, make_mentions)

if not Doc.has_extension("advert"):
    Doc.set_extension("advert", default=False)


@Language.component("citystudy_adverts")
def mark_advert(doc: Doc) -> Doc:
    """Set `doc._.advert`: whether a seller speaks."""
    doc._.advert = is_advert(doc._.text, doc.lang_)
    return doc


def coding_pipeline(lang: str, *, cut: float) -> Language:
    """Return the pipeline that codes texts in `lang` by the shipped coder: clauses, adverts, statements."""
    return _coding_pipeline(lang, default_config(lang, cut=cut), {})


def _coding_pipeline(lang: str, coder: dict[str, Any], own_themes: Mapping[str, Sequence[str]]) -> Language:
    nlp = spacy.blank(lang)
    nlp.add_pipe("citystudy_clauses")
    nlp.add_pipe("citystudy_adverts")
    nlp.add_pipe("citystudy_coder", config={"coder": coder, "own_themes": dict(own_themes)})
    return nlp


class Pipeline:
    """Reads posts: names each post's language and, where that language is coded, finds what it says."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._detector = LanguageDetector(tuple(dict.fromkeys((*study.languages(), *CODED_LANGUAGES))))
        self._local = {city.id: tuple(city.languages) for city in study.cities}
        self._languages: dict[str, Language] = {}

    @cached_property
    def identity(self) -> str:
        """A digest of everything a reading depends on besides the post: code version, models, the study's words."""
        relevant = {
            "version": citystudy.__version__,
            "coders": {lang: made(coder_config(self._study, lang)).identity for lang in CODED_LANGUAGES},
            # What a coder's prices, limits and keys are changes no reading; the rest of its table is in its identity.
            "study": self._study.model_dump(
                include={"cities", "codeframe", "segments", "brands", "analysis"}, exclude={"analysis": {"llm"}}
            ),
        }
        return hashlib.sha256(json.dumps(relevant, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def read(self, posts: Iterable[UnreadPost]) -> Iterator[Reading]:
        """Yield a reading for each post, in order."""
        stream = iter(posts)
        while batch := list(islice(stream, BATCH)):
            yield from self._read_batch(batch)

    def _read_batch(self, posts: Sequence[UnreadPost]) -> Iterator[Reading]:
        texts = [full_text(post.title, post.text) for post in posts]
        languages = [
            self._detector.detect(text, post.declared_lang, self._local.get(post.city, ()))
            for post, text in zip(posts, texts, strict=True)
        ]
        of_language: dict[str, list[int]] = defaultdict(list)
        for number, lang in enumerate(languages):
            if lang in CODED_LANGUAGES:
                of_language[lang].append(number)
        readings: dict[int, Reading] = {
            number: Reading(post, languages[number], coded=False, advert=False) for number, post in enumerate(posts)
        }
        for lang, numbers in of_language.items():
            readings.update(self._coded(lang, {number: posts[number] for number in numbers}, texts))
        return (readings[number] for number in range(len(posts)))

    def _coded(self, lang: str, posts: Mapping[int, UnreadPost], texts: Sequence[str]) -> Iterator[tuple[int, Reading]]:
        nlp = self._pipeline(lang)
        docs = []
        for number, post in posts.items():
            doc = nlp.make_doc(texts[number])
            doc._.city = post.city
            docs.append(doc)
        for (number, post), doc in zip(posts.items(), nlp.pipe(docs), strict=True):
            found = {"advert": doc._.advert, "statements": doc._.statements, "mentions": doc._.mentions}
            yield number, Reading(post, lang, coded=doc._.coded, **found)

    def _pipeline(self, lang: str) -> Language:
        if lang not in self._languages:
            own_themes = {name: theme.words.get(lang, []) for name, theme in self._study.codeframe.items()}
            nlp = _coding_pipeline(lang, coder_config(self._study, lang), own_themes)
            nlp.add_pipe("citystudy_mentions", config=mention_config(self._study))
            self._languages[lang] = nlp
        return self._languages[lang]

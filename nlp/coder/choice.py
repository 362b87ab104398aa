"""Which coder a study names, as spaCy's config of the component `citystudy_coder`."""

from __future__ import annotations

from typing import Any

from spacy.util import registry

from citystudy.config import Study
from nlp.coder.linear import LinearCoder
from nlp.coder.model import shipped


@registry.misc("citystudy_default_coder")  # type: ignore[untyped-decorator]  # spaCy types it as Any
def default_coder(lang: str, cut: float) -> LinearCoder:
    """Return the shipped coder of a language."""
    return LinearCoder(shipped(lang), cut=cut)


def default_config(lang: str, *, cut: float) -> dict[str, Any]:
    """Return the config of the shipped coder of a language."""
    return {"@misc": "citystudy_default_coder", "lang": lang, "cut": cut}


def coder_config(study: Study, lang: str) -> dict[str, Any]:
    """Return the config of the coder that `study` names for a language."""
    return default_config(lang, cut=study.analysis.cut)

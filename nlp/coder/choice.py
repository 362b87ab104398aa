"""Which coder a study names, as spaCy's config of the component `citystudy_coder`.

What only one coder needs is imported when that coder is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.util import registry

from citystudy.config import LanguageModel, Study, Theme
from citystudy.credentials import key_at
from nlp.coder.interface import Coder
from nlp.coder.linear import LinearCoder
from nlp.coder.model import shipped

if TYPE_CHECKING:
    from nlp.coder.llm.coder import LanguageModelCoder


@registry.misc("citystudy_default_coder")  # type: ignore[untyped-decorator]  # spaCy types it as Any
def default_coder(lang: str, cut: float) -> LinearCoder:
    """Return the shipped coder of a language."""
    return LinearCoder(shipped(lang), name="default", cut=cut)


@registry.misc("citystudy_transformers_coder")  # type: ignore[untyped-decorator]  # spaCy types it as Any
def transformers_coder(model: str, head: str, folder: str, cut: float) -> LinearCoder:
    """Return the coder over a sentence-embedding model; one model serves all languages."""
    from nlp.coder.embedding import embedding_model

    return LinearCoder(embedding_model(model, head, Path(folder)), name="transformers", cut=cut)


@registry.misc("citystudy_llm_coder")  # type: ignore[untyped-decorator]  # spaCy types it as Any
def llm_coder(llm: dict[str, Any], own_themes: dict[str, str], ledger: str, cut: float) -> LanguageModelCoder:
    """Return the coder that asks a language model (`llm`: a study's [analysis.llm]); raises SecretError."""
    from nlp.coder.llm.coder import LanguageModelCoder
    from nlp.coder.llm.prompt import Prompt

    model = LanguageModel.model_validate(llm)
    key = key_at(model.key, named_by="analysis.llm.key", service="the language model") if model.key else None
    return LanguageModelCoder(model, Prompt(own_themes), key=key, ledger=Path(ledger), cut=cut)


def default_config(lang: str, *, cut: float) -> dict[str, Any]:
    """Return the config of the shipped coder of a language."""
    return {"@misc": "citystudy_default_coder", "lang": lang, "cut": cut}


def coder_config(study: Study, lang: str) -> dict[str, Any]:
    """Return the config of the coder that `study` names for a language."""
    analysis = study.analysis
    if analysis.coder == "transformers":
        assert analysis.transformers  # the study file is refused without it
        return {
            "@misc": "citystudy_transformers_coder",
            "model": analysis.transformers.model,
            "head": analysis.transformers.head,
            "folder": str(study.folder),
            "cut": analysis.cut,
        }
    if analysis.coder == "llm":
        assert analysis.llm  # the study file is refused without it
        database = study.database_path
        return {
            "@misc": "citystudy_llm_coder",
            "llm": analysis.llm.model_dump(),
            "own_themes": {name: _covered(theme) for name, theme in study.codeframe.items()},
            "ledger": str(database.with_name(f"{database.name}.llm.db")),
            "cut": analysis.cut,
        }
    return default_config(lang, cut=analysis.cut)


def made(config: dict[str, Any]) -> Coder:
    """Return the coder that a config describes."""
    coder: Coder = registry.resolve({"coder": config})["coder"]
    return coder


def _covered(theme: Theme) -> str:
    """Return a study's own theme in words: its label, then its words of all languages."""
    label = theme.label.get("en") or next(iter(theme.label.values()))
    return f"{label} ({', '.join(dict.fromkeys(word for words in theme.words.values() for word in words))})"

"""The coder that asks a language model: what was asked once is never asked, or paid, again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from citystudy.config import LanguageModel
from citystudy.errors import LanguageModelError
from citystudy.store import Statement
from nlp.coder.interface import Passage
from nlp.coder.llm.asking import Asker
from nlp.coder.llm.client import Endpoint
from nlp.coder.llm.ledger import Ledger, coding_key
from nlp.coder.llm.prompt import Prompt
from nlp.coder.llm.shown import Shown, batches, shown

GIVE_UP_AFTER = 10
_log = logging.getLogger(__name__)


class LanguageModelCoder:
    """Codes by a language model behind an OpenAI-compatible endpoint; the ledger keeps its codings and their cost."""

    def __init__(self, model: LanguageModel, prompt: Prompt, *, key: str | None, ledger: Path, cut: float) -> None:
        self._model = model
        self._prompt = prompt
        self._key = key
        self._ledger = ledger
        self._cut = cut

    @cached_property
    def identity(self) -> str:
        """Return the model, its host, the prompt's version and the cut."""
        return f"llm {self._model.model} {urlsplit(self._model.url).netloc} {self._prompt.version} {self._cut}"

    def code(self, passages: Sequence[Passage]) -> list[list[Statement] | None]:
        """Return for each passage its statements, the surest first; None where the model gave no usable answer.

        Raises CostCapError before a request that might go beyond the cap, LanguageModelError where the model can't be
        asked or answers nothing usable; what was answered stays in the ledger.
        """
        keys = [coding_key(passage, self._model.model, self._prompt.version) for passage in passages]
        with Ledger(self._ledger) as ledger:
            known = ledger.known(list(dict.fromkeys(keys)))
            unknown = {
                key: shown(passage)
                for key, passage in zip(keys, passages, strict=True)
                if passage.clauses and key not in known
            }
            if unknown:
                known |= self._asked(unknown, ledger)
        return [
            self._sure(known.get(key)) if passage.clauses else [] for key, passage in zip(keys, passages, strict=True)
        ]

    def _sure(self, statements: Sequence[Statement] | None) -> list[Statement] | None:
        return None if statements is None else [s for s in statements if s.score >= self._cut]

    def _asked(self, passages: Mapping[str, Shown], ledger: Ledger) -> dict[str, tuple[Statement, ...]]:
        found: dict[str, tuple[Statement, ...]] = {}
        in_a_row = 0
        with Endpoint(self._model, self._key) as endpoint:
            asker = Asker(self._model, self._prompt, ledger, endpoint)
            for batch in batches(passages, self._model.passages_per_request):
                found |= asker.ask(batch)
                for key in [key for key in batch if key not in found]:
                    found |= asker.ask({key: batch[key]})
                    in_a_row = 0 if key in found else in_a_row + 1
                    if in_a_row == GIVE_UP_AFTER:
                        raise LanguageModelError(
                            f"analysis.llm.model: '{self._model.model}' gave no usable answer about {in_a_row} passages "
                            f"in a row ({_counts(asker)}); name a model that can answer in JSON, or ask about fewer "
                            "passages at once with analysis.llm.passages_per_request"
                        )
            if left := len(passages.keys() - found.keys()):
                _log.warning("citystudy: passages that the language model left out, now not coded: %d", left)
            if +asker.dropped:
                _log.warning("citystudy: dropped from the language model's answers: %s", _counts(asker))
        return found


def _counts(asker: Asker) -> str:
    return ", ".join(f"{reason}: {n}" for reason, n in sorted((+asker.dropped).items())) or "nothing said of them"

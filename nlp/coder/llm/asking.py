"""Asking a model about passages: never beyond the cap, again after what may pass, each answer paid and kept at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from time import sleep

from citystudy.config import LanguageModel
from citystudy.errors import CostCapError, LanguageModelError
from citystudy.store import Statement
from nlp.coder.llm.answer import Checked, UnusableAnswerError, check_answer
from nlp.coder.llm.client import Completion, Endpoint, PassingError
from nlp.coder.llm.ledger import Ledger
from nlp.coder.llm.prompt import Prompt, user_message
from nlp.coder.llm.shown import Shown

TRIES = 5
LONGEST_WAIT_SECONDS = 120.0
MILLION = 1_000_000


class Asker:
    """Asks one model for codings and keeps the ledger; counts by reason what it had to drop from answers."""

    def __init__(self, model: LanguageModel, prompt: Prompt, ledger: Ledger, endpoint: Endpoint) -> None:
        self._model = model
        self._prompt = prompt
        self._ledger = ledger
        self._endpoint = endpoint
        self.dropped: Counter[str] = Counter()

    def ask(self, passages: Mapping[str, Shown]) -> dict[str, tuple[Statement, ...]]:
        """Return the statements of each passage the model answered, after they are kept under the passages' keys.

        Raises CostCapError before a request that might go beyond the cap, LanguageModelError where no try helps.
        """
        message = user_message(list(passages.values()))
        tried = 0
        while True:
            tried += 1
            most = self._most(message)
            request = self._reserve(most)
            try:
                completion = self._endpoint.ask(self._prompt, message)
            except PassingError as error:
                if not error.billed:
                    self._ledger.release(request)
                sleep(self._wait(error, tried))
            except LanguageModelError:
                self._ledger.release(request)
                raise
            else:
                return self._kept(request, completion, most, passages)

    def _kept(
        self, request: int, completion: Completion, most: float, passages: Mapping[str, Shown]
    ) -> dict[str, tuple[Statement, ...]]:
        checked = self._checked(completion, list(passages.values()))
        self.dropped += checked.dropped
        keys = list(passages)
        codings = {keys[place]: statements for place, statements in checked.statements.items()}
        cost = self._cost(*completion.tokens) if completion.tokens else most
        self._ledger.settle(request, completion.tokens, cost, codings)
        return codings

    def _checked(self, completion: Completion, passages: Sequence[Shown]) -> Checked:
        try:
            return check_answer(completion.content, passages, self._prompt.themes)
        except UnusableAnswerError:
            reason = "answer cut off at analysis.llm.max_answer_tokens" if completion.cut_off else "answer out of form"
            return Checked({}, Counter({reason: 1}))

    def _reserve(self, most: float) -> int:
        spent, cap = self._ledger.spent(), self._model.max_cost
        if spent + most > cap:
            raise CostCapError(
                f"analysis.llm.max_cost: {spent:.4f} of {cap:g} is spent and the next request may cost up to "
                f"{most:.4f}; raise analysis.llm.max_cost in the study file and run the same command again, which "
                "goes on from here and pays for no passage twice"
            )
        return self._ledger.reserve(self._model.model, most)

    def _most(self, message: str) -> float:
        """Return the most that a request may cost: no token is shorter than a byte, no answer longer than its limit."""
        return self._cost(len(self._endpoint.request(self._prompt, message)), self._model.max_answer_tokens)

    def _cost(self, read: int, written: int) -> float:
        return (read * self._model.input_price + written * self._model.output_price) / MILLION

    def _wait(self, error: PassingError, tried: int) -> float:
        """Return the seconds to wait before the next try; raises LanguageModelError where there is none."""
        goes_on = "run the same command again later; it goes on from here"
        if tried == TRIES:
            raise LanguageModelError(f"analysis.llm.url: {self._model.url} {error}, {TRIES} times; {goes_on}")
        wait = 2.0 ** (tried - 1) if error.wait is None else error.wait
        if wait > LONGEST_WAIT_SECONDS:
            raise LanguageModelError(
                f"analysis.llm.url: {self._model.url} {error} and asks to wait {wait:.0f} s; {goes_on}"
            )
        return wait

"""One request to a chat-completions endpoint: what it answers, or what went wrong and whether that may pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from pydantic import BaseModel, Field, ValidationError

from citystudy import __version__
from citystudy.config import LanguageModel
from citystudy.errors import LanguageModelError, SecretError
from nlp.coder.llm.prompt import Prompt

LONGEST_MESSAGE = 300
_REFUSED_KEY = {401, 403}
_MAY_PASS = {408, 409, 425, 429}
_BAD_REQUEST = {400, 422}
# What some servers refuse, and the key that they take instead; None: they do without.
_OTHERWISE = {"max_tokens": "max_completion_tokens", "temperature": None, "response_format": None}


class PassingError(Exception):
    """A failure that may pass: how long the server asks to wait, in seconds, and whether it may bill the request."""

    def __init__(self, message: str, *, wait: float | None = None, billed: bool) -> None:
        super().__init__(message)
        self.wait = wait
        self.billed = billed


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    total_tokens: int = 0


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote, whether the limit on its answer cut it off, and the tokens billed; None where not told."""

    content: str
    cut_off: bool
    tokens: tuple[int, int] | None


class Endpoint:
    """A model behind `POST {url}/chat/completions`; a context that closes its connections."""

    def __init__(self, model: LanguageModel, key: str | None) -> None:
        self._model = model
        self._key = key
        self._refused: set[str] = set()
        self._client = httpx.Client(timeout=model.timeout_seconds, headers=_headers(key))

    def __enter__(self) -> Self:
        """Return the open endpoint."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def request(self, prompt: Prompt, passages: str) -> bytes:
        """Return the body of a request about a user message."""
        body: dict[str, Any] = {
            "model": self._model.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": passages}],
            "temperature": 0,
            "max_tokens": self._model.max_answer_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "codes", "strict": True, "schema": prompt.schema},
            },
        }
        for name in self._refused:
            value, other = body.pop(name), _OTHERWISE[name]
            if other:
                body[other] = value
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")

    def ask(self, prompt: Prompt, passages: str) -> Completion:
        """Ask once; what a server refuses to be told is asked for in its other form.

        Raises PassingError for what another try may mend, LanguageModelError for what only the user can.
        """
        response = self._post(self.request(prompt, passages))
        while response.status_code in _BAD_REQUEST and (name := self._refused_in(response)):
            self._refused.add(name)
            response = self._post(self.request(prompt, passages))
        if response.status_code != httpx.codes.OK:
            raise self._failure(response)
        return _completion(response)

    def _post(self, body: bytes) -> httpx.Response:
        url = f"{self._model.url.rstrip('/')}/chat/completions"
        try:
            return self._client.post(url, content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PassingError(f"can't be reached ({type(error).__name__})", billed=False) from None
        except httpx.TimeoutException:
            message = f"gave no answer for {self._model.timeout_seconds:g} s (analysis.llm.timeout_seconds)"
            raise PassingError(message, billed=True) from None
        except httpx.RequestError as error:
            raise PassingError(f"broke off ({type(error).__name__})", billed=True) from None
        except httpx.InvalidURL:
            raise LanguageModelError(f"analysis.llm.url: found '{url}', expected a web address") from None

    def _refused_in(self, response: httpx.Response) -> str | None:
        said = self._said(response)
        return next((name for name in _OTHERWISE if name in said and name not in self._refused), None)

    def _failure(self, response: httpx.Response) -> Exception:
        status, said = response.status_code, self._said(response)
        answered = f"{self._model.url} answered {status}" + (f" ({said})" if said else "")
        if status in _REFUSED_KEY:
            mend = "set analysis.llm.key to where a key stands that may use this model"
            return LanguageModelError(f"analysis.llm.key: {answered}; {mend}")
        if status == httpx.codes.NOT_FOUND:
            mend = (
                f"expected the base address of an OpenAI-compatible endpoint, such as https://host/v1, in "
                f"analysis.llm.url, and a model it serves in analysis.llm.model ('{self._model.model}')"
            )
            return LanguageModelError(f"analysis.llm: {answered}; {mend}")
        if status in _MAY_PASS or response.is_server_error:
            return PassingError(
                f"answered {status}" + (f" ({said})" if said else ""), wait=_retry_after(response), billed=False
            )
        return LanguageModelError(f"analysis.llm: {answered}; mend what it names and run the same command again")

    def _said(self, response: httpx.Response) -> str:
        """Return the server's own words on one short line, without the key."""
        try:
            said = json.loads(response.content)["error"]["message"]
        except (ValueError, LookupError, TypeError, RecursionError):
            said = response.text
        line = " ".join(str(said).split())
        if self._key:
            line = line.replace(self._key, "[KEY]")
        return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _headers(key: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": f"citystudy/{__version__}"}
    if key is None:
        return headers
    if not (key.isascii() and key.isprintable()):
        raise SecretError("analysis.llm.key: the key holds a character that no header may hold; set it anew")
    return {**headers, "Authorization": f"Bearer {key}"}


def _completion(response: httpx.Response) -> Completion:
    try:
        read = _Completion.model_validate_json(response.content)
    except ValidationError:
        message = "answered something that is no chat completion; expected an OpenAI-compatible endpoint"
        raise PassingError(message, billed=True) from None
    choice, usage = read.choices[0], read.usage
    # Some servers tell the tokens of thinking in the total alone.
    tokens = None
    if usage:
        tokens = usage.prompt_tokens, max(usage.completion_tokens, usage.total_tokens - usage.prompt_tokens)
    return Completion(choice.message.content or "", choice.finish_reason == "length", tokens)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3); None where it says nothing."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

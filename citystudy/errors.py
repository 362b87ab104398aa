"""The errors a user may see: each names the place, what was found, what was expected and the mend."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the `citystudy` command returns to the shell (docs/command-line.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    LOCKED = 4
    INTERRUPTED = 130


class CityStudyError(Exception):
    """Something the user can mend; printed as it reads, never with a traceback."""

    exit_code: ExitCode = ExitCode.FAILED


class ConfigError(CityStudyError):
    """A study file that can't be used as it stands; holds one line a problem."""

    exit_code = ExitCode.USAGE


class StoreError(CityStudyError):
    """The study's database can't be opened, read or written."""


class SecretError(CityStudyError):
    """The study's secret is missing or is not the one its database was made with."""

    exit_code = ExitCode.USAGE


class LockedError(CityStudyError):
    """Another process is working on this study."""

    exit_code = ExitCode.LOCKED


class LanguageModelError(CityStudyError):
    """The language model that codes posts gave no usable answer; what it answered before stays stored."""


class CostCapError(LanguageModelError):
    """The next request to the language model might cost more than the study allows."""

    exit_code = ExitCode.INCOMPLETE


class InputError(CityStudyError):
    """A file given by the user can't be read at all (single bad rows are counted, not raised)."""

from __future__ import annotations

from citystudy import errors
from citystudy.errors import CityStudyError, ExitCode

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CityStudyError)]


def test_exit_codes_are_those_the_documents_promise() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "INCOMPLETE": 3,
        "LOCKED": 4,
        "INTERRUPTED": 130,
    }


def test_every_error_ends_the_command_with_a_failure() -> None:
    assert len(KINDS) > 4
    for kind in KINDS:
        # What a language model coded before it reached its cap stays: that run is done in part.
        partly = kind is errors.CostCapError
        assert kind.exit_code not in {ExitCode.OK, ExitCode.INCOMPLETE} or partly, kind.__name__


def test_an_error_prints_as_it_was_written() -> None:
    assert str(errors.StoreError("x.db: the disk is full")) == "x.db: the disk is full"

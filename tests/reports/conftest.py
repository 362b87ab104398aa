from __future__ import annotations

from pathlib import Path

import pytest
from report_world import World, study_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(study_of(tmp_path))

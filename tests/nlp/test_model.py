from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from citystudy.codeframe import KINDS, THEMES
from nlp.coder import features
from nlp.coder.model import Floats, LinearModel

TEXTS = [
    "the bus is late again and nobody cares",
    "no water in our street since monday",
    "i wish there was a park for children",
    "we need a night bus to the airport please",
    "love the new cafe in headingley",
    "the market is the best place in town",
    "good morning everybody",
    "what a match yesterday",
]
SAID = ["problem", "problem", "wish", "wish", "preference", "preference", None, None]


def tiny_model() -> LinearModel:
    """A model of eight texts: each kind's weights are the difference between its texts and the others."""
    matrix = features.counts(TEXTS, "en")
    idf = features.inverse_frequencies(matrix)
    columns = np.unique(matrix.indices).astype(np.int32)
    vectors = features.weighted(matrix, idf)[:, columns].toarray()
    weights = np.zeros((len(columns), len(KINDS) + len(THEMES)), np.float32)
    for k, kind in enumerate(KINDS):
        said = np.array([label == kind for label in SAID])
        weights[:, k] = 6 * (vectors[said].mean(0) - vectors[~said].mean(0))
    weights[:, len(KINDS) :] = np.random.default_rng(1).normal(size=(len(columns), len(THEMES)))
    return LinearModel(
        lang="en",
        idf=idf,
        columns=columns,
        weights=weights,
        intercepts=np.linspace(-1, 1, len(KINDS) + len(THEMES)).astype(np.float32),
        calibration=np.array([[1.0, 2.0, 0.5], [0.0, -0.5, 0.25]], np.float32),
        certainty=(0.9, -0.1),
        trained=np.array([3, 2**64 - 1], np.uint64),
        card={"posts": 8, "note": "проба"},
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "en.npz"
    tiny_model().save(path)
    return path


def both(model: LinearModel, texts: list[str]) -> npt.NDArray[np.float32]:
    found = model.probabilities(texts)
    return np.hstack([found.kinds, found.themes])


def test_it_tells_the_kinds_it_was_shown() -> None:
    found = tiny_model().probabilities(TEXTS).kinds
    for row, label in zip(found, SAID, strict=True):
        if label is not None:
            assert KINDS[int(row.argmax())] == label


def test_probabilities_have_their_shapes_and_bounds() -> None:
    found = tiny_model().probabilities([*TEXTS, "", "ничего по-английски", "😀"])
    assert found.kinds.shape == (11, len(KINDS))
    assert found.themes.shape == (11, len(THEMES))
    assert found.kinds.dtype == found.themes.dtype == np.float32
    for values in (found.kinds, found.themes):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert (values <= 1).all()


def test_no_texts_give_no_rows() -> None:
    found = tiny_model().probabilities([])
    assert found.kinds.shape == (0, len(KINDS))
    assert found.themes.shape == (0, len(THEMES))


def test_a_texts_probabilities_do_not_depend_on_its_neighbours() -> None:
    model = tiny_model()
    alone = np.vstack([both(model, [text]) for text in TEXTS])
    np.testing.assert_allclose(both(model, TEXTS), alone, rtol=1e-5)


def test_kinds_are_calibrated_and_themes_are_not() -> None:
    model = tiny_model()
    plain = LinearModel(
        model.lang,
        model.idf,
        model.columns,
        model.weights,
        model.intercepts,
        np.array([[1.0] * 3, [0.0] * 3], np.float32),
        model.certainty,
        model.trained,
        {},
    )
    calibrated, raw = model.probabilities(TEXTS), plain.probabilities(TEXTS)
    log_odds = np.log(raw.kinds / (1 - raw.kinds))
    expected = 1 / (1 + np.exp(-(log_odds * model.calibration[0] + model.calibration[1])))
    np.testing.assert_allclose(calibrated.kinds, expected, rtol=1e-4)
    np.testing.assert_array_equal(calibrated.themes, raw.themes)


def test_scores_of_any_size_are_probabilities() -> None:
    model = tiny_model()
    steep = LinearModel(
        model.lang,
        model.idf,
        model.columns,
        model.weights * 1e4,
        model.intercepts,
        model.calibration,
        model.certainty,
        model.trained,
        {},
    )
    found = both(steep, TEXTS)  # an overflow would be a warning, and so an error
    assert np.isfinite(found).all()
    assert found.min() == 0.0


def test_a_model_read_again_is_the_same_model(saved: Path, tmp_path: Path) -> None:
    first = LinearModel.load(saved)
    again = tmp_path / "again.npz"
    first.save(again)
    assert again.read_bytes() == saved.read_bytes()
    second = LinearModel.load(again)
    np.testing.assert_array_equal(both(first, TEXTS), both(second, TEXTS))
    assert second.card == {"posts": 8, "note": "проба"}
    assert second.lang == "en"


def test_saving_loses_no_more_than_half_precision(saved: Path) -> None:
    np.testing.assert_allclose(both(LinearModel.load(saved), TEXTS), both(tiny_model(), TEXTS), atol=5e-3)


def test_the_bytes_do_not_depend_on_the_time(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.localtime(2_000_000_000)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    tiny_model().save(tmp_path / "later.npz")
    assert (tmp_path / "later.npz").read_bytes() == saved.read_bytes()


def test_no_text_can_be_read_in_a_model(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as data:
        arrays = {"idf", "columns", "weights", "intercepts", "calibration", "certainty", "trained", "card"}
        assert set(data) == arrays
        strings = [name for name in data if data[name].dtype.kind in "OUS"]
    assert strings == ["card"]


def test_features_weigh_rare_words_more_and_blocks_alike() -> None:
    matrix = features.counts(TEXTS, "en")
    assert matrix.shape == (len(TEXTS), features.WIDTH)
    idf: Floats = features.inverse_frequencies(matrix)
    assert idf.shape == (features.WIDTH,)
    seen = np.bincount(matrix.indices, minlength=features.WIDTH)
    assert idf[seen == 1].max() > idf[seen == seen.max()].min()
    weighted = features.weighted(matrix, idf).toarray()
    expected = matrix.toarray()[:, : features.DIMENSIONS] * idf[: features.DIMENSIONS]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(weighted[:, : features.DIMENSIONS], expected, rtol=1e-5)
    np.testing.assert_array_equal(weighted[:, features.HASHED :], matrix.toarray()[:, features.HASHED :])
    words, characters = weighted[:, : features.DIMENSIONS], weighted[:, features.DIMENSIONS : features.HASHED]
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(characters, axis=1), 1, rtol=1e-5)


def test_weighing_does_not_change_the_counts() -> None:
    matrix = features.counts(TEXTS, "en")
    before = matrix.data.copy()
    features.weighted(matrix, features.inverse_frequencies(matrix))
    np.testing.assert_array_equal(matrix.data, before)


def test_spellings_that_fold_together_have_the_same_features() -> None:
    one, other = features.counts(["مدرسة؟", "مدرسه?"], "ar").toarray()
    np.testing.assert_array_equal(one, other)

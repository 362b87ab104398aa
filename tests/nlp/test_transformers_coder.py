"""The `transformers` coder from end to end, on a tiny model made here that stands in for a large one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.decomposition import TruncatedSVD

from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.config import read_study
from citystudy.errors import ConfigError, InputError
from citystudy.store import UnreadPost
from nlp.clauses import clause_offsets
from nlp.coder.embedding import Embedding, EmbeddingModel, embedding_model, load_embedding, unit_vectors
from nlp.coder.head import PROBES, Head
from nlp.coder.interface import Passage
from nlp.coder.linear import LinearCoder
from nlp.pipeline import Pipeline
from nlp.training import head as command
from nlp.training.examples import fold_of, of_coded
from nlp.training.head import _linear, train
from nlp.training.texts import CodedPost, written_posts

ROOT = Path(__file__).parent.parent.parent
MODELS = ROOT / "nlp" / "models"

# What citystudy uses of sentence-transformers, over a model that is one array: hashed pieces of words, projected.
LIBRARY = """
import re
import zlib
from pathlib import Path

import numpy as np


class SentenceTransformer:
    asked = []

    def __init__(self, model_name_or_path=None, *, local_files_only=False):
        self.asked.append((model_name_or_path, local_files_only))
        if not Path(model_name_or_path).is_dir():
            raise OSError(f"{model_name_or_path} is not a valid model identifier\\nIf this is a private one, log in")
        self._projection = np.load(Path(model_name_or_path, "projection.npy"))

    def encode(self, inputs, prompt_name=None):
        assert isinstance(inputs, list) and inputs
        return np.array([self._vector(text) for text in inputs], np.float32)

    def _vector(self, text):
        words = re.findall(r"\\w+|[?؟!]", text.lower())
        pieces = words + [f" {word} "[i : i + 4] for word in words for i in range(max(1, len(word) - 1))]
        buckets = [zlib.crc32(piece.encode()) % len(self._projection) for piece in pieces]
        found, counts = np.unique(buckets, return_counts=True)
        return np.log1p(counts) @ self._projection[found.astype(int)]
"""

BUCKETS, WIDTH = 4096, 128
STUDY = """
[study]
name = "test"
question = "?"
contact = "a@example.org"
[[cities]]
name = "Leeds"
country = "GB"
languages = ["en", "ar", "fa", "ru"]
[analysis]
coder = "transformers"
[analysis.transformers]
model = "models/tiny модель"
head = "heads/tiny.npz"
"""
MODEL = "models/tiny модель"
HEAD = "heads/tiny.npz"
WRITTEN = {lang: list(written_posts(lang)) for lang in CODED_LANGUAGES}


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the library, which can be imported as long as these tests run."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "sentence_transformers.py").write_text(LIBRARY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, "sentence_transformers", raising=False)
        yield folder
        sys.modules.pop("sentence_transformers", None)


@pytest.fixture
def asked(library: Path) -> list[tuple[str, bool]]:
    """The models asked of the library during a test: name or path, whether local files alone may be read."""
    from sentence_transformers import SentenceTransformer

    embedding_model.cache_clear()
    SentenceTransformer.asked.clear()
    found: list[tuple[str, bool]] = SentenceTransformer.asked
    return found


def make_model(folder: Path, projection: npt.NDArray[np.floating[Any]]) -> Path:
    folder.mkdir(parents=True)
    np.save(folder / "projection.npy", projection.astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study, with a tiny model: latent semantic vectors of texts of the folds that train.

    No label is used in making it, and no text of the fold that is held apart.
    """
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "heads").mkdir()
    make_model(folder / "pieces", np.eye(BUCKETS))
    texts = [post.text for post in held_apart()[0]]
    pieces = load_embedding("pieces", folder).encode(texts)
    rarity = np.log(len(texts) / (1 + (pieces > 0).sum(0))).clip(0)
    axes = TruncatedSVD(WIDTH, random_state=0).fit(pieces * rarity).components_
    make_model(folder / MODEL, rarity[:, None] * axes.T)
    return folder


@pytest.fixture(scope="module")
def embedding(folder: Path) -> Embedding:
    return load_embedding(MODEL, folder)


def run_command(library: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the training command in `folder`, without the shared data."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(library), str(ROOT))),
        "CITYSTUDY_SHARED": str(folder / "none"),
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "nlp.training.head", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(library: Path, folder: Path) -> str:
    """What the training command printed after it wrote the study's head."""
    result = run_command(library, folder, MODEL, HEAD)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def head(trained: str, folder: Path) -> Head:
    return Head.load(folder / HEAD)


def held_apart() -> tuple[list[CodedPost], list[CodedPost]]:
    """The written posts that train and, of another fold, those that test.

    Left out are the pairs (c-, d-) that differ in one turn of phrase: a model that knows only which words stand in a text
    can't tell them apart.
    """
    posts = [post for lang in CODED_LANGUAGES for post in WRITTEN[lang] if post.id.startswith("w-")]
    folds = [fold_of(post.text, post.lang) for post in posts]
    return (
        [post for post, fold in zip(posts, folds, strict=True) if fold],
        [post for post, fold in zip(posts, folds, strict=True) if not fold],
    )


def passage(text: str) -> Passage:
    return Passage(text, tuple(clause_offsets(text)))


def kinds_of(post: CodedPost) -> list[bool]:
    return [any(code.kind == kind for code in post.codes) for kind in KINDS]


def f1(said: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    return float(2 * (said & found).sum() / (said.sum() + found.sum()))


# Training


def test_the_command_trains_on_the_written_posts_and_says_so_on_the_card(trained: str, head: Head) -> None:
    card = head.card
    assert json.loads(trained) == card
    assert card["model"] == "tiny модель"
    assert (card["written_posts"], card["coded_posts"]) == (sum(map(len, WRITTEN.values())), 0)
    assert (card["measured_on"], card["width"]) == ("written posts", WIDTH)
    assert set(card["kind_f1"]) == {"all", *CODED_LANGUAGES}
    assert all(0.1 < value < 0.9 for value in card["kind_f1"].values())
    assert head.weights.shape == (WIDTH, 21)


def test_the_same_posts_train_the_same_bytes(embedding: Embedding, tmp_path: Path) -> None:
    posts = [post for lang in CODED_LANGUAGES for post in WRITTEN[lang][:40]]
    for name in ("one", "two"):
        train(embedding, posts, name="m").save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_head_is_calibrated_and_measured_on_coded_posts_where_there_are_any(embedding: Embedding) -> None:
    written, coded = WRITTEN["en"][:150], [replace(post, set="gold") for post in WRITTEN["fa"][:150]]
    both, without = (
        train(embedding, [*written, *coded], name="m"),
        train(embedding, [*written, *WRITTEN["fa"][:150]], name="m"),
    )
    assert (both.card["written_posts"], both.card["coded_posts"]) == (150, 150)
    assert both.card["measured_on"] == "coded posts"
    assert set(both.card["kind_f1"]) == {"all", "fa"}
    np.testing.assert_array_equal(both.weights, without.weights)
    assert (both.calibration != without.calibration).all()


def test_the_card_tells_of_posts_that_a_fold_did_not_see(embedding: Embedding) -> None:
    posts = WRITTEN["en"][:200]
    dealt = np.random.default_rng(3).permutation(len(posts))
    nonsense = [replace(post, codes=posts[other].codes) for post, other in zip(posts, dealt, strict=True)]
    assert train(embedding, nonsense, name="m").card["kind_f1"]["all"] < 0.3  # learned by heart, it would be near 1


def test_the_size_and_centre_of_a_models_vectors_do_not_matter(embedding: Embedding) -> None:
    examples = list(of_coded(WRITTEN["ru"][:100]))
    vectors = unit_vectors(embedding, [example.text for example in examples])
    scores = []
    for moved in (vectors, 7 * vectors + 3):
        weights, intercepts = _linear(examples, moved)
        scores.append(moved @ weights + intercepts)
    assert np.ptp(scores[0][:, len(KINDS) :]) > 3
    np.testing.assert_allclose(scores[0], scores[1], atol=0.02)


def test_the_command_takes_languages_and_the_coded_posts_where_the_shared_data_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(command, "shared_folder", lambda: tmp_path)
    monkeypatch.setattr(command, "written_posts", lambda lang: WRITTEN[lang][:100])
    monkeypatch.setattr(command, "coded_posts", lambda lang: [replace(p, set="gold") for p in WRITTEN[lang][100:180]])
    command.main([MODEL, str(tmp_path / "head.npz"), "--lang", "ar", "ru"])
    card = Head.load(tmp_path / "head.npz").card
    assert json.loads(capsys.readouterr().out) == card
    assert (card["written_posts"], card["coded_posts"]) == (200, 160)
    assert set(card["kind_f1"]) == {"all", "ar", "ru"}


@pytest.mark.parametrize(
    ("model", "out", "message"),
    [
        ("./models/none", "head.npz", "found './models/none', and no folder"),
        (MODEL, "nowhere/head.npz", "found no folder"),
    ],
)
def test_the_command_ends_with_what_is_wrong(library: Path, folder: Path, model: str, out: str, message: str) -> None:
    result = run_command(library, folder, model, out)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


# Coding


def test_kinds_are_found_in_posts_held_apart_far_better_than_by_chance(embedding: Embedding) -> None:
    shown, held = held_apart()
    assert len(held) > 300
    coder = LinearCoder(EmbeddingModel(embedding, train(embedding, shown, name="m")), name="transformers", cut=0.4)
    coded = coder.code([passage(post.text) for post in held])
    said = np.array([kinds_of(post) for post in held])
    found = np.array([[any(s.kind == kind for s in statements) for kind in KINDS] for statements in coded])
    dealt = [f1(said, found[np.random.default_rng(n).permutation(len(found))]) for n in range(50)]
    assert f1(said, found) > max(dealt) + 0.12  # the same answers, dealt to the posts by chance
    assert f1(said, found) > f1(said, np.ones_like(said)) + 0.08  # every kind said of every post
    for lang in CODED_LANGUAGES:
        rows = np.array([post.lang == lang for post in held])
        assert f1(said[rows], found[rows]) > np.mean([f1(said[rows], np.roll(found[rows], n, 0)) for n in range(1, 50)])


def test_a_passages_statements_do_not_depend_on_its_neighbours(embedding: Embedding, head: Head) -> None:
    coder = LinearCoder(EmbeddingModel(embedding, head), name="transformers", cut=0.4)
    passages = [passage(post.text) for post in WRITTEN["en"][:60]] + [Passage("", ()), passage("ok")]
    together = coder.code(passages)
    assert together == [coder.code([one])[0] for one in passages]
    assert coder.code([]) == []
    assert together[60] == []
    assert sum(map(len, together)) > 15


def test_a_study_is_read_by_its_model_in_four_languages(
    folder: Path, head: Head, embedding: Embedding, asked: list[tuple[str, bool]]
) -> None:
    study = read_study(folder / "study.toml")
    posts = [post for lang in CODED_LANGUAGES for post in WRITTEN[lang][:50]]
    pipeline = Pipeline(study)
    readings = list(pipeline.read(unread(posts)))
    likely = EmbeddingModel(embedding, head).probabilities([post.text for post in posts]).kinds >= 0.5
    spoken = set()
    for post, reading, row in zip(posts, readings, likely, strict=True):
        assert reading.coded
        expected = {kind for kind, said in zip(KINDS, row, strict=True) if said}
        assert {s.kind for s in reading.statements} == (set() if reading.advert else expected)
        clauses = set(clause_offsets(post.text))
        assert all((s.start, s.end) in clauses and 0 < s.score <= 1 for s in reading.statements)
        spoken |= {reading.lang} if reading.statements else set()
    assert spoken == set(CODED_LANGUAGES)
    assert sum(bool(reading.statements) for reading in readings) > 25
    assert asked == [(str(folder / MODEL), True)]  # loaded once, and from its folder alone


def unread(posts: Sequence[CodedPost]) -> list[UnreadPost]:
    return [UnreadPost(n, str(n), "leeds", "", post.text, post.lang, str(n)) for n, post in enumerate(posts)]


def test_another_head_is_another_identity(folder: Path, head: Head) -> None:
    replace(head, intercepts=head.intercepts + np.float32(0.5)).save(folder / "heads" / "other.npz")
    (folder / "other.toml").write_text(STUDY.replace("tiny.npz", "other.npz"), encoding="utf-8")
    coder, other = (
        LinearCoder(embedding_model(MODEL, name, folder), name="transformers", cut=0.5)
        for name in (HEAD, "heads/other.npz")
    )
    assert coder.identity == f"transformers {head.digest} 0.5"
    assert other.identity != coder.identity
    first, again, third = (
        Pipeline(read_study(folder / name)).identity for name in ("study.toml", "study.toml", "other.toml")
    )
    assert first == again != third


# What can be wrong: the study file


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ('coder = "transformers"', "analysis.transformers: missing, expected a [analysis.transformers] table"),
        ('[analysis.transformers]\nmodel = "a"\nhead = "b"', "analysis.coder: found 'default' beside a [analysis.tr"),
        ('coder = "transformers"\ntransformers = { model = "a" }', "analysis.transformers.head: missing"),
        ('coder = "transformers"\ntransformers = { model = "", head = "b" }', "analysis.transformers.model: found ''"),
        ('coder = "transformer"', "did you mean 'transformers'?"),
    ],
)
def test_a_study_file_that_names_half_a_coder_is_refused(tmp_path: Path, analysis: str, message: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY[: STUDY.index('coder = "tr')] + analysis, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_study(path)
    assert message in str(error.value)


# What can be wrong: the model


def test_without_the_extra_the_error_names_it_and_its_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r"needs the extra transformers.*pip install 'citystudy\[transformers\]'"):
        load_embedding(MODEL, folder)


@pytest.mark.parametrize(
    "name",
    [
        "heads/none",
        "./none",
        "../none",
        "/nowhere/model",
        "~/no such model",
        "models/none",  # a name of the hub, were there no folder `models`
        "path/to/folder",
        "study.toml",
        "C:\\models\\tiny",
        "модель",
    ],
)
def test_a_path_that_leads_nowhere_is_never_looked_up(folder: Path, name: str, asked: list[tuple[str, bool]]) -> None:
    with pytest.raises(InputError, match=r"analysis\.transformers\.model: found .*no folder") as error:
        load_embedding(name, folder)
    assert name in str(error.value)
    assert asked == []


def test_a_name_of_the_hub_is_left_to_the_library(folder: Path, asked: list[tuple[str, bool]]) -> None:
    with pytest.raises(
        InputError, match=r"'owner/name' \(no folder .*not a valid model identifier\); expected"
    ) as error:
        load_embedding("owner/name", folder)
    assert "\n" not in str(error.value)
    assert asked == [("owner/name", False)]


def test_a_folder_that_holds_no_model_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"the folder .*heads can't be read by sentence-transformers \(FileNotFound"):
        load_embedding("heads", folder)


# What can be wrong: the head


def test_a_missing_head_says_how_to_train_one(folder: Path, asked: list[tuple[str, bool]]) -> None:
    with pytest.raises(
        InputError, match=r"found no file .*none\.npz; train a head with: python -m nlp\.training\.head"
    ):
        embedding_model(MODEL, "none.npz", folder)
    assert asked == []  # told before a large model is loaded


@pytest.mark.parametrize("width", [WIDTH, 64])
def test_a_head_for_another_model_is_refused(folder: Path, head: Head, width: int) -> None:
    other = f"models/other{width}"
    make_model(folder / other, np.random.default_rng(width).normal(size=(BUCKETS, width)))
    expected = (
        rf"trained for the model 'tiny модель' \({WIDTH} num.*'{other}' \({width} num.*training\.head {other} /.*npz$"
    )
    with pytest.raises(InputError, match=expected):
        embedding_model(other, HEAD, folder)


def test_a_model_in_half_precision_at_another_place_is_the_same_model(folder: Path, head: Head) -> None:
    projection = np.load(folder / MODEL / "projection.npy").astype(np.float16)
    make_model(folder / "moved", projection)
    assert embedding_model("moved", HEAD, folder).digest == head.digest


def test_a_study_with_a_head_for_another_model_is_not_read(folder: Path, head: Head, tmp_path: Path) -> None:
    make_model(tmp_path / MODEL, np.random.default_rng(5).normal(size=(BUCKETS, WIDTH)))
    (tmp_path / "heads").mkdir()
    head.save(tmp_path / HEAD)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    with pytest.raises(InputError, match="which is another model; train one"):
        list(Pipeline(read_study(tmp_path / "study.toml")).read(unread(WRITTEN["en"][:3])))


def rewritten(**changes: object) -> Callable[[bytes, Path], None]:
    """Return what writes a head with some of its entries replaced, or left out where None."""

    def write(whole: bytes, path: Path) -> None:
        path.write_bytes(whole)
        with np.load(path) as data:
            entries: dict[str, Any] = {**data, **changes}
        with path.open("wb") as file:
            np.savez(file, **{name: value for name, value in entries.items() if value is not None})

    return write


def damaged(damage: Callable[[bytes], bytes]) -> Callable[[bytes, Path], None]:
    def write(whole: bytes, path: Path) -> None:
        path.write_bytes(damage(whole))

    return write


def one_array() -> bytes:
    file = io.BytesIO()
    np.save(file, WEIGHTS)
    return file.getvalue()


WEIGHTS = np.zeros((WIDTH, 21), np.float32)


@pytest.mark.parametrize(
    "write",
    [
        damaged(lambda whole: b""),
        damaged(lambda whole: b"not a head"),
        damaged(lambda whole: whole[: len(whole) // 2]),
        damaged(lambda whole: whole[:300] + bytes(200) + whole[500:]),
        damaged(lambda whole: (MODELS / "en.npz").read_bytes()),
        damaged(lambda whole: one_array()),
        lambda whole, path: path.mkdir(),
        rewritten(weights=None),
        rewritten(weights=WEIGHTS[:, :20]),
        rewritten(weights=WEIGHTS[:5]),
        rewritten(weights=WEIGHTS.astype(np.float64)),
        rewritten(weights=np.float32(1)),
        rewritten(weights=np.array(["a"])),
        rewritten(weights=np.full_like(WEIGHTS, np.nan)),
        rewritten(card=np.array("{")),
        rewritten(card=np.array("[]")),
        rewritten(card=np.array("{}")),
    ],
)
def test_a_file_that_is_no_head_is_told(head: Head, tmp_path: Path, write: Callable[[bytes, Path], None]) -> None:
    head.save(tmp_path / "whole")
    write((tmp_path / "whole").read_bytes(), tmp_path / "head.npz")
    with pytest.raises(
        InputError, match=r"analysis\.transformers\.head: .*head\.npz can't be read as a head \(.+\); exp"
    ):
        Head.load(tmp_path / "head.npz")


def test_no_code_in_a_head_is_run(tmp_path: Path) -> None:
    objects = np.array([print], dtype=object)
    with (tmp_path / "head.npz").open("wb") as file:
        np.savez(file, weights=objects, intercepts=objects, calibration=objects, probes=objects, card=objects)
    with pytest.raises(InputError, match="can't be read as a head"):
        Head.load(tmp_path / "head.npz")


def test_a_head_read_again_is_the_same_head(head: Head, tmp_path: Path) -> None:
    head.save(tmp_path / "a file of any name")
    again = Head.load(tmp_path / "a file of any name")
    assert (again.digest, again.card) == (head.digest, head.card)
    assert len(PROBES) == len(again.probes)
    np.testing.assert_allclose(np.linalg.norm(again.probes, axis=1), 1, rtol=1e-5)

"""Train the head of the `transformers` coder: `python -m nlp.training.head MODEL OUT [--lang LANG ...]`.

MODEL is a sentence-embedding model, as `analysis.transformers.model` names it (a folder is relative to the current
one); OUT is the .npz file to write. The head learns from the posts written for training, and from the coded posts
where the shared data is present, of all languages at once. It is the linear model of `nlp.training.build` over other
vectors: the same examples, weights and learner, calibrated and measured out of fold in the same folds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.errors import CityStudyError, InputError
from nlp.coder.embedding import Embedding, load_embedding, unit_vectors
from nlp.coder.head import PROBES, Head
from nlp.coder.model import Floats, digest_of
from nlp.training.build import calibrate
from nlp.training.build import fits as fit_examples
from nlp.training.examples import FOLDS, Example, fold_of, of_coded
from nlp.training.texts import CodedPost, coded_posts, shared_folder, written_posts

CUT = 0.5  # of a kind's probability, for the F1 on the card
# Of the vectors that are learned from: the smaller, the stronger the regularisation. By cross-validation on latent
# semantic vectors; n-grams, which are sparse, do well at 1.
MEAN_SQUARE = 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write a head; print its card."""
    parser = argparse.ArgumentParser(prog="python -m nlp.training.head", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="folder or name of a sentence-embedding model")
    parser.add_argument("out", type=Path, help="the .npz file to write")
    parser.add_argument("--lang", nargs="+", choices=CODED_LANGUAGES, default=CODED_LANGUAGES, help="train on these")
    asked = parser.parse_args(arguments)
    try:
        if not asked.out.absolute().parent.is_dir():
            raise InputError(f"{asked.out}: found no folder {asked.out.absolute().parent}, expected one; make it first")
        embedding = load_embedding(asked.model, Path())
        head = train(embedding, list(_posts(asked.lang)), name=_shown(asked.model))
        head.save(asked.out)
    except CityStudyError as error:
        sys.exit(str(error))
    print(json.dumps(head.card, ensure_ascii=False, indent=2))


def _shown(model: str) -> str:
    """Return a model's name for the card: of a folder its last part, so that a head tells nothing of the machine."""
    folder = Path(model).expanduser()
    return folder.resolve().name if folder.is_dir() else model


def _posts(languages: Iterable[str]) -> Iterator[CodedPost]:
    for lang in languages:
        yield from written_posts(lang)
        if shared_folder() is not None:
            yield from coded_posts(lang)


def train(embedding: Embedding, posts: Sequence[CodedPost], *, name: str) -> Head:
    """Return a head for `embedding`, whose card calls it `name`.

    It is calibrated and measured on the coded posts, which are real ones; on the written ones where there are no others.
    """
    examples = [(example, number) for number, post in enumerate(posts) for example in of_coded([post])]
    taught, owners = [example for example, _ in examples], np.array([number for _, number in examples])
    vectors = unit_vectors(embedding, [example.text for example in taught])
    whole = np.flatnonzero([example.whole for example in taught])  # one a post, in order
    folds = np.array([fold_of(post.text, post.lang) for post in posts])
    raw = np.zeros((len(posts), len(KINDS)), np.float32)
    for fold in range(FOLDS):
        seen, held = np.flatnonzero(folds[owners] != fold), np.flatnonzero(folds == fold)
        weights, intercepts = _linear([taught[i] for i in seen], vectors[seen], questions=len(KINDS))
        raw[held] = vectors[whole[held]] @ weights + intercepts
    coded = [i for i, post in enumerate(posts) if post.set != "written"]
    measured = coded or list(range(len(posts)))
    calibration = calibrate(raw[measured], [posts[i] for i in measured])
    weights, intercepts = _linear(taught, vectors)
    probes = unit_vectors(embedding, PROBES)
    card = {
        "model": name,
        "model_digest": digest_of(probes),
        "width": vectors.shape[1],
        "written_posts": len(posts) - len(coded),
        "coded_posts": len(coded),
        "measured_on": "coded posts" if coded else "written posts",
        "kind_f1": _kind_f1([posts[i] for i in measured], raw[measured] * calibration[0] + calibration[1]),
    }
    return Head(weights, intercepts, calibration, probes, card)


def _linear(examples: Sequence[Example], vectors: Floats, questions: int | None = None) -> tuple[Floats, Floats]:
    """Return weights and intercepts over `vectors` for the first `questions` (none: all) of kinds and themes.

    What all texts share is taken off and the rest scaled to one mean square, so that one strength of regularisation
    suits the embeddings of any model; both are then folded into the weights.
    """
    mean = vectors.mean(0)
    centred = vectors - mean
    scale = np.sqrt(MEAN_SQUARE / (centred**2).sum(1).mean())
    fits = list(islice(fit_examples(examples, centred * scale), questions))
    weights = np.stack([weight for weight, _ in fits], 1) * scale
    intercepts = np.array([intercept for _, intercept in fits]) - mean @ weights
    return weights.astype(np.float32), intercepts.astype(np.float32)


def _kind_f1(posts: Sequence[CodedPost], scores: Floats) -> dict[str, float]:
    """Return the micro F1 of kinds by calibrated log-odds, over all posts and for each language."""
    said = np.array([[any(code.kind == kind for code in post.codes) for kind in KINDS] for post in posts])
    found = scores >= np.log(CUT / (1 - CUT))
    spoken = np.array([post.lang for post in posts])
    groups: dict[str, Any] = {"all": np.full(len(posts), fill_value=True)}
    groups |= {str(lang): spoken == lang for lang in np.unique(spoken)}
    return {name: _f1(said[rows], found[rows]) for name, rows in groups.items()}


def _f1(said: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    return round(float(f1_score(said, found, average="micro", zero_division=0.0)), 4)


if __name__ == "__main__":
    main()

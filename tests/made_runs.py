"""Runs as tests need them: who was named right is said, and no model was fitted."""

import dataclasses

import numpy as np
import pandas as pd

from ser_core import corpus, evaluation
from ser_core.corpus.labels import LABELS
from ser_core.models import registry
from ser_core.results.runs import Run, Tables

CLIPS = corpus.official_clips()[::5]  # 491
DIGEST = "abcdef0123456789"


def known_of(clips) -> pd.DataFrame:
    """What predictions say of clips, whatever was named."""
    rows = [(clip.stem, clip.corpus, clip.speaker, clip.gender) for clip in clips]
    return pd.DataFrame(rows, columns=evaluation.CLIP_COLUMNS)


def run(right, model="kn", protocol="study", clips=CLIPS, **fields):
    """A run that names the clips right where it is said, and otherwise the next class; `fields` as `changed` has
    them."""
    truth = np.array([LABELS.index(clip.label) for clip in clips])
    named = np.where(right, truth, (truth + 1) % len(LABELS))
    given = np.full((len(clips), len(LABELS)), 0.01)
    given[np.arange(len(clips)), named] = 0.85
    known = known_of(clips).assign(fold=0, part="test", truth=[clip.label for clip in clips])
    rows = pd.concat([known, pd.DataFrame(given, columns=evaluation.PROBABILITY_COLUMNS)], axis=1)
    return of(rows, model, protocol, **fields)


def of(predictions, model="kn", protocol="study", **fields):
    """A shipped run of a model's default with these predictions, called by the model's key; its scores are not
    computed."""
    tables = Tables(predictions)
    clips = predictions["clip"].nunique()
    made = Run(model, registry.recipe(model), protocol, DIGEST, clips, tables, scores={}, shipped=True)
    return changed(made, **fields)


def changed(run, recipe=(), **fields):
    """The same run with other fields, and in its recipe other fields, too."""
    return dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **dict(recipe)), **fields)


def by_chance(seed, share=0.8):
    return np.random.default_rng(seed).uniform(size=len(CLIPS)) < share


def answers(heard="", blur=1.0, model="robust", protocol="emobox", seed=0, **fields):
    """A run with folds of speakers, whose answers are sure and right where they are near and the less, the more `blur`
    there is; `fields` as `changed` has them."""
    random = np.random.default_rng([seed, *heard.encode()])
    folds = [{f"{actor:02d}" for actor in actors} for actors in evaluation.protocols.PUBLISHED["emobox"]]
    clips = [clip for clip in corpus.official_clips() if clip.channel == "speech"][::3]
    truth = np.eye(len(LABELS))[[LABELS.index(clip.label) for clip in clips]]
    scores = random.uniform(0, 6, size=(len(clips), 1)) * truth + blur * random.normal(size=truth.shape)
    given = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    known = known_of(clips).assign(
        fold=[next(number for number, fold in enumerate(folds) if clip.speaker in fold) for clip in clips],
        part="test",
        truth=[clip.label for clip in clips],
    )
    rows = pd.concat([known, pd.DataFrame(given, columns=evaluation.PROBABILITY_COLUMNS)], axis=1)
    rows[evaluation.DISTANCE] = random.gamma(20, size=len(clips)) * (1 + (blur - 1) / 4)
    return of(rows, model, protocol, id=f"{model}-{protocol}-{heard}-{seed}", heard=heard, **fields)


def elsewhere(run, name="elsewhere"):
    """A run of the same model on another corpus: half of the same answers for three emotions, and for boredom."""
    known = run.predictions[::2].assign(corpus=name)
    emotions = known["truth"].str.split("_").str[0]
    kept = known[emotions.isin(["angry", "happy", "sad"])]
    bored = known[emotions == "calm"].assign(part="other", truth="boredom_female")
    about = {"corpus": name, "digest": "ab" * 32, "speakers": sorted(kept["speaker"].unique()), "languages": ["de"]}
    about |= {"shortest_s": 1.0, "longest_s": 2.0}
    protocol = evaluation.protocols.on_corpus(name, about["digest"])
    tables = Tables(pd.concat([kept, bored], ignore_index=True))
    return changed(run, id=f"{run.id}-{name}", protocol=protocol, heard="", tested_on=about, tables=tables)

"""Calls made of clips of actors whom the model has never heard, at telephone band: which turns are found, and right.

    python -m benchmarks.call           # which turns are found
    python -m benchmarks.call MODEL     # fit it on all other actors, and hear the calls: robust, krr

Uses the real clips (SER_DATA_DIR). A call has 32 turns of two of the four actors of EmoBox's first fold. A turn is
found if both its ends are, within 0.3 s. The limits of the verdicts come from the other folds.

What finds the turns was set on nine calls of the 20 other actors (`python -m benchmarks.call others`).
"""

import sys
import time
from dataclasses import replace
from itertools import combinations

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from ser_core import audio, corpus, experiments
from ser_core.audio import voice_activity
from ser_core.corpus import Corpus
from ser_core.evaluation import protocols, verdicts
from ser_core.features import model_input, tables
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Listener, Predictor
from ser_core.results import runs
from ser_core.settings import Settings
from tests import made_calls

HELD_OUT = [f"{actor:02d}" for actor in protocols.PUBLISHED["emobox"][0]]
OTHERS = "others"


def main(what: str = "") -> None:
    settings = Settings.from_environment()
    found = corpus.index(settings.data_dir)
    if what in ("", OTHERS):
        others = sorted(set(found.clips["speaker"]) - set(HELD_OUT))
        pairs = list(combinations(HELD_OUT, 2)) if not what else list(zip(others[::2], others[1::2], strict=True))[:9]
        find(found, pairs)
    else:
        hear(found, fitted(what, settings))


def find(found: Corpus, pairs: list[tuple[str, str]]) -> None:
    """How many turns of each call are found."""
    number = []
    for seed, pair in enumerate(pairs):
        samples, true = made_calls.call(found, pair, seed)
        start = time.process_time()
        heard = voice_activity.turns(samples, made_calls.RATE)
        seconds = time.process_time() - start
        number.append(int((made_calls.match(heard, true) >= 0).sum()))
        cost = seconds / (len(samples) / made_calls.RATE)
        print(f"{' and '.join(pair)}: {number[-1]} of {len(true)} found, {len(heard)} heard; {cost:.3f} s a second")
    print(f"in all {sum(number)} of {made_calls.TURNS * len(number)}, in each at least {min(number)}")


def fitted(key: str, settings: Settings) -> Predictor:
    """A model as it ships, but fitted on the actors who are in none of the calls."""
    entry, every = model_store.find(key, settings.stores), runs.list_all(settings.stores)
    table = tables.read(settings.feature_table)
    recipe = entry.recipe
    inputs = model_input.load(table, settings, features=recipe.features, augmentation=recipe.augmentation)
    fold = protocols.get("emobox").folds(table)[0]
    assert set(table["speaker"].iloc[fold.held_out]) == set(HELD_OUT)
    model = EmotionClassifier(experiments.build(recipe))
    speakers = table["speaker"].to_numpy()[fold.train]
    told = {name: speakers for name in ("groups", "speakers") if has_fit_parameter(model.estimator, name)}
    model.fit(inputs.values[fold.train], table["label"].to_numpy(dtype=str)[fold.train], **told)
    tests = model_store.Tests.of(next(run for run in every if run.id == entry.run), every)
    as_recorded, *otherwise = (run.part("test") for run in (tests.unheard, *tests.heard))
    of_others = [rows[~rows["speaker"].isin(HELD_OUT)] for rows in (as_recorded, *otherwise)]
    limits = verdicts.limits(of_others[0], of_others[1:])
    return Predictor(Listener(model, entry), replace(entry, unheard=replace(entry.unheard, limits=limits)))


def hear(found: Corpus, predictor: Predictor) -> None:
    """How many turns have the right emotion, of all and of those that are said to be heard."""
    said, right, found_s = [], [], []
    for seed, pair in enumerate(combinations(HELD_OUT, 2)):
        samples, true = made_calls.call(found, pair, seed)
        turns = predictor.predict(audio.Waveform(samples, made_calls.RATE, made_calls.RATE, 1, "WAV")).turns
        match = made_calls.match(turns[["start_s", "end_s"]].to_numpy(), true)
        turns, true = turns.iloc[match[match >= 0]], true[match >= 0]
        is_heard = (turns["verdict"] == verdicts.HEARD).to_numpy()
        is_right = turns["emotion"].to_numpy() == true["emotion"].to_numpy()
        print(
            f"{' and '.join(pair)}: {len(true)} of {made_calls.TURNS} found, {_share(is_right)} of them right; "
            f"{is_heard.sum()} heard, {_share(is_right[is_heard])} of them right"
        )
        said.append(is_heard)
        right.append(is_right)
        found_s.append(len(true))
    said, right = np.concatenate(said), np.concatenate(right)
    print(
        f"in all {sum(found_s)} of {made_calls.TURNS * len(found_s)} found, {_share(right)} of them right; "
        f"{said.sum()} heard, {_share(right[said])} of them right"
    )


def _share(is_right: np.ndarray) -> str:
    return f"{is_right.mean():.3f}" if len(is_right) else "none"


if __name__ == "__main__":
    main(*sys.argv[1:])

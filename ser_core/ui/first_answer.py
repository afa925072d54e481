"""What the first answer needs, in steps that a server takes before the first visitor comes."""

import gc
from functools import partial
from importlib import import_module

from ser_core import compiled
from ser_core.ui import cached

# In the order of what pages need first; each takes less than two seconds.
PACKAGES = (
    "pandas",
    "scipy.stats",
    "sklearn.metrics",
    "ser_core.results.generalization",
    "ser_core.figures.generalization",
    "ser_core.figures.scores",
    "ser_core.prediction.predictor",
    "ser_core.ui.comparison",
    "ser_core.ui.generalization",
    "ser_core.ui.speaker",
    "ser_core.ui.take_list",
    "skops.io",
)


def _hear() -> None:
    from ser_core.corpus import synthetic

    if entries := cached.trained_models():
        cached.predictor(next(iter(entries.values()))).predict_file(synthetic.wav("neutral", actor=1, seconds=1.0))


def _draw() -> None:
    from ser_core.corpus import synthetic
    from ser_core.corpus.labels import EMOTION_NAMES
    from ser_core.features.mean180 import N_MELS, N_MFCC
    from ser_core.figures import prediction
    from ser_core.figures.clip import BY_KEY, Scale

    samples, rate = synthetic.speak("neutral", actor=1, seconds=1.0), synthetic.RATE
    BY_KEY["mel"].draw(samples, rate, Scale.of(samples, rate, N_MELS, N_MFCC), "")
    prediction.emotions(dict.fromkeys(EMOTION_NAMES, 1 / len(EMOTION_NAMES)))


def _set_aside() -> None:
    """Spare the collector what is loaded by now: Streamlit collects after each run of a page, or of a part of one."""
    gc.collect()
    gc.freeze()


def _compare() -> None:
    from ser_core.ui import generalization

    generalization.score_conditions()


def _judge() -> None:
    from ser_core.ui import generalization

    generalization.reach_verdicts()


STEPS = {package: partial(import_module, package) for package in PACKAGES} | {
    "what librosa compiles": compiled.fill_cache,
    "the runs that ship": cached.shipped_runs,
    "the model that answers first": _hear,
    "charts": _draw,
}
AFTERWARDS = {
    "what other recordings do to models": _compare,
    "the verdicts on voices never heard": _judge,
    "what garbage is sought in": _set_aside,
}

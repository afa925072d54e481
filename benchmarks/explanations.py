"""Whether explanations are true: what is said to speak for or against an answer is made usual, and so is the rest.

A measure is made usual by setting it to the mean of the training clips of the other emotions, in voices of the same
gender: pitch, its range, pace and brightness by changing the sound, the others by changing the model's features that
hold them. An explanation is true if the answer moves further where it was said to matter.

SER_DATA_DIR=... python -m benchmarks.explanations [--model robust] [--clips 200]
"""

import argparse
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import numpy as np
import pandas as pd

from ser_core import audio, corpus
from ser_core.corpus.labels import LABELS, by_emotion
from ser_core.features import speaking, what_if
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.speaker_perturbation import perturb
from ser_core.features.what_if import BOUNDS, Changes
from ser_core.prediction import explanation
from ser_core.prediction.explanation import Standing
from ser_core.prediction.predictor import Listener, load_predictor
from ser_core.results import runs
from ser_core.settings import Settings

SEED = 9
EXAMPLES = 15  # training clips of each class, whose mean features count as usual
BRIGHTNESS_OF_TILT = 1.8  # dB of brightness to 1 dB an octave
BY_PRAAT = ("pitch_hz", "pitch_range_st", "pace")
# Beginnings of the names of features that hold what no change of the sound reaches.
HOLD = {
    "loudness_range_db": ("energy_",),
    "pauses": ("active_share", "voiced_"),
    "roughness_db": ("hnr_", "jitter", "shimmer"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="robust")
    parser.add_argument("--clips", type=int, default=200)
    options = parser.parse_args()
    settings = Settings.from_environment()
    predictor = load_predictor(options.model)
    if not isinstance(predictor.listener, Listener):
        parser.error(f"{options.model} is a vote: choose one of its members")
    run = runs.get(predictor.entry.run, settings.stores)
    clips = explanation.training_clips(settings)
    tested = run.part("test")["clip"]
    spoken = tested[tested.isin([one.stem for one in corpus.official_clips() if one.channel == "speech"])]
    asked = spoken.sample(options.clips, random_state=SEED)
    examples = clips.groupby("label").sample(EXAMPLES, random_state=SEED)
    recordings = corpus.look_through(settings.data_dir)
    sounds = {stem: audio.load(recordings.file(stem), rate=SAMPLE_RATE) for stem in [*asked, *examples["stem"]]}
    usual = predictor.listener.features.of([sounds[stem].samples for stem in examples["stem"]])
    moved = pd.concat([_moved(predictor, sounds[stem], clips, examples, usual).assign(stem=stem) for stem in asked])
    print(in_words(moved, predictor.entry.name))


def _moved(predictor, sound: audio.Waveform, clips, examples: pd.DataFrame, usual: np.ndarray) -> pd.DataFrame:
    """How far the answer for a clip moves with each measure, and whether the measure is said to matter."""
    prediction = predictor.predict(sound)
    found = explanation.standing(sound.samples, prediction.emotion, prediction.gender, clips)
    others = clips[(clips["gender"] == found.gender) & (clips["emotion"] != found.emotion)]
    means = others.groupby("emotion")[list(speaking.NAMES)].mean().mean()
    by_sound = by_sound_changes(found, means)
    # What Praat takes apart and puts together again differs a little even with nothing changed: that must not count.
    resynthesised = perturb(sound.samples, 1.0, 1.0, 1.0)
    sounds = [resynthesised, *(what_if.changed(sound.samples, change) for change in by_sound.values())]
    (put_together, *heard), _, _ = predictor.listener.hear(sounds)
    answers = dict(zip(by_sound, heard, strict=True))
    features = predictor.listener.features.of([sound.samples])
    is_other = ((examples["gender"] == found.gender) & (examples["emotion"] != found.emotion)).to_numpy()
    for measure, beginnings in HOLD.items():
        places = [
            place
            for place, name in enumerate(predictor.listener.features.names)
            if name.startswith(beginnings) and "_with_" not in name and "_modulation_" not in name
        ]
        if places:
            changed = features.copy()
            changed[0, places] = usual[is_other][:, places].mean(axis=0)
            answers[measure] = predictor.listener.model.predict_proba(changed)[0]
    unchanged = np.array([prediction.probabilities[label] for label in LABELS])
    before = by_emotion(np.stack([put_together if name in BY_PRAAT else unchanged for name in answers]))
    moves = np.abs(by_emotion(np.stack(list(answers.values()))) - before).sum(axis=1) / 2
    said = {*found.speaks_for, *found.speaks_against}
    return pd.DataFrame(
        {
            "measure": list(answers),
            "matters": [name in said for name in answers],
            "moves": moves,
        }
    )


def by_sound_changes(found: Standing, means: pd.Series) -> dict[str, Changes]:
    """The change that makes each measure usual; none for a measure that the clip lacks.

    Parameters
    ----------
    found : Standing
    means : pd.Series
        The usual value of each measure.

    Returns
    -------
    dict of str to Changes
    """
    values = found.table["value"].dropna()
    wanted = {
        "pitch_hz": ("pitch_semitones", lambda value, usual: 12 * np.log2(usual / value)),
        "pitch_range_st": ("pitch_range", lambda value, usual: usual / value),
        "pace": ("pace", lambda value, usual: usual / value),
        "brightness_db": ("brightness_db", lambda value, usual: (usual - value) / BRIGHTNESS_OF_TILT),
    }
    return {
        measure: Changes(**{name: float(np.clip(change(values[measure], means[measure]), *BOUNDS[name]))})
        for measure, (name, change) in wanted.items()
        if values.get(measure, 0) != 0
    }


def in_words(moved: pd.DataFrame, model: str) -> str:
    """The measurement as a table and as one sentence for the page.

    Parameters
    ----------
    moved : pd.DataFrame
        `stem`, `measure`, `matters` and `moves` (0 to 1), a row for each clip and measure.
    model : str
        Its name.

    Returns
    -------
    str
    """
    groups = moved.groupby(["stem", "matters"])["moves"].mean().unstack().dropna()
    difference = (groups[True] - groups[False]).to_numpy()
    draws = np.random.default_rng(SEED).choice(difference, (2000, len(difference))).mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    by_measure = moved.pivot_table(index="measure", columns="matters", values="moves", aggfunc=["mean", "size"])
    said, rest = groups[True].mean(), groups[False].mean()
    return "\n".join(
        [
            by_measure.round(3).to_string(),
            f"difference {difference.mean():.3f}, 95 % interval {low:.3f} to {high:.3f} over clips; further in "
            f"{(difference > 0).mean():.0%} of clips",
            f"Over {len(groups)} clips, what is said to matter moves the answer of {model} by {100 * said:.0f} "
            f"percentage points when it is made usual, and what is not said to matter by {100 * rest:.0f}.",
        ]
    )


if __name__ == "__main__":
    main()

"""Whether explanations are true: what is said to speak for or against an answer is made usual, and so is the rest.

A measure is made usual by setting it to the mean of the training clips of the other emotions, in voices of the same
gender: pitch, its range, pace and brightness by changing the sound, the others by changing the model's features that
hold them. An explanation is true if the answer moves further where it was said to matter.

SER_DATA_DIR=... python -m benchmarks.explanations [--model robust] [--clips 200] [--rest] [--ship]
"""

import argparse
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import numpy as np
import pandas as pd

from ser_core import audio, corpus
from ser_core.corpus.labels import LABELS, by_emotion
from ser_core.features import speaking, what_if
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.speaker_perturbation import perturb
from ser_core.features.what_if import BOUNDS, UNCHANGED, Changes
from ser_core.prediction import explanation
from ser_core.prediction.explanation import Standing, Truth
from ser_core.prediction.predictor import Listener, VoteListener, load_predictor
from ser_core.results import runs
from ser_core.settings import Settings

SEED = 9
TESTED = 200  # spoken test clips; the weights of `explanation` come from the others
EXAMPLES = 15  # training clips of each class, whose mean features count as usual
BRIGHTNESS_OF_TILT = 1.8  # dB of brightness to 1 dB an octave
# The setting that makes a measure usual, from the clip's value and the usual one.
BY_SOUND = {
    "pitch_hz": ("pitch_semitones", lambda value, usual: 12 * np.log2(usual / value)),
    "pitch_range_st": ("pitch_range", lambda value, usual: usual / value),
    "pace": ("pace", lambda value, usual: usual / value),
    "brightness_db": ("brightness_db", lambda value, usual: (usual - value) / BRIGHTNESS_OF_TILT),
}
BY_PRAAT = ("pitch_hz", "pitch_range_st", "pace")
# Beginnings of the names of features that hold what no change of the sound reaches.
HOLD = {
    "loudness_range_db": ("energy_",),
    "pauses": ("active_share", "voiced_"),
    "roughness_db": ("hnr_", "jitter", "shimmer"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="v_robust")
    parser.add_argument("--clips", type=int, default=TESTED, help=f"at most {TESTED}")
    parser.add_argument("--rest", action="store_true", help="all other test clips: from them come explanation.WEIGHTS")
    parser.add_argument("--ship", action="store_true", help="write it into artifacts/explanations.json")
    options = parser.parse_args()
    if not 0 < options.clips <= TESTED or (options.rest and options.ship):
        parser.error(f"--clips is at most {TESTED}, and what ships is not measured on the clips of the weights")
    settings = Settings.from_environment()
    predictor = load_predictor(options.model)
    run = runs.get(predictor.entry.run, settings.stores)
    clips = explanation.training_clips(settings)
    tested = run.part("test")["clip"]
    spoken = tested[tested.isin([one.stem for one in corpus.official_clips() if one.channel == "speech"])]
    shuffled = spoken.sample(frac=1, random_state=SEED)
    asked = shuffled[TESTED:] if options.rest else shuffled[: options.clips]
    examples = clips.groupby("label").sample(EXAMPLES, random_state=SEED)
    recordings = corpus.look_through(settings.data_dir)
    sounds = {stem: _sound(recordings, stem) for stem in [*asked, *examples["stem"]]}
    usual = {
        key: one.features.of([sounds[stem].samples for stem in examples["stem"]])
        for key, (_, one) in _parts(predictor.listener).items()
    }
    moved = pd.concat([_moved(predictor, sounds[stem], clips, examples, usual).assign(stem=stem) for stem in asked])
    truth = truth_of(moved, predictor.entry.digest)
    show(moved, truth)
    if options.ship:
        ship(truth, settings.explanations)


def _parts(listener: Listener | VoteListener) -> dict[str, tuple[float, Listener]]:
    """The models that answer together, with their weights."""
    return listener.members if isinstance(listener, VoteListener) else {"": (1.0, listener)}


def _sound(recordings: corpus.Corpus, stem: str) -> audio.Waveform:
    file = recordings.file(stem)
    if file is None:
        raise SystemExit(f"Clip {stem} is not among the recordings: set SER_DATA_DIR to all of RAVDESS")
    return audio.load(file, rate=SAMPLE_RATE)


def _moved(predictor, sound: audio.Waveform, clips, examples: pd.DataFrame, usual: dict) -> pd.DataFrame:
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
    parts = _parts(predictor.listener)
    features = {key: one.features.of([sound.samples]) for key, (_, one) in parts.items()}
    is_other = ((examples["gender"] == found.gender) & (examples["emotion"] != found.emotion)).to_numpy()
    for measure, beginnings in HOLD.items():
        given, is_changed = [], False
        for key, (weight, one) in parts.items():  # of a vote, in those members that learn from named numbers
            places = [
                place
                for place, name in enumerate(one.features.names)
                if name.startswith(beginnings) and "_with_" not in name and "_modulation_" not in name
            ]
            changed = features[key].copy()
            if places:
                changed[0, places] = usual[key][is_other][:, places].mean(axis=0)
                is_changed = True
            given.append((weight, one.model.predict_proba(changed)[0]))
        if is_changed:
            weights, probabilities = zip(*given, strict=True)
            answers[measure] = np.average(probabilities, axis=0, weights=weights)
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
    changes = {}
    for measure, (name, change) in BY_SOUND.items():
        value = found.table.loc[measure, "value"]
        if np.isfinite(value) and value != 0:
            changes[measure] = replace(UNCHANGED, **{name: np.clip(change(value, means[measure]), *BOUNDS[name])})
    return changes


def truth_of(moved: pd.DataFrame, digest: str) -> Truth:
    """How far answers move by what is said to matter, and by the rest, in clips that have both.

    Parameters
    ----------
    moved : pd.DataFrame
        `stem`, `measure`, `matters` and `moves` (0 to 1), a row for each clip and measure.
    digest : str
        Of the model.

    Returns
    -------
    Truth
    """
    said, rest = _by_clip(moved)
    return Truth(digest, len(said), float(said.mean()), float(rest.mean()), float((said > rest).mean()))


def _by_clip(moved: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    means = moved.groupby(["stem", "matters"])["moves"].mean().unstack().dropna()
    return means[True].to_numpy(), means[False].to_numpy()


def show(moved: pd.DataFrame, truth: Truth) -> None:
    """Print the measurement by measure, its interval over clips, and the sentence of the page."""
    in_all = moved.groupby("measure")["moves"].mean()
    by_measure = moved.pivot_table(index="measure", columns="matters", values="moves", aggfunc=["mean", "size"])
    by_measure["all", ""] = in_all
    print(by_measure.round(3).to_string())
    beyond = (moved["moves"] - moved["measure"].map(in_all)).groupby(moved["matters"]).mean()
    print(f"against the same measure in all clips: {beyond[True]:+.3f} where said to matter, {beyond[False]:+.3f} else")
    said, rest = _by_clip(moved)
    means = np.random.default_rng(SEED).choice(said - rest, (2000, len(said))).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    print(f"difference {(said - rest).mean():.3f}, 95% interval {low:.3f} to {high:.3f} over clips")
    print(f"what is said to matter moves the answer further in {truth.further:.0%} of them")
    print(truth)


def ship(truth: Truth, file: Path) -> None:
    """Write a measurement into the shipped file, in place of the one of the same model."""
    found = json.loads(file.read_text()) if file.exists() else []
    kept = [one for one in found if one["digest"] != truth.digest]
    file.write_text(json.dumps([*kept, asdict(truth)], indent=1) + "\n")


if __name__ == "__main__":
    main()

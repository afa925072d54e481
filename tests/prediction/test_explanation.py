import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_core import audio, experiments, load_predictor
from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import ArtifactError
from ser_core.evaluation import protocols
from ser_core.features import model_input, speaking
from ser_core.features.what_if import Changes, changed
from ser_core.models import registry
from ser_core.prediction import explanation, model_store
from ser_core.prediction.predictor import Predictor
from ser_core.results import runs
from ser_core.settings import Settings

RATE = 22_050


def waveform(samples: np.ndarray) -> audio.Waveform:
    return audio.Waveform(np.asarray(samples, dtype=np.float32), RATE, RATE, 1, "wav")


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    return explanation.training_clips(Settings.from_environment())


@pytest.fixture(scope="module")
def robust() -> Predictor:
    return load_predictor("robust")


# Where a clip stands


def test_clips_are_compared_with_spoken_training_clips_alone(clips):
    parts = protocols.original_parts()
    assert set(clips["stem"].map(parts)) == {"train"}
    assert set(clips["channel"]) == {"speech"}
    assert set(clips["emotion"]) == set(EMOTION_NAMES)


def test_a_higher_pitch_stands_higher_among_the_clips_of_every_emotion(clips, spoken):
    low, middle, high = (
        explanation.standing(changed(spoken, Changes(pitch_semitones=by)), "angry", "female", clips).table
        for by in (-3, 0, 3)
    )
    columns = ["others", *EMOTION_NAMES]
    assert (low.loc["pitch_hz", columns] <= middle.loc["pitch_hz", columns]).all()
    assert (middle.loc["pitch_hz", columns] <= high.loc["pitch_hz", columns]).all()
    assert low.loc["pitch_hz", "others"] < middle.loc["pitch_hz", "others"] < high.loc["pitch_hz", "others"]


def test_the_level_of_a_recording_changes_nothing(clips, spoken):
    loud, quiet = (explanation.standing(samples, "sad", "female", clips).table for samples in (spoken, spoken / 20))
    pd.testing.assert_frame_equal(loud, quiet, atol=0.02)


def test_a_clip_is_compared_within_its_gender(clips, spoken):
    woman, man = (explanation.standing(spoken, "angry", gender, clips).table for gender in ("female", "male"))
    assert woman.loc["pitch_hz", "others"] < man.loc["pitch_hz", "others"]


def made(**pitch_hz: np.ndarray) -> pd.DataFrame:
    """Clips that differ in pitch alone."""
    parts = []
    for emotion, hz in pitch_hz.items():
        part = pd.DataFrame(np.random.default_rng(0).normal(size=(len(hz), 7)), columns=list(speaking.NAMES))
        parts.append(part.assign(emotion=emotion, gender="female", stem=emotion, pitch_hz=hz))
    return pd.concat(parts, ignore_index=True)


def test_a_pitch_that_only_one_emotion_has_speaks_for_it_and_against_the_others():
    high, low = (centre + np.random.default_rng(1).normal(scale=10, size=40) for centre in (300, 200))
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE).astype(np.float32)
    found = {one: explanation.standing(tone, one, "female", made(angry=high, sad=low)) for one in ("angry", "sad")}
    assert found["angry"].speaks_for[0] == "pitch_hz"
    assert "pitch_hz" not in found["angry"].speaks_against
    assert found["sad"].speaks_against[0] == "pitch_hz"
    said = found["angry"].sentence("pitch_hz").replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("Its pitch, 300 Hz, is higher than in ")
    assert "% of the angry clips and in 100% of the others; values like it are " in said
    assert said.endswith(" times as common in angry clips.")
    assert found["sad"].sentence("pitch_hz").endswith(" times as rare in sad clips.")


def test_the_others_weigh_the_same_however_many_clips_they_have():
    few, many = np.full(4, 100.0) + np.arange(4), np.full(400, 400.0) + np.arange(400) / 100
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE).astype(np.float32)
    table = explanation.standing(tone, "angry", "female", made(angry=few + 200, sad=few, happy=many)).table
    assert table.loc["pitch_hz", "others"] == pytest.approx(0.5)


def test_what_cannot_be_measured_is_no_reason(clips):
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    found = explanation.standing(noise, "angry", "male", clips)
    assert "pitch_hz" not in (*found.speaks_for, *found.speaks_against)
    assert found.sentence("pitch_hz") == "Its pitch cannot be compared with angry clips."
    assert np.isfinite(found.table.loc["brightness_db", "others"])


def test_an_emotion_that_is_never_sung_has_no_sung_clips_to_compare_with(settings, spoken):
    sung = explanation.training_clips(settings, "song")
    found = explanation.standing(spoken, "disgust", "female", sung)
    assert found.speaks_for == found.speaks_against == []
    assert found.table["others"].notna().all()


# The nearest training clips


@pytest.fixture(scope="module")
def kept(table, voices, tmp_path_factory) -> tuple[Predictor, list[Path]]:
    """The robust classifier, trained on most of the synthetic clips and their copies, and where its run is."""
    table = table[(table["repetition"] == 1) | (table["statement"] == 1)].reset_index(drop=True)
    store, recipe = tmp_path_factory.mktemp("store"), registry.recipe("robust")
    inputs = model_input.load(
        table, Settings(store, voices), features=recipe.features, augmentation=recipe.augmentation, jobs=1
    )
    made = experiments.run(recipe, table, features=inputs, cv=False, jobs=1)
    runs.save(made.run, store)
    return Predictor.load(model_store.save(made, table, store)), [store, store]


def test_the_clip_nearest_to_a_training_clip_is_itself(kept, table, voices):
    predictor, stores = kept
    learned = runs.get(predictor.entry.run, stores).part("train")["clip"]
    for stem in (learned.iloc[0], learned.iloc[-1]):
        row = table[table["stem"] == stem].iloc[0]
        found = explanation.nearest(predictor, audio.load(voices / row["path"], rate=RATE).samples, stores, count=4)
        assert found["stem"].iloc[0] == stem
        assert found["distance"].iloc[0] == pytest.approx(0, abs=0.05)
        assert (found["speaker"].iloc[0], found["emotion"].iloc[0]) == (row["speaker"], row["emotion"])
        assert found["distance"].is_monotonic_increasing
        assert found["stem"].is_unique and len(found) == 4
        assert set(found["stem"]) <= set(learned)


def test_the_nearest_of_a_clips_copies_counts(kept, spoken, monkeypatch):
    predictor, stores = kept
    number = len(runs.get(predictor.entry.run, stores).part("train"))
    each = np.full((1, 3 * number), 2.0)
    each[0, 3 * 5 + 2] = 0.5  # the last copy of the sixth clip
    monkeypatch.setattr(predictor.listener.model, "distances_to_each", lambda features: each, raising=False)
    found = explanation.nearest(predictor, spoken, stores, count=1)
    assert found["stem"].tolist() == [runs.get(predictor.entry.run, stores).part("train")["clip"].iloc[5]]
    assert found["distance"].tolist() == [0.5]


def test_a_model_without_a_space_has_no_nearest_clips(trained, spoken, settings):
    assert explanation.nearest(Predictor.load(trained), spoken, settings.stores) is None


def test_a_model_whose_run_was_deleted_has_no_nearest_clips(kept, spoken, tmp_path):
    assert explanation.nearest(kept[0], spoken, [tmp_path, tmp_path]) is None


def test_the_shipped_model_knows_its_training_clips(robust, ravdess, settings):
    stem = runs.get(robust.entry.run, settings.stores).part("train")["clip"].iloc[700]
    file = next(ravdess.glob(f"*/{stem}.*"))
    found = explanation.nearest(robust, audio.load(file, rate=RATE).samples, settings.stores)
    assert found["stem"].iloc[0] == stem
    assert found["distance"].iloc[0] < 0.1 < 0.4 < found["distance"].iloc[1]


# The stretch that decided


def test_the_stretches_are_the_voice_without_the_silence_around_it(robust, spoken):
    plain = waveform(spoken)
    silence = np.zeros(256 * 60, dtype=np.float32)
    padded = waveform(np.concatenate([silence, spoken, silence]))
    alone, within = (explanation.stretches(robust, one, robust.predict(one)) for one in (plain, padded))
    assert len(alone) == len(within) <= explanation.MAX_STRETCHES
    np.testing.assert_allclose(within["start_s"] - len(silence) / RATE, alone["start_s"], atol=0.02)
    np.testing.assert_allclose(within["falls"], alone["falls"], atol=0.02)
    assert (alone["end_s"].iloc[:-1].to_numpy() == alone["start_s"].iloc[1:].to_numpy()).all()
    assert (alone["end_s"] - alone["start_s"]).between(0.25, 0.55).all()


def test_without_the_angry_half_a_clip_is_less_angry(trained):
    predictor = Predictor.load(trained)
    sad, angry = (synthetic.speak(emotion, actor=6, seconds=1.6) for emotion in ("sad", "angry"))
    sound = waveform(np.concatenate([sad, angry * np.abs(sad).max() / np.abs(angry).max()]))
    found = explanation.stretches(predictor, sound, predictor.predict(sound), "angry")
    is_angry = found["start_s"] >= 1.6
    assert found["falls"][is_angry].mean() > found["falls"][~is_angry].mean()


def test_a_stretch_is_cut_out_without_a_click():
    tone = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    for start, end in ((0, 1_000), (5_000, 9_137), (RATE - 3_000, RATE)):
        left = explanation._without(tone, start, end, RATE)
        assert len(left) == RATE - (end - start)
        assert np.abs(np.diff(left)).max() < 1.2 * np.abs(np.diff(tone)).max()


@pytest.mark.parametrize("seconds", [0.3, 40.0])
def test_what_is_too_short_or_too_long_is_not_taken_apart(robust, seconds):
    sound = waveform(np.resize(synthetic.speak("angry", actor=2, seconds=1.2), int(seconds * RATE)))
    prediction = load_prediction(robust, sound)
    assert explanation.stretches(robust, sound, prediction).empty


def load_prediction(predictor: Predictor, sound: audio.Waveform):
    return predictor.predict(replace(sound, samples=sound.samples[: 2 * RATE]))


def test_a_long_clip_is_asked_about_a_dozen_times_at_most(robust, monkeypatch):
    sound = waveform(np.tile(synthetic.speak("angry", actor=2, seconds=3.0), 4))
    asked, hear = [], robust.listener.hear
    prediction = load_prediction(robust, sound)
    monkeypatch.setattr(robust.listener, "hear", lambda samples: asked.append(len(samples)) or hear(samples))
    assert len(explanation.stretches(robust, sound, prediction)) == explanation.MAX_STRETCHES
    assert asked == [explanation.MAX_STRETCHES]


# How true it is


@pytest.fixture
def measured(settings, tmp_path) -> Settings:
    return replace(settings, artifacts=tmp_path)


def test_the_truth_of_explanations_is_that_of_the_same_model(robust, trained, measured):
    one = explanation.Truth(robust.entry.digest, clips=200, said=0.21, rest=0.06, further=0.9)
    measured.explanations.write_text(json.dumps([asdict(one)]))
    assert explanation.truth(robust.entry, measured) == one
    assert "moves by 21 percentage points in the mean; when anything else is, by 6." in str(one)
    assert explanation.truth(trained, measured) is None


def test_where_no_truth_was_measured_there_is_none(robust, measured):
    assert explanation.truth(robust.entry, measured) is None


@pytest.mark.parametrize("content", ["{", '[{"digest": "a"}]', "3"])
def test_a_damaged_measurement_is_named(robust, measured, content):
    measured.explanations.write_text(content)
    with pytest.raises(ArtifactError, match=r"explanations\.json (is damaged|lacks).*git checkout"):
        explanation.truth(robust.entry, measured)

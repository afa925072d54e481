import librosa
import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.features import mean180
from tests.plain_librosa import assert_same


def test_names_are_the_contract():
    assert len(mean180.NAMES) == len(set(mean180.NAMES)) == 180
    assert mean180.NAMES[0] == "mfcc_01"
    assert mean180.NAMES[39:53] == (
        "mfcc_40", "chroma_C", "chroma_C#", "chroma_D", "chroma_D#", "chroma_E", "chroma_F", "chroma_F#", "chroma_G",
        "chroma_G#", "chroma_A", "chroma_A#", "chroma_B", "mel_001",
    )  # fmt: skip
    assert mean180.NAMES[-1] == "mel_128"


@pytest.mark.parametrize("emotion", EMOTION_NAMES)
@pytest.mark.parametrize("actor", [1, 2])
def test_a_synthetic_voice_gives_what_librosa_gives(emotion, actor):
    samples = synthetic.speak(emotion, actor=actor, intensity=1)
    assert_same(mean180.extract(samples), samples)


@pytest.mark.parametrize("length", [2048, 2049, 5000, 22_050, 100_001])
def test_any_length_gives_what_librosa_gives(length):
    samples = np.random.default_rng(length).normal(scale=0.1, size=length).astype(np.float32)
    assert_same(mean180.extract(samples), samples)


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
@pytest.mark.parametrize("length", [1, 100, 2047])
def test_a_clip_shorter_than_a_frame_is_padded_as_librosa_pads_it(length):
    samples = np.random.default_rng(length).normal(scale=0.1, size=length).astype(np.float32)
    assert_same(mean180.extract(samples), samples)


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")
def test_silence_inside_and_around_a_clip_gives_what_librosa_gives(spoken):
    samples = np.concatenate([np.zeros(8000, np.float32), spoken[:20_000], np.zeros(20_000, np.float32)])
    assert_same(mean180.extract(samples), samples)
    assert_same(mean180.extract(np.zeros(30_000, np.float32)), np.zeros(30_000, np.float32))


def test_a_long_clip_gives_what_librosa_gives(spoken):
    samples = np.tile(spoken, 9)  # 27 s: more than one block
    assert_same(mean180.extract(samples), samples)


def test_the_same_clip_gives_the_same_numbers(spoken):
    assert np.array_equal(mean180.extract(spoken), mean180.extract(spoken.copy()))
    assert mean180.extract(spoken).dtype == np.float32


@pytest.mark.parametrize("number", [1, 2, 30, 5_000])
def test_the_tuning_is_librosas(number):
    pitch = np.random.default_rng(number).uniform(150, 4_000, number).astype(np.float32)
    assert mean180._peak_of_residuals(pitch) == librosa.pitch_tuning(pitch)

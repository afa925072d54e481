"""Voices are found in every condition, and in nothing else; turns are found in calls."""

import numpy as np
import pytest

from ser_core import audio, corpus
from ser_core.audio import conditions, nonspeech
from ser_core.audio.voice_activity import CHUNK_S, _without_short, has_voice, turns
from ser_core.corpus import synthetic
from tests import made_calls

RATE = 22_050
TIME = np.arange(4 * RATE) / RATE
MELODY = np.array([220, 247, 262, 294, 330, 294, 262, 247])[(TIME // 0.5).astype(int) % 8]


def wave(hz) -> np.ndarray:
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(hz, TIME.shape)) / RATE)


# Beside `nonspeech.KINDS`; what comes nearest to a voice.
MORE_SOUNDS = {
    "sweep": 0.3 * wave(200 + 800 * TIME),
    "bird": 0.3 * wave(3_000 + 800 * wave(9)) * (TIME % 0.6 < 0.2),
    "melody": 0.1 * sum(wave(MELODY * k) / k for k in range(1, 12)),
}


@pytest.mark.parametrize("gain_db", [-40, 0])
@pytest.mark.parametrize("kind", [*nonspeech.KINDS, *MORE_SOUNDS])
def test_nothing_else_is_taken_for_a_voice(kind, gain_db):
    seeds = range(3) if kind in nonspeech.KINDS else [0]
    for seed in seeds:
        samples = nonspeech.make(kind, RATE, seed) if kind in nonspeech.KINDS else MORE_SOUNDS[kind]
        assert not has_voice(samples * 10 ** (gain_db / 20), RATE)


@pytest.mark.parametrize("emotion", ["angry", "sad", "neutral", "surprised"])
def test_a_synthetic_voice_is_a_voice(emotion):
    assert has_voice(synthetic.speak(emotion, actor=2), RATE)


@pytest.mark.parametrize("key", conditions.CONDITIONS)
def test_people_are_heard_in_every_condition(ravdess, key):
    found = corpus.index(ravdess)
    speech = found.clips["path"][found.clips["channel"] == "speech"]
    voices = [audio.load(found.folder / path).samples for path in speech.iloc[5::240]]
    for place, samples in enumerate(voices):
        others = voices[:place] + voices[place + 1 :]
        assert has_voice(conditions.get(key).apply(samples, RATE, voices=others), RATE)


def test_singing_is_a_voice(ravdess):
    found = corpus.index(ravdess)
    for path in found.clips["path"][found.clips["channel"] == "song"].iloc[5::200]:
        assert has_voice(audio.load(found.folder / path).samples, RATE)


def test_a_word_in_a_minute_of_noise_is_found(spoken):
    minute = 0.001 * np.random.default_rng(1).normal(size=60 * RATE)
    assert not has_voice(minute, RATE)
    minute[40 * RATE : 40 * RATE + len(spoken)] += spoken
    assert has_voice(minute, RATE)


@pytest.mark.parametrize("number", [1, 100, 5_000])
def test_any_length_has_an_answer(number):
    assert not has_voice(np.full(number, 0.1, np.float32), RATE)


# Turns

PAUSE = np.zeros(RATE, np.float32)


def line(length: int, level: float = 1e-3) -> np.ndarray:
    """A telephone line in which nobody speaks."""
    return level * np.random.default_rng(0).normal(size=length).astype(np.float32)


def test_turns_are_found_between_pauses(spoken):
    sound = np.concatenate([PAUSE, spoken, PAUSE, spoken])
    length = len(spoken) / RATE
    expected = [[1, 1 + length], [2 + length, 2 + 2 * length]]
    np.testing.assert_allclose(turns(sound + line(len(sound)), RATE), expected, atol=0.3)


def test_how_far_a_recording_is_looked_through_is_told_from_the_start(spoken):
    sound, told = np.tile(np.concatenate([spoken, PAUSE]), 5), []
    found = turns(sound, RATE, progress=lambda *at: told.append(at))
    np.testing.assert_array_equal(found, turns(sound, RATE))
    done, total = zip(*told, strict=True)
    assert done[0] == 0 and list(done) == sorted(set(done))
    assert max(np.diff(done)) < 5.1 and done[-1] > len(sound) / RATE - 5.1
    assert set(total) == {len(sound) / RATE} and max(done) <= total[0]


@pytest.mark.parametrize("gain_db", [-40, 0, 20])
def test_turns_are_found_at_any_level(spoken, gain_db):
    sound = np.concatenate([PAUSE, spoken, PAUSE, spoken]) * 10 ** (gain_db / 20)
    assert len(turns(sound, RATE)) == 2


def test_a_quiet_voice_among_loud_ones_is_a_turn(spoken):
    sound = np.concatenate([spoken, PAUSE, 0.03 * spoken, PAUSE, spoken])
    assert len(turns(sound + line(len(sound), 1e-5), RATE)) == 3


@pytest.mark.parametrize("kind", nonspeech.KINDS)
def test_what_is_no_voice_is_no_turn(kind):
    assert turns(nonspeech.make(kind, RATE), RATE).shape == (0, 2)


def test_a_tone_between_voices_belongs_to_no_turn(spoken):
    tone = 0.2 * nonspeech.make("a tone", RATE)
    found = turns(np.concatenate([spoken, PAUSE, tone, PAUSE, spoken]), RATE)
    assert len(found) == 2
    assert found[0, 1] < len(spoken) / RATE + 0.5 and found[1, 0] > (len(spoken) + len(tone)) / RATE + 1.5


@pytest.mark.parametrize("number", [1, 100, 5_000])
def test_a_moment_has_no_turns(number):
    assert turns(np.full(number, 0.1, np.float32), RATE).shape == (0, 2)


def test_silence_has_no_turns():
    assert turns(np.zeros(4 * RATE, np.float32), RATE).shape == (0, 2)


@pytest.mark.parametrize("seconds", [15, 45])
def test_who_never_pauses_is_cut_where_it_is_quietest(seconds):
    sound = synthetic.speak("angry", actor=1, seconds=seconds)
    found = turns(sound, RATE)
    lengths = np.diff(found, axis=1)
    assert len(found) > seconds // 10 and lengths.max() <= 10 and lengths.min() >= 0.5
    assert (found[1:, 0] >= found[:-1, 1]).all()
    level = [np.square(sound[round(at * RATE) - 500 : round(at * RATE) + 500]).mean() for at in found[:-1, 1]]
    assert max(level) < np.square(sound).mean()


def chunks(*seconds: tuple[float, float]) -> list[tuple[int, int]]:
    return [(round(start / CHUNK_S), round(end / CHUNK_S)) for start, end in seconds]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param([(1, 1.3)], [], id="alone"),
        pytest.param([(1, 1.3), (2, 4)], [(2, 4)], id="far from its neighbour"),
        pytest.param([(1, 1.3), (1.7, 4)], [(1, 4)], id="before its neighbour"),
        pytest.param([(1, 3), (3.4, 3.7)], [(1, 3.7)], id="after its neighbour"),
        pytest.param([(1, 1.3), (1.7, 2.0)], [(1, 2)], id="two that are long enough together"),
        pytest.param([(1, 3), (3.4, 5)], [(1, 3), (3.4, 5)], id="none of them"),
    ],
)
def test_turns_that_are_too_short_join_a_neighbour_or_go(given, kept):
    assert _without_short(chunks(*given)) == chunks(*kept)


def test_turns_of_a_telephone_call_are_found(ravdess):
    samples, true = made_calls.call(corpus.index(ravdess), ("01", "20"), seed=0)
    found = turns(samples, made_calls.RATE)
    assert len(true) == 32 and (made_calls.match(found, true) >= 0).sum() >= 28
    assert len(found) <= 36

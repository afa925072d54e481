import numpy as np
import pytest

from ser_core.audio.level import active_level
from ser_core.corpus import synthetic
from ser_core.errors import AudioError
from ser_core.features import speaking
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.what_if import UNCHANGED, Changes, changed


def measured(samples: np.ndarray) -> dict[str, float]:
    return dict(zip(speaking.NAMES, speaking.extract(samples).tolist(), strict=True))


def test_without_changes_the_samples_are_the_same(spoken):
    assert changed(spoken, UNCHANGED) is spoken


@pytest.mark.parametrize("semitones", [-5.0, 4.0])
def test_the_pitch_moves_by_that_many_semitones(spoken, semitones):
    before, after = measured(spoken), measured(changed(spoken, Changes(pitch_semitones=semitones)))
    assert 12 * np.log2(after["pitch_hz"] / before["pitch_hz"]) == pytest.approx(semitones, abs=0.5)


def test_the_pitch_range_becomes_wider_or_narrower(spoken):
    narrow, wide = (measured(changed(spoken, Changes(pitch_range=one)))["pitch_range_st"] for one in (0.3, 1.6))
    assert narrow < 0.6 * measured(spoken)["pitch_range_st"] < measured(spoken)["pitch_range_st"] < wide


def test_a_faster_pace_makes_a_clip_shorter_and_keeps_its_pitch(spoken):
    fast = changed(spoken, Changes(pace=1.5))
    assert len(fast) == pytest.approx(len(spoken) / 1.5, rel=0.02)
    assert measured(fast)["pitch_hz"] == pytest.approx(measured(spoken)["pitch_hz"], rel=0.04)


def test_treble_makes_it_brighter(spoken):
    dull, bright = (measured(changed(spoken, Changes(brightness_db=db)))["brightness_db"] for db in (-3.0, 3.0))
    assert dull < measured(spoken)["brightness_db"] - 2 < measured(spoken)["brightness_db"] + 2 < bright


@pytest.mark.parametrize("changes", [Changes(pitch_semitones=3), Changes(pace=0.8), Changes(brightness_db=4)])
def test_the_voice_stays_as_loud(spoken, changes):
    after = changed(spoken, changes)
    assert active_level(after, SAMPLE_RATE) == pytest.approx(active_level(spoken, SAMPLE_RATE), abs=0.1)


def test_a_recording_condition_comes_last_and_keeps_what_it_does(spoken):
    quieter = changed(spoken, Changes(brightness_db=2, condition="quieter"))
    assert active_level(quieter, SAMPLE_RATE) == pytest.approx(active_level(spoken, SAMPLE_RATE) - 20, abs=0.1)


def test_the_same_changes_give_the_same_samples(spoken):
    changes = Changes(pitch_semitones=2, pace=1.2, condition="white-20")
    np.testing.assert_array_equal(changed(spoken, changes), changed(spoken, changes))
    assert not np.array_equal(changed(spoken, changes), changed(spoken, changes, seed=1))


@pytest.mark.parametrize("samples", [np.zeros(SAMPLE_RATE), 0.1 * np.random.default_rng(0).normal(size=SAMPLE_RATE)])
def test_without_a_voice_pitch_and_pace_stay(samples):
    samples = samples.astype(np.float32)
    assert changed(samples, Changes(pitch_semitones=3, pace=1.5)) is samples


def test_silence_stays_silence():
    assert not changed(np.zeros(SAMPLE_RATE, dtype=np.float32), Changes(brightness_db=3)).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pace": 0.0}, "pace is 0.0: choose a number from 0.5 to 2"),
        ({"pitch_semitones": float("nan")}, "pitch_semitones is nan"),
        ({"pitch_range": -1.0}, "pitch_range is -1.0: choose a number from 0 to 3"),
        ({"condition": "moon"}, "There is no condition 'moon'"),
    ],
)
def test_changes_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(AudioError, match=message):
        Changes(**wrong)


def test_babble_needs_other_voices(spoken):
    with pytest.raises(AudioError, match="other speakers' clips"):
        changed(spoken, Changes(condition="babble-20"))
    others = [synthetic.speak("sad", actor=actor) for actor in (3, 4)]
    assert len(changed(spoken, Changes(condition="babble-20"), voices=others)) == len(spoken)

"""Each recording condition does to a clip what its name says, and does it again from the same seed."""

import numpy as np
import pytest
import scipy.signal

from ser_core.audio import conditions
from ser_core.audio.level import active_level
from ser_core.corpus import synthetic
from ser_core.errors import AudioError

RATE = 22_050
ALL = {**conditions.CONDITIONS, **conditions.SMALL_CHANGES}


@pytest.fixture(scope="module")
def voices() -> list[np.ndarray]:
    return [synthetic.speak("neutral", actor=actor, seconds=1.5) for actor in (3, 4, 5)]


@pytest.fixture(scope="module")
def changed(spoken, voices):
    """The clip in each condition."""
    return {key: one.apply(spoken, RATE, voices=voices) for key, one in ALL.items()}


def share(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Of the energy, what lies between two frequencies."""
    hz, power = scipy.signal.welch(samples, RATE, nperseg=2048)
    return power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum()


def noise_in(changed: np.ndarray, clip: np.ndarray) -> float:
    """The level of what was added, in dB below the voice."""
    added = 10 * np.log10(np.mean(np.square((changed - clip).astype(np.float64))))
    return active_level(clip, RATE) - added


@pytest.mark.parametrize("key", ALL)
def test_each_is_whole_and_the_same_from_the_same_seed(key, changed, spoken, voices):
    first = changed[key]
    assert first.dtype == np.float32 and np.isfinite(first).all() and np.abs(first).max() > 0
    assert len(first) == len(spoken) or key.startswith(("cut", "pad"))
    np.testing.assert_array_equal(ALL[key].apply(spoken, RATE, voices=voices), first)
    assert not np.array_equal(first, spoken)


@pytest.mark.parametrize("key", ["white-20", "pink-10", "babble-20", "room", "smartphone", "tone", "low-pass"])
def test_another_seed_and_another_clip_draw_something_else(key, changed, spoken, voices):
    again = ALL[key].apply(spoken, RATE, seed=1, voices=voices)
    assert not np.allclose(again, changed[key], atol=1e-4 * np.abs(again).max())


@pytest.mark.parametrize(("key", "db"), [("quieter", -20), ("louder", 20), ("gain-2", -2), ("gain+1", 1)])
def test_levels(key, db, changed, spoken):
    assert active_level(changed[key], RATE) - active_level(spoken, RATE) == pytest.approx(db, abs=0.01)


def test_the_peak_is_a_decibel_below_full_scale(changed):
    assert 20 * np.log10(np.abs(changed["peak"]).max()) == pytest.approx(-1, abs=0.01)


def test_an_offset_is_a_fifth_of_the_peak(changed, spoken):
    assert np.mean(changed["offset"] - spoken) == pytest.approx(0.2 * np.abs(spoken).max(), rel=1e-3)


@pytest.mark.parametrize(("key", "share_clipped"), [("clipped", 0.02), ("clip-0.1", 0.001), ("clip-0.3", 0.003)])
def test_as_many_samples_are_clipped_as_it_says(key, share_clipped, changed):
    samples = np.abs(changed[key])
    assert np.mean(samples >= samples.max() * 0.9999) == pytest.approx(share_clipped, rel=0.1)


@pytest.mark.parametrize(("key", "low", "high"), [("16khz", 8_100, 12_000), ("8khz", 4_100, 12_000)])
def test_nothing_is_left_above_half_of_a_lower_rate(key, low, high, changed, spoken):
    white = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    assert share(white, low, high) > 0.2
    assert share(ALL[key].apply(white, RATE), low, high) < 1e-4


@pytest.mark.parametrize("key", ["telephone", "mobile", "low-quality-phone", "cafe-call"])
def test_a_telephone_passes_its_band_alone(key, changed):
    assert share(changed[key], 4_100, 12_000) < 1e-3
    if key in ("telephone", "cafe-call"):
        assert share(changed[key], 0, 150) < 0.01


@pytest.mark.parametrize("key", ["mp3", "aac", "opus", "mobile", "telephone"])
def test_a_codec_changes_the_clip_and_not_its_time_or_level(key, changed, spoken):
    lag = np.argmax(scipy.signal.correlate(changed[key], spoken)) - (len(spoken) - 1)
    assert abs(lag) < 0.002 * RATE
    assert active_level(changed[key], RATE) == pytest.approx(active_level(spoken, RATE), abs=6)


def test_a_clip_beyond_full_scale_goes_through_a_codec_unclipped(spoken):
    loud = 10 * spoken / np.abs(spoken).max()
    coded = ALL["opus"].apply(loud, RATE)
    assert active_level(coded, RATE) == pytest.approx(active_level(loud, RATE), abs=2)


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
@pytest.mark.parametrize("snr", [30, 20, 10])
def test_noise_is_as_far_below_the_voice_as_it_says(kind, snr, changed, spoken):
    assert noise_in(changed[f"{kind}-{snr}"], spoken) == pytest.approx(snr, abs=0.2)


def test_noises_have_their_colours(changed, spoken):
    white, pink = (changed[f"{kind}-10"] - spoken for kind in ("white", "pink"))
    octaves = [(share(one, 500, 1_000), share(one, 4_000, 8_000)) for one in (white, pink)]
    assert octaves[0][1] / octaves[0][0] == pytest.approx(8, rel=0.3)  # as much in each Hz
    assert octaves[1][1] / octaves[1][0] == pytest.approx(1, rel=0.3)  # as much in each octave


def test_babble_needs_other_voices(spoken):
    with pytest.raises(AudioError, match="other speakers' clips, and there are none"):
        ALL["babble-20"].apply(spoken, RATE)


@pytest.mark.parametrize(("key", "decay_s"), [("room", 0.35), ("hall", 1.1)])
def test_a_room_decays_as_slowly_as_it_says(key, decay_s):
    click = np.zeros(3 * RATE, np.float32)
    click[0] = 1
    heard = np.square(ALL[key].apply(click, RATE).astype(np.float64))
    left_db = 10 * np.log10(np.cumsum(heard[::-1])[::-1] / heard.sum() + 1e-12)
    seconds = np.arange(len(click)) / RATE
    falls = (left_db < -5) & (left_db > -25)  # Schroeder's curve, as ISO 3382 reads it
    slope = np.polyfit(seconds[falls], left_db[falls], 1)[0]
    assert -60 / slope == pytest.approx(decay_s, rel=0.5)


@pytest.mark.parametrize(("key", "db"), [("dull", -3), ("sharp", 3)])
def test_a_tilt_is_three_decibels_an_octave(key, db):
    white = np.random.default_rng(0).normal(size=4 * RATE).astype(np.float32)
    tilted = ALL[key].apply(white, RATE)
    hz, before = scipy.signal.welch(white, RATE, nperseg=2048)
    gain = 10 * np.log10(scipy.signal.welch(tilted, RATE, nperseg=2048)[1] / before)
    assert gain[np.argmin(abs(hz - 4_000))] - gain[np.argmin(abs(hz - 2_000))] == pytest.approx(db, abs=0.3)


@pytest.mark.parametrize("key", [key for key in ALL if key.startswith(("cut", "pad"))])
def test_cuts_and_zeros_are_counted_at_16_khz(key, changed, spoken):
    _, side, number = key.split("-")
    difference = len(changed[key]) - len(spoken)
    assert abs(difference) == round(int(number) * RATE / 16_000)
    kept = changed[key] if key.startswith("cut") else spoken
    whole = spoken if key.startswith("cut") else changed[key]
    np.testing.assert_array_equal(whole[-len(kept) :] if side == "beginning" else whole[: len(kept)], kept)


def test_a_random_condition_is_as_long_as_the_clip_finite_and_the_same_from_the_same_seed(spoken):
    before = spoken.copy()
    for seed in range(12):
        first = conditions.at_random(spoken, RATE, seed=seed)
        assert first.dtype == np.float32 and first.shape == spoken.shape and np.isfinite(first).all()
        np.testing.assert_array_equal(conditions.at_random(spoken, RATE, seed=seed), first)
    np.testing.assert_array_equal(spoken, before)


def test_random_conditions_differ_by_seed_and_by_clip(spoken):
    made = [conditions.at_random(spoken, RATE, seed=seed) for seed in range(6)]
    assert len({one.tobytes() for one in made}) == 6
    almost = spoken.copy()
    almost[0] += 1e-4
    assert not np.allclose(conditions.at_random(almost, RATE, seed=0), made[0], atol=1e-3 * np.abs(made[0]).max())


def test_a_random_condition_is_no_named_one(spoken, monkeypatch):
    monkeypatch.setattr(conditions, "CONDITIONS", {})
    monkeypatch.setattr(conditions.Condition, "apply", lambda *_, **__: pytest.fail("a named condition was used"))
    assert not np.array_equal(conditions.at_random(spoken, RATE), spoken)


def test_random_conditions_leave_the_voice_above_the_noise(spoken):
    """The strongest noise is 8 dB below it, and no room reaches 10 dB above the direct sound."""
    for seed in range(20):
        made = conditions.at_random(spoken, RATE, seed=seed)
        assert -25 < active_level(made, RATE) - active_level(spoken, RATE) < 15


@pytest.mark.parametrize("number", [1, 100, RATE])
def test_a_random_condition_of_silence_stays_finite(number):
    for seed in range(8):
        assert np.isfinite(conditions.at_random(np.zeros(number, np.float32), RATE, seed=seed)).all()


def test_an_unknown_condition_is_refused_with_those_that_there_are():
    with pytest.raises(AudioError, match="no condition 'moon'; there is quieter, louder"):
        conditions.get("moon")


@pytest.mark.parametrize("key", ["peak", "white-20", "clipped", "opus", "room", "telephone"])
def test_silence_stays_finite(key):
    assert np.isfinite(ALL[key].apply(np.zeros(RATE, np.float32), RATE)).all()

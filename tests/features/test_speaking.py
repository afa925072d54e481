import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import speaking, tables
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.registry import SPEAKING

SECONDS = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE


def measured(samples: np.ndarray) -> dict[str, float]:
    return dict(zip(speaking.NAMES, speaking.extract(samples.astype(np.float32)).tolist(), strict=True))


def buzz(hz: float | np.ndarray = 150.0, roll_off: float = 1.0) -> np.ndarray:
    """Harmonics up to 5 kHz, each weaker than the one before."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, SECONDS.shape)) / SAMPLE_RATE
    return 0.05 * sum(np.sin(number * phase) / number**roll_off for number in range(1, 30))


def syllables(rate: float) -> np.ndarray:
    return buzz() * (0.05 + np.square(np.sin(np.pi * rate * SECONDS)))


@pytest.mark.parametrize("hz", [110.0, 220.0, 330.0])
def test_the_pitch_of_a_voice_is_in_hertz(hz):
    assert measured(buzz(hz))["pitch_hz"] == pytest.approx(hz, rel=0.01)


def test_a_glide_over_an_octave_has_a_range_of_most_of_it():
    found = measured(buzz(150 * 2 ** (SECONDS / 3)))
    assert found["pitch_range_st"] == pytest.approx(0.9 * 12, abs=0.4)
    assert measured(buzz())["pitch_range_st"] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("rate", [2, 4, 6])
def test_the_pace_is_the_number_of_syllables_a_second(rate):
    assert measured(syllables(rate))["pace"] == pytest.approx(rate, rel=0.1)


def test_a_voice_that_swells_has_a_wider_loudness_range():
    assert measured(buzz())["loudness_range_db"] < 1
    assert measured(buzz() * 10 ** (SECONDS * 12 / 3 / 20))["loudness_range_db"] == pytest.approx(0.9 * 12, abs=1)


def test_silence_within_a_voice_is_a_pause_and_silence_around_it_is_none():
    paused = buzz()
    paused[SAMPLE_RATE : 2 * SAMPLE_RATE] = 0
    assert measured(paused)["pauses"] == pytest.approx(1 / 3, abs=0.04)
    around = np.concatenate([np.zeros(SAMPLE_RATE), buzz(), np.zeros(SAMPLE_RATE)])
    assert measured(around)["pauses"] == pytest.approx(0, abs=0.01)


def test_more_high_harmonics_are_brighter():
    assert measured(buzz(roll_off=0.5))["brightness_db"] > measured(buzz(roll_off=1.5))["brightness_db"] + 10


def test_noise_in_a_voice_is_rough():
    breath = 0.02 * np.random.default_rng(0).normal(size=len(SECONDS))
    assert measured(buzz() + breath)["roughness_db"] > measured(buzz())["roughness_db"] + 5


def test_the_level_of_a_recording_changes_nothing():
    samples = synthetic.speak("angry", actor=2)
    np.testing.assert_allclose(speaking.extract(samples / 30), speaking.extract(samples), atol=0.01)


def test_noise_has_no_pitch_and_still_a_brightness():
    found = measured(0.1 * np.random.default_rng(0).normal(size=SAMPLE_RATE))
    assert np.isnan([found[name] for name in ("pitch_hz", "pitch_range_st", "pace", "roughness_db")]).all()
    assert np.isfinite([found[name] for name in ("loudness_range_db", "pauses", "brightness_db")]).all()


@pytest.mark.parametrize("length", [1, 100, SAMPLE_RATE])
@pytest.mark.filterwarnings("error")
def test_nothing_is_measured_in_silence(length):
    assert np.isnan(speaking.extract(np.zeros(length, dtype=np.float32))).all()


def test_values_are_said_with_their_units():
    said = {name: speaking.BY_NAME[name].said(value) for name, value in {"pauses": 0.125, "roughness_db": -8.4}.items()}
    assert said == {"pauses": "12%", "roughness_db": "\N{MINUS SIGN}8\N{NO-BREAK SPACE}dB"}


def test_the_shipped_table_holds_every_clip_and_the_emotions_differ(settings):
    table = tables.read(settings.shipped_table("speaking"), SPEAKING)
    assert len(table) == 2452
    women = (
        table[(table["gender"] == "female") & (table["channel"] == "speech")]
        .groupby("emotion")[list(speaking.NAMES)]
        .median()
    )
    assert women.loc["angry", "pitch_hz"] > women.loc["sad", "pitch_hz"]
    assert women.loc["angry", "brightness_db"] > women.loc["calm", "brightness_db"]
    medians = table.groupby("gender")["pitch_hz"].median()
    assert medians["female"] > 1.3 * medians["male"]

import re

import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import prosody
from ser_core.figures import clip
from ser_core.figures.clip import BY_KEY, VIEWS, Scale

RATE = 22_050
UNITS = {
    "waveform": "amplitude (full scale = 1)",
    "energy": "level (dB, full scale = 0)",
    "pitch": "pitch (Hz and note)",
    "stft": "frequency (Hz)",
    "mel": "frequency (Hz)",
    "mfcc": "coefficient (number)",
    "chroma": "note",
    "contrast": "frequency (Hz)",
}
COLOURED = {"stft": "dB", "mel": "dB", "mfcc": "dB", "chroma": "strength", "contrast": "dB"}


def tone(hz: float, amplitude: float = 0.5, seconds: float = 2.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def loud() -> np.ndarray:
    return synthetic.speak("angry", actor=2, seconds=2.0)


@pytest.fixture(scope="module")
def quiet() -> np.ndarray:
    return synthetic.speak("calm", actor=2, seconds=3.0)


def test_there_is_a_view_for_each_thing_that_was_promised():
    assert list(BY_KEY) == list(UNITS)


@pytest.mark.parametrize("view", VIEWS, ids=BY_KEY)
def test_every_view_names_its_units_and_says_what_it_shows(view, loud):
    figure, sentence = view.draw(loud, RATE)
    assert figure.layout.meta["title"].startswith(view.title)
    assert figure.layout.xaxis.title.text == "time (s)"
    assert figure.layout.yaxis.title.text == UNITS[view.key]
    if view.key in COLOURED:
        assert COLOURED[view.key] in figure.data[0].colorbar.title.text
    assert len(sentence) > 40 and sentence.endswith(".")
    assert re.search(r"\d|[A-G]♯? and", sentence), "it says nothing of this very clip"
    assert view.draw(tone(300), RATE)[1] != sentence


@pytest.mark.parametrize("view", VIEWS, ids=BY_KEY)
def test_every_view_is_explained_in_a_few_sentences_and_answers_a_question(view):
    assert 2 <= len(re.findall(r"[a-z0-9)…][.:] [A-Z0-9]|\.$", view.explanation)) <= 6
    assert len(view.explanation.split()) <= 90
    assert view.question.endswith("?")


def test_the_explanations_name_what_a_class_is_to_learn():
    said = " ".join(view.explanation for view in VIEWS)
    for term in ("Fourier transform", "mel scale", "MFCC", "fundamental frequency", "12 notes", "decibels"):
        assert term in said
    assert f"{1000 * 2048 / RATE:.0f} ms" in BY_KEY["stft"].explanation
    assert f"{1000 * 512 / RATE:.0f} ms" in BY_KEY["stft"].explanation


@pytest.mark.parametrize("view", VIEWS, ids=BY_KEY)
def test_two_clips_are_drawn_on_the_same_axes_and_in_the_same_colours(view, loud, quiet):
    scale = Scale.of(loud, RATE).joined(Scale.of(quiet, RATE))
    one, other = (view.draw(samples, RATE, scale, name)[0] for samples, name in ((loud, "Angry"), (quiet, "Calm")))
    assert one.layout.xaxis.range == other.layout.xaxis.range == (0, 3.0)
    assert one.layout.yaxis.range == other.layout.yaxis.range
    assert one.layout.margin == other.layout.margin
    assert one.layout.meta["title"] == f"{one.layout.meta['title'].split(':')[0]}: Angry"
    if view.key in COLOURED:
        assert (one.data[0].zmin, one.data[0].zmax) == (other.data[0].zmin, other.data[0].zmax)
        assert None not in (one.data[0].zmin, one.data[0].zmax)


@pytest.mark.parametrize("key", ["stft", "mel"])
def test_of_two_clips_the_quieter_is_as_much_darker_as_it_is_quieter(key):
    scale = Scale.of(tone(1000, 0.5), RATE).joined(Scale.of(tone(1000, 0.05), RATE))
    figure, _ = BY_KEY[key].draw(tone(1000, 0.05), RATE, scale)
    assert figure.data[0].z.max() == -20
    assert "of the two" in figure.data[0].colorbar.title.text
    assert BY_KEY[key].draw(tone(1000, 0.05), RATE)[0].data[0].z.max() == 0


@pytest.mark.parametrize("view", VIEWS, ids=BY_KEY)
def test_a_view_of_the_longest_clip_is_light_to_send(view):
    samples = synthetic.speak("happy", actor=1, seconds=6.5)
    assert len(view.draw(samples, RATE)[0].to_json()) < 300_000


@pytest.mark.parametrize("view", VIEWS, ids=BY_KEY)
@pytest.mark.parametrize("samples", [np.zeros(RATE, np.float32), tone(300)[:50]], ids=["silence", "tiny"])
@pytest.mark.filterwarnings("error")
def test_silence_and_tiny_sound_can_be_looked_at(view, samples):
    figure, sentence = view.draw(samples, RATE)
    assert figure.layout.yaxis.title.text
    assert "nan" not in sentence and "inf" not in sentence


def test_the_energy_says_the_levels_of_the_loudest_and_the_quietest_moment():
    samples = np.concatenate([tone(300, 0.01), tone(300, 0.5)])
    _, sentence = clip.energy(samples, RATE)
    assert re.search(r"at [23]\.\d s, is 9 dB below full scale; the quietest is 4\d dB below it", sentence)
    assert "the quietest is silence" in clip.energy(np.concatenate([samples, 0 * samples]), RATE)[1]


def test_the_pitch_says_the_middle_of_the_voice_and_its_note():
    _, sentence = clip.pitch(tone(440), RATE)
    assert "median pitch is 440 Hz, about the note A4" in sentence
    assert "No pitch" in clip.pitch(np.zeros(RATE, np.float32), RATE)[1]


def test_every_octave_of_the_pitch_is_equally_high_and_all_that_praat_looks_for_has_room():
    figure, _ = clip.pitch(tone(440), RATE)
    assert figure.layout.yaxis.type == "log"
    low, high = 10 ** np.array(figure.layout.yaxis.range)
    assert low < prosody.PITCH_FLOOR_HZ < prosody.PITCH_CEILING_HZ < high
    assert "262 C4" in figure.layout.yaxis.ticktext


def test_the_spectrogram_says_where_the_energy_lies():
    _, sentence = clip.stft(tone(500, 0.5) + tone(3000, 0.25), RATE)
    half, most = (float(hz.replace(",", "")) for hz in re.findall(r"([\d,]+) Hz", sentence))
    assert half == pytest.approx(500, abs=25)
    assert most == pytest.approx(3000, abs=25)


def test_the_mel_spectrogram_says_where_the_sound_is_strongest_whatever_the_silence_around_it_holds():
    hum = tone(50, 1e-4, seconds=20.0)
    hum[: 2 * RATE] += tone(1000)
    _, sentence = clip.mel(hum, RATE)
    hz = float(re.search(r"around ([\d,]+) Hz", sentence)[1].replace(",", ""))
    assert hz == pytest.approx(1000, abs=40)


def test_the_mfcc_say_whether_low_or_high_frequencies_prevail():
    white = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    dull, bright = np.cumsum(white - white.mean()).astype(np.float32) * 0.1, np.diff(np.diff(white))
    assert "low frequencies outweigh high ones" in clip.mfcc(dull, RATE)[1]
    assert "high frequencies outweigh low ones" in clip.mfcc(bright, RATE)[1]
    figure, sentence = clip.mfcc(dull, RATE)
    assert list(figure.data[0].y) == list(range(2, 41))
    assert "Coefficient 1, the overall level, is left out" in sentence


def test_the_chroma_names_the_strongest_notes():
    assert "are A and" in clip.chroma(tone(440), RATE)[1]
    assert "Nothing is loud enough" in clip.chroma(np.zeros(RATE, np.float32), RATE)[1]


def test_the_contrast_names_the_band_of_the_clearest_tone():
    white = 0.01 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    assert "most from 1,600 to 3,200 Hz" in clip.contrast(white + tone(2000), RATE)[1]


@pytest.mark.parametrize(("n_mels", "n_mfcc", "rows"), [(128, 40, 39), (128, 20, 19), (20, 40, 19), (40, 13, 12)])
def test_mel_bands_and_mfcc_are_as_many_as_asked_for_and_no_more_mfcc_than_bands(loud, n_mels, n_mfcc, rows):
    scale = Scale.of(loud, RATE, n_mels, n_mfcc)
    assert np.shape(clip.mel(loud, RATE, scale)[0].data[0].z)[0] == n_mels
    assert np.shape(clip.mfcc(loud, RATE, scale)[0].data[0].z)[0] == rows


def test_two_scales_keep_their_number_of_bands_when_they_are_joined(loud, quiet):
    joined = Scale.of(loud, RATE, 64, 20).joined(Scale.of(quiet, RATE, 64, 20))
    assert (joined.clips, joined.n_mels, joined.n_mfcc) == (2, 64, 20)

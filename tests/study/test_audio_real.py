"""Real RAVDESS clips are read as librosa reads them."""

import librosa
import numpy as np
import pytest
import soundfile

from ser_core import corpus
from ser_core.audio import load

STEMS = [
    "03-01-01-01-01-01-01",
    "03-01-02-01-01-02-01",  # stereo
    "03-01-05-02-01-01-12",
    "03-01-06-01-01-02-20",  # stereo
    "03-01-08-01-02-02-24",
    "03-02-03-01-02-01-07",  # song
]
STEREO = {"03-01-02-01-01-02-01", "03-01-06-01-01-02-20"}


@pytest.mark.parametrize("stem", STEMS)
def test_samples_equal_librosa(ravdess, stem):
    (path,) = (ravdess / f"Actor_{stem[-2:]}").glob(f"{stem}.*")
    wave = load(path)
    assert np.array_equal(wave.samples, librosa.load(path)[0])
    assert wave.original_rate == 48_000 and wave.warnings == ()
    assert wave.channels == (2 if stem in STEREO else 1)


def test_the_clips_that_ship_are_the_recordings_sample_by_sample(ravdess, settings):
    found = corpus.look_through(ravdess)
    for shipped in settings.clips.glob("*.flac"):
        one, other = soundfile.read(shipped, dtype="int16"), soundfile.read(found.file(shipped.stem), dtype="int16")
        assert one[1] == other[1] and np.array_equal(one[0], other[0])

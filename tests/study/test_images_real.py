"""Pictures of real RAVDESS clips, beside those that librosa and matplotlib draw."""

import librosa.display
import numpy as np
import pytest

from ser_core import audio, corpus
from ser_core.features import images
from tests import plain_pictures


@pytest.mark.parametrize("kind", images.KINDS)
@pytest.mark.parametrize("row", range(100, 2452, 500))
def test_a_picture_is_what_specshow_draws(ravdess, kind, row):
    found = corpus.index(ravdess)
    samples = audio.load(found.folder / found.clips["path"][row]).samples
    shown = plain_pictures.values(samples, kind)
    apart = np.abs(images.picture(samples, kind).astype(int) - plain_pictures.pixels(plain_pictures.png(shown)))
    assert apart.mean() < 1
    assert apart.any(axis=2).mean() < 0.05
    assert librosa.display.cmap(shown).name == {"mel": "magma", "mfcc": "coolwarm", "contrast": "magma"}[kind]


def test_the_whole_corpus_is_split_as_in_the_study(ravdess, tmp_path, monkeypatch):
    monkeypatch.setattr(images, "_write_clip", lambda *_: None)  # the split alone
    written = images.write(corpus.index(ravdess), tmp_path / "mel", jobs=1)
    assert (written.train, written.test) == (1961, 491)

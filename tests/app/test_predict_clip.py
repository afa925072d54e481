"""A RAVDESS clip on the page that hears emotions, as other pages link to it: /predict?clip=..."""

import numpy as np
import pytest
import soundfile

from tests.app.pages import at, charts, texts

SAD = "03-01-04-01-01-01-02"  # of actor 2, one of the synthetic voices


@pytest.fixture
def some(voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))


def test_a_link_to_a_clip_is_answered_at_once(app, some):
    at(app, "predict", clip=SAD)
    said = texts(app)
    assert "Sad speech by actor 2, female" in said
    assert "It gives " in said
    assert len(app.get("audio")) == 1
    assert "have not learned from this clip" in texts(app)


def test_a_clip_that_was_learned_from_is_said_to_be_one(app, some):
    at(app, "predict", clip="03-01-05-01-01-02-02")
    assert "have learned from this very clip" in texts(app)


@pytest.mark.parametrize(
    ("clip", "said"),
    [("nonsense", "is not a RAVDESS name"), ("03-01-07-02-01-01-12", ""), ("03-02-04-01-01-01-18", ""), ("", "")],
)
def test_an_address_of_no_clip_that_is_here_leaves_the_page_whole(app, some, clip, said):
    at(app, "predict", clip=clip)
    assert not app.error
    assert not charts(app)
    assert said in " ".join(warning.value for warning in app.warning)
    assert "24 actors acting two English sentences" in texts(app)


def test_a_clip_that_the_index_leaves_out_is_not_here(app, tmp_path, monkeypatch):
    (tmp_path / f"{SAD}.wav").write_bytes(b"no sound at all")
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "predict", clip=SAD)
    assert not app.error
    assert "There is no recording of it here" in " ".join(info.value for info in app.info)
    assert not charts(app)


def test_a_damaged_clip_is_one_clear_line(app, tmp_path, monkeypatch):
    """Its header is whole, and its samples are no numbers."""
    soundfile.write(tmp_path / f"{SAD}.wav", np.full(30_000, np.nan, dtype=np.float32), 22_050, subtype="FLOAT")
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "predict", clip=SAD)
    (error,) = app.error
    name, _, reason = error.value.replace("\\", "").partition(": ")
    assert name == f"{SAD}.wav"
    assert reason.startswith("Samples before 1.4 s are not numbers")
    assert not charts(app)

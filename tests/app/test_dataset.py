"""The page of the recordings, with some clips, with none, and while they are on their way."""

import time

import numpy as np
import pytest
import soundfile

from ser_core import download, ui
from tests.app.pages import at, charts, texts, well, widget
from tests.archive_server import put_archive


@pytest.fixture
def some(voices, monkeypatch):
    """64 clips of a synthetic voice, of four actors."""
    monkeypatch.setenv("SER_DATA_DIR", str(voices))


@pytest.fixture
def none(tmp_path, monkeypatch):
    folder = tmp_path / "ravdess"
    monkeypatch.setenv("SER_DATA_DIR", str(folder))
    return folder


def table(app):
    """The table of clips, which stands last."""
    return app.dataframe[-1].value


def test_without_any_sound_the_page_is_whole_and_offers_the_download(app, none):
    at(app, "dataset")
    assert not app.error
    said = texts(app)
    assert "There is no sound yet" in said
    assert "2,452 clips" in said
    assert "There is no song of actor 18." in said
    assert "CC BY-NC-SA 4.0" in said
    assert len(charts(app)) == 1
    assert len(table(app)) == 2452
    assert app.button(key="download").disabled  # until the licence is accepted


def test_a_folder_with_some_clips_is_told_by_actor(app, some):
    at(app, "dataset")
    assert "64 of 2,452 clips can be heard" in texts(app)
    coverage = app.dataframe[0].value
    assert len(coverage) == 24
    assert coverage.iloc[0].tolist() == [1, "male", "16 of 60", "0 of 44", 88]
    assert coverage.iloc[17].tolist() == [18, "female", "0 of 60", "0 of 0", 60]


def test_filters_act_on_the_chart_the_gaps_and_the_table(app, none):
    at(app, "dataset")
    widget(app, "channel").set_value(["song"])
    widget(app, "emotion").set_value(["sad", "neutral"]).run()
    well(app)
    assert len(table(app)) == 184 + 92
    assert "276 clips: from 92 (Neutral) to 184 (Sad)." in charts(app)[0].alt
    assert "no song of actor 18" not in texts(app)
    assert "Neutral has 92 clips" in texts(app)


def test_filters_that_leave_nothing_say_so(app, none):
    at(app, "dataset")
    widget(app, "channel").set_value(["song"])
    widget(app, "emotion").set_value(["disgust"]).run()
    well(app)
    assert "No clip is left" in app.info[0].value
    assert not charts(app)


def test_any_two_properties_can_be_crossed(app, none):
    at(app, "dataset")
    for rows in ("emotion", "actor", "part"):
        widget(app, "rows").set_value(rows)
        widget(app, "columns").set_value("intensity").run()
        well(app)
        assert "pair" in charts(app)[0].alt


@pytest.mark.parametrize(
    ("view", "alt"),
    [
        ("Duration", "The median duration is highest for"),
        ("Loudness", "The median loudness is highest for Angry"),
        ("Median pitch", "The median pitch is highest for"),
        ("The study's split", "1,961 clips to learn from and 491"),
    ],
)
def test_each_view_says_what_it_shows(app, none, view, alt):
    at(app, "dataset")
    widget(app, "view").set_value(view).run()
    well(app)
    assert alt in charts(app)[0].alt


def test_a_link_opens_the_page_with_its_choices(app, none):
    at(app, "dataset", view="Loudness", channel="Song")
    assert "median loudness" in charts(app)[0].alt
    assert len(table(app)) == 1012


def test_a_public_screen_starts_no_download(app, none, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "dataset")
    assert not [button for button in app.button if button.key == "download"]
    assert app.code[0].value == "python -m ser_core download"


def press_download(app):
    app.checkbox(key="accepted").check().run()
    app.button(key="download").click().run()
    well(app)


def wait_until_done():
    until = time.monotonic() + 20
    while ui.downloads().state.running:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def downloads():
    """A server's downloads, new."""
    ui.downloads.clear()
    yield
    ui.downloads().stop()
    wait_until_done()
    ui.downloads.clear()


def test_the_recordings_come_by_one_button_and_can_then_be_heard(app, none, downloads, archive_server, monkeypatch):
    monkeypatch.setattr(download, "ARCHIVES", (put_archive(archive_server), put_archive(archive_server, part="song")))
    at(app, "dataset")
    press_download(app)
    wait_until_done()
    app.run()
    well(app)
    assert not app.error
    assert "16 of 2,452 clips can be heard" in texts(app)


def test_what_goes_wrong_with_a_download_is_one_line_and_it_can_be_tried_again(
    app, none, downloads, archive_server, monkeypatch
):
    import dataclasses

    wrong = dataclasses.replace(put_archive(archive_server), sha256="0" * 64)
    monkeypatch.setattr(download, "ARCHIVES", (wrong,))
    at(app, "dataset")
    press_download(app)
    wait_until_done()
    app.run()
    (error,) = app.error
    assert "0000" in error.value
    assert "There is no sound yet" in texts(app)
    assert app.button(key="download")


def test_a_download_shows_how_far_it_is_and_can_be_stopped(app, none, downloads, archive_server, monkeypatch):
    going = download.Progress("speech", "downloading", 50_000_000, 200_000_000, 2_000_000.0, 75.0)
    monkeypatch.setattr(ui.downloads(), "state", download.State(running=True, progress=going))
    at(app, "dataset")
    assert app.get("progress")[0].proto.text == "Downloading speech: 50 of 200 MB, 2.0 MB/s, 1:15 min left"
    assert not [button for button in app.button if button.key == "download"]  # a second one is not offered
    app.button(key="stop").click().run()
    assert ui.downloads()._stop.is_set()
    ui.downloads().state = download.State(stopped=True)
    app.run()
    assert "Stopped. What has arrived is kept" in app.info[0].value


@pytest.mark.parametrize("name", ["view", "rows", "columns", "emotion", "actor"])
@pytest.mark.parametrize("value", ["", "nonsense"])
def test_a_link_with_nonsense_opens_the_page_all_the_same(app, none, name, value):
    at(app, "dataset", **{name: value})
    assert not app.error
    assert len(table(app)) == 2452
    assert charts(app)


def test_a_file_in_the_place_of_the_folder_is_no_recordings(app, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("SER_DATA_DIR", str(folder))
        at(app, "dataset")
        assert not app.error
        assert "There is no sound yet" in texts(app)
        assert charts(app)


def test_files_that_are_no_clips_are_told_with_their_reason(app, tmp_path, monkeypatch):
    (tmp_path / "holiday.wav").write_bytes(b"no sound")
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "dataset")
    assert "There is no sound yet" in texts(app)
    assert app.dataframe[1].value["file"].tolist() == ["holiday.wav"]


def test_a_clip_that_cannot_be_heard_leaves_the_page_whole(app, tmp_path, monkeypatch):
    everything = ui.clips()
    properties = ["emotion", "channel", "intensity", "actor", "statement", "part"]
    alone = everything[~everything.duplicated(properties, keep=False)].iloc[0]  # the one take of two in its part
    soundfile.write(tmp_path / f"{alone['stem']}.wav", np.zeros(22_050), 22_050)
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "dataset")
    for name in properties:
        widget(app, name).set_value([alone[name]])
    app.run()
    assert list(table(app)["stem"]) == [alone["stem"]]
    (error,) = app.error
    assert error.value.startswith(f"{alone['stem']} cannot be heard.")
    assert str(tmp_path) not in error.value
    assert len(app.get("download_button")) == 1

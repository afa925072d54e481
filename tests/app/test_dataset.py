"""The page of the recordings, with some clips, with none, and while they are on their way."""

import os
import time

import numpy as np
import pytest
import soundfile

from ser_core import jobs
from ser_core.ui import cached, work
from tests.app.pages import at, charts, texts, well, widget
from tests.job_folders import put_job


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
    assert "45 of 2,452 clips can be heard" in said
    assert "2,452 clips" in said
    assert "There is no song of actor 18." in said
    assert "CC BY-NC-SA 4.0" in said
    assert len(charts(app)) == 1
    assert len(table(app)) == 2452
    assert app.button(key="download").disabled  # until the licence is accepted


def test_a_folder_with_some_clips_is_told_by_actor(app, some):
    at(app, "dataset")
    assert "103 of 2,452 clips can be heard" in texts(app)  # six of them ship, too
    assert ": 64 are in" in texts(app)
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
    for rows in ("emotion", "speaker", "part"):
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


def test_the_download_is_a_job_and_one_only(app, none, settings, monkeypatch):
    begun = []

    def begin(task, settings, **_):
        begun.append(task.arguments)
        return put_job(settings, task, status="running", pid=os.getpid())

    monkeypatch.setattr(jobs, "start", begin)
    at(app, "dataset")
    press_download(app)
    assert begun == [("download", "--speech", "--song", "--accept-licence")]
    assert not [button for button in app.button if button.key == "download"]  # a second one is not offered


def test_a_download_shows_how_far_it_is_and_how_it_ended(app, none, settings):
    words = "Downloading speech: 50 of 200 MB, 2.0 MB/s, 1 min 15 s left"
    progress = {"what": "Downloading speech", "done": 50e6, "total": 200e6, "words": words}
    job = put_job(settings, ["download"], status="running", pid=os.getpid(), progress=progress)
    at(app, "dataset")
    assert {bar.proto.text.replace("\\", "") for bar in app.get("progress")} == {words}
    assert app.button(key=f"recordings-stop-{job.id}")
    put_job(settings, ["download"], status="failed", message="the server answers 404", ended=time.time())
    work._jobs_now.clear()
    app.run()
    assert "the server answers 404" in texts(app)
    assert app.button(key="download")


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
        assert "those that come with the app" in texts(app)
        assert charts(app)


def test_files_that_are_no_clips_are_told_with_their_reason(app, tmp_path, monkeypatch):
    (tmp_path / "holiday.wav").write_bytes(b"no sound")
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "dataset")
    assert "those that come with the app" in texts(app)
    assert app.dataframe[1].value["file"].tolist() == ["holiday.wav"]


def test_a_clip_that_cannot_be_heard_leaves_the_page_whole(app, tmp_path, monkeypatch):
    everything = cached.clips()
    properties = ["emotion", "channel", "intensity", "speaker", "statement", "part"]
    alone = everything[~everything.duplicated(properties, keep=False)].iloc[0]  # the one take of two in its part
    soundfile.write(tmp_path / f"{alone['stem']}.wav", np.zeros(22_050), 22_050)
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "dataset")
    for name in properties:
        widget(app, "actor" if name == "speaker" else name).set_value([alone[name]])
    app.run()
    assert list(table(app)["stem"]) == [alone["stem"]]
    (error,) = app.error
    assert error.value.startswith(f"{alone['stem']} cannot be heard.")
    assert str(tmp_path) not in error.value
    assert len(app.get("download_button")) == 1


def test_a_lone_archive_in_the_folder_is_told_with_the_way_out(app, tmp_path, monkeypatch):
    (tmp_path / "Audio_Speech_Actors_01-24.zip").write_bytes(b"PK")
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path))
    at(app, "dataset")
    (warning,) = app.warning
    assert "has no sound file, but the archive Audio" in warning.value
    assert "Unpack it there" in warning.value


def test_a_file_in_place_of_the_folder_is_told_with_the_way_out(app, tmp_path, monkeypatch):
    file = tmp_path / "clips.zip"
    file.write_bytes(b"PK")
    monkeypatch.setenv("SER_DATA_DIR", str(file))
    at(app, "dataset")
    (warning,) = app.warning
    assert "is an archive. Unpack it into a folder, and name that" in warning.value.replace("\\", "")


def test_how_the_clips_of_ravdess_were_made_and_rated_is_told_with_its_source(app, none):
    at(app, "dataset")
    told = next(one for one in app.expander if one.label == "How the clips were made and rated")
    said = " ".join(text.value for text in (*told.markdown, *told.caption))
    for fact in ("48 kHz", "16 bit", "247 people", "10 times", "e0196391"):
        assert fact in said

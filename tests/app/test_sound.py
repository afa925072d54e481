import shutil

import numpy as np
import pytest
import soundfile

from ser_core import cli, jobs
from ser_core.figures.clip import VIEWS
from ser_core.settings import Settings
from ser_core.ui import picture_set
from tests.app.pages import at, charts, open_app, texts, well, widget
from tests.job_folders import mine

ANGRY, SAD = "03-01-05-01-01-01-02", "03-01-04-01-01-01-02"
ANGRY_12 = "03-01-05-02-01-01-12"  # ships


@pytest.fixture
def some(monkeypatch, voices):
    """Recordings of two emotions by four actors, 64 clips, and none that ships."""
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    monkeypatch.setattr(Settings, "clips", property(lambda settings: settings.workspace / "none"))


@pytest.fixture
def none(monkeypatch, tmp_path):
    """No recordings."""
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "nothing"))


def link_labels(app) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_a_clip_is_heard_first_and_then_seen(app, some):
    at(app, "sound")
    assert not app.error and not app.warning and not app.info
    assert len(app.get("audio")) == 1
    assert len(charts(app)) == 3
    assert "Angry (strong) speech by actor 1, male**: “Kids are talking by the door”" in texts(app)
    assert "median pitch" in texts(app)
    order = [element.type for element in app.main if element.type in ("audio", "plotly_chart")]
    assert order == ["audio", "plotly_chart", "plotly_chart", "plotly_chart"]


def test_the_address_says_what_is_shown(app, some):
    at(app, "sound", clip=ANGRY)
    assert app.query_params["clip"] == ANGRY
    assert "other" not in app.query_params
    widget(app, "clip-emotion").set_value("sad").run()
    assert app.query_params["clip"] == SAD
    assert "Sad speech by actor 2" in texts(app)


def test_only_what_is_there_can_be_chosen(app, some):
    at(app, "sound", clip=ANGRY)
    assert widget(app, "clip-emotion").options == ["Sad", "Angry"]
    assert widget(app, "clip-speaker").options == ["1, male", "2, female", "3, male", "4, female"]
    assert widget(app, "clip-channel").options == ["Speech"]


def test_every_view_is_one_click_away(app, some):
    at(app, "sound", clip=ANGRY)
    app.button(key="all-views").click().run()
    well(app)
    assert len(charts(app)) == len(VIEWS) == 8
    assert len({chart.alt for chart in charts(app)}) == 8
    said = " ".join(element.value for element in app.markdown)
    for view in VIEWS:
        assert view.question in said and view.explanation in said
    widget(app, "views").set_value([]).run()
    well(app)
    assert not charts(app)


def test_two_clips_stand_side_by_side_with_a_sentence_that_compares_them(app, some):
    at(app, "sound", clip=ANGRY, other=SAD)
    assert len(app.get("audio")) == 2
    assert len(charts(app)) == 6
    assert "Angry is **" in texts(app) and "louder**" in texts(app) and "higher**" in texts(app)
    assert "than sad." in texts(app)


def test_one_click_puts_the_same_actor_and_sentence_in_another_emotion_beside_a_clip(app, some):
    at(app, "sound", clip=ANGRY)
    app.button(key="pair-Sad").click().run()
    well(app)
    assert dict(app.query_params)["clip"] == ANGRY
    assert app.query_params["other"] == SAD
    assert widget(app, "mode").value == "Two clips"
    assert len(app.get("audio")) == 2


def test_one_click_puts_another_voice_beside_a_clip_and_the_next_click_the_next_one(app, some):
    at(app, "sound", clip=ANGRY)
    app.button(key="pair-Another male voice").click().run()
    assert app.query_params["other"] == "03-01-05-01-01-01-03"
    assert "Actor 2 " in texts(app) and "actor 3" in texts(app)
    app.button(key="pair-Another male voice").click().run()
    assert app.query_params["other"] == "03-01-05-01-01-01-01"
    app.button(key="pair-Another female voice").click().run()
    assert app.query_params["other"] == "03-01-05-01-01-01-04"


def test_a_clip_beside_itself_is_called_the_same(app, some):
    at(app, "sound", clip=ANGRY, other=ANGRY)
    assert not app.error
    assert "Both are the same clip." in texts(app)
    assert len(charts(app)) == 6


def test_two_clips_and_back_to_one(app, some):
    at(app, "sound", clip=ANGRY)
    widget(app, "mode").set_value("Two clips").run()
    assert app.query_params["other"] == SAD
    widget(app, "other-speaker").set_value("01").run()
    assert app.query_params["other"] == SAD[:-2] + "01"
    assert app.query_params["clip"] == ANGRY
    widget(app, "mode").set_value("One clip").run()
    well(app)
    assert "other" not in app.query_params
    assert len(app.get("audio")) == 1


def test_a_surprise_is_a_clip_that_is_there(app, some):
    at(app, "sound", clip=ANGRY, other=SAD)
    for _ in range(3):
        app.button(key="surprise").click().run()
        assert not app.exception and not app.error and not app.warning
        assert len(app.get("audio")) == 2
        assert app.query_params["clip"] != app.query_params["other"]


def test_an_address_that_makes_no_sense_is_one_clear_line_and_another_clip(app, some):
    at(app, "sound", clip="<b>banana</b>", other="03-01-09-01-01-01-02")
    first, second = (warning.value for warning in app.warning)
    assert "banana" in first and "<b>" not in first.replace("\\<b\\>", "")
    assert "not a RAVDESS name" in first and "Another clip is shown" in first
    assert "emotion is 09" in second.replace("\\", "")
    assert len(app.get("audio")) == 2
    app.run()
    assert not app.warning


def test_a_clip_that_is_not_here_is_answered_with_the_one_most_like_it(app, some):
    at(app, "sound", clip="03-01-05-02-02-01-20")
    (warning,) = app.warning
    assert "03-01-05-02-02-01-20 is not among the 64 here" in warning.value
    assert app.query_params["clip"].startswith("03-01-05-02-02-01-")


def test_a_clip_that_cannot_be_read_is_one_clear_line_beside_the_other(app, monkeypatch, voices, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(voices, folder)
    silent = next(folder.rglob(f"{SAD}.wav"))
    soundfile.write(silent, np.zeros(20_000), 22_050)
    monkeypatch.setenv("SER_DATA_DIR", str(folder))
    at(app, "sound", clip=ANGRY, other=SAD)
    (error,) = app.error
    assert "03-01-04-01-01-01-02 cannot be heard. The clip is silent" in error.value
    assert str(folder) not in error.value
    assert len(app.get("audio")) == 1
    assert len(charts(app)) == 3


def test_without_recordings_the_clips_that_ship_are_heard_and_the_download_is_offered(app, none):
    at(app, "sound")
    assert not app.error and not app.warning
    assert "45 clips come with the app" in texts(app)
    assert "Angry (strong) speech by actor 12, female**: “Kids are talking by the door”" in texts(app)
    assert "Get the recordings" in link_labels(app)
    assert len(app.get("audio")) == 1
    assert len(charts(app)) == 3


def test_with_the_clips_that_ship_all_of_the_page_works(app, none):
    at(app, "sound", clip=ANGRY_12)
    widget(app, "mode").set_value("Two clips").run()
    assert len(app.get("audio")) == 2
    app.button(key="all-views").click().run()
    app.button(key="pair-Calm").click().run()
    assert "by actor 12, female" in texts(app)
    app.button(key="surprise").click().run()
    assert not app.exception and not app.error
    assert len(charts(app)) == 16
    at(app, "sound", clip="03-02-05-01-01-01-18")
    assert "is not among the 45" in app.warning[0].value


def test_recordings_join_those_that_ship_as_soon_as_they_are_there(app, monkeypatch, voices, tmp_path):
    folder = tmp_path / "later"
    monkeypatch.setenv("SER_DATA_DIR", str(folder))
    at(app, "sound", clip=ANGRY)
    assert "is not among the 45" in app.warning[0].value
    shutil.copytree(voices, folder)
    for clip in (ANGRY, ANGRY_12):
        at(app, "sound", clip=clip)
        assert not app.warning
        assert app.query_params["clip"] == clip


def test_what_was_shown_is_shown_again_after_a_visit_to_another_page(app, some):
    at(app, "sound", clip=ANGRY, other=SAD)
    app.switch_page("pages/predict.py").run()
    app.query_params.clear()
    app.switch_page("pages/sound.py").run()
    well(app)
    assert (app.query_params["clip"], app.query_params["other"]) == (ANGRY, SAD)


def test_a_picture_is_drawn_once_for_all_visitors(app, some, monkeypatch):
    at(app, "sound", clip=ANGRY)
    monkeypatch.setattr("ser_core.features.spectrogram.mel_decibels", lambda *_: 1 / 0)
    app.run()
    assert len(charts(app)) == 3 and not app.error
    other = at(open_app(), "sound", clip=ANGRY)
    assert len(charts(other)) == 3 and not other.error


@pytest.mark.parametrize("views", ["", "banana"])
def test_views_that_there_are_not_are_answered_with_the_first_ones(app, some, views):
    at(app, "sound", clip=ANGRY, views=views)
    assert len(charts(app)) == 3
    assert not app.error


@pytest.mark.parametrize("condition", ["telephone", "babble-10", "louder"])
def test_a_clip_is_heard_and_seen_beside_itself_recorded_otherwise(app, some, condition):
    at(app, "sound", clip=ANGRY, heard=condition)
    assert not app.error and not app.warning
    assert widget(app, "mode").value == "Recorded otherwise"
    assert len(app.get("audio")) == 2
    assert len(charts(app)) == 6
    assert "As recorded" in texts(app)


def test_another_condition_is_one_choice_away_and_in_the_address(app, some):
    at(app, "sound", clip=ANGRY)
    widget(app, "mode").set_value("Recorded otherwise").run()
    well(app)
    assert app.query_params["heard"] == "telephone"
    assert "300 to 3,400 Hz" in texts(app)
    widget(app, "condition").set_value("hall").run()
    assert app.query_params["heard"] == "hall"
    assert "decay 1.1 s" in texts(well(app))
    widget(app, "mode").set_value("One clip").run()
    assert "heard" not in app.query_params
    assert len(well(app).get("audio")) == 1


def test_the_clips_that_ship_are_heard_in_every_condition(app, none):
    at(app, "sound", heard="cafe-call")
    assert not app.error
    assert len(app.get("audio")) == 2


def test_an_unknown_condition_in_the_address_is_named_and_another_shown(app, some):
    at(app, "sound", clip=ANGRY, heard="moon")
    assert "no condition 'moon'" in app.warning[0].value
    assert app.query_params["heard"] == "telephone"


def test_mel_bands_and_mfcc_are_chosen_where_they_are_shown(app, some):
    at(app, "sound", clip=ANGRY, views="Waveform")
    assert not [one for one in app.selectbox if one.key in ("n-mels", "n-mfcc")]
    widget(app, "views").set_value(["mel", "mfcc"]).run()
    before = [chart.spec for chart in charts(app)]
    widget(app, "n-mels").set_value(20).run()
    assert "no more MFCC than mel bands: 20" in texts(well(app))
    assert all(chart.spec != one for chart, one in zip(charts(app), before, strict=True))


def test_the_clip_is_heard_at_three_sampling_rates_once_that_is_opened(app, some):
    at(app, "sound", clip=ANGRY)
    assert "11,025 Hz" not in texts(app)
    at(app, "sound", clip=ANGRY, rates="true")
    said = texts(app)
    assert not app.error
    assert len(app.get("audio")) == 1 + 3 and len(charts(app)) == 3 + 3
    for words in ("22,050 numbers a second", "8,000 numbers a second", "4,000 numbers a second", "above 2,000 Hz"):
        assert words in said


@pytest.mark.parametrize("other", [{}, {"other": SAD}])
def test_the_picture_that_the_network_sees_is_shown_of_each_clip(app, some, other):
    at(app, "sound", clip=ANGRY, picture="true", **other)
    assert not app.error
    assert len(app.get("image")) == 1 + len(other)
    assert "224" in texts(app)


def test_a_tone_is_drawn_and_heard_as_the_sliders_say(app, some):
    at(app, "sound", clip=ANGRY, tone="true")
    assert len(app.get("audio")) == 2 and len(charts(app)) == 4
    before = charts(app)[-1].spec
    next(one for one in app.slider if one.key == "tone-hz").set_value(880).run()
    assert charts(well(app))[-1].spec != before
    assert charts(app)[-1].alt.startswith("880 waves a second")


def set_job(settings, status: str, **state):
    """A job that makes the first set that is offered, as the page would start it."""
    return mine(settings, picture_set.task("mel", 0), status=status, **state)


def test_a_set_of_pictures_of_all_clips_is_started_as_a_job(app, some, settings, monkeypatch):
    at(app, "sound", clip=ANGRY, picture="true")
    folder = settings.workspace / "spectrograms"
    begun = []
    monkeypatch.setattr(jobs, "start", lambda task, *_, **__: begun.append(task) or set_job(settings, "queued"))
    widget(app, "set-kind").set_value("mfcc").run()
    widget(app, "set-copies").set_value("2").run()
    button = app.button(key="start-pictures")
    assert button.label == "Make them of 64 clips"
    well(button.click().run())
    (task,) = begun
    options = cli.parser().parse_args(task.arguments)
    assert (options.command, options.kind, options.augment) == ("spectrograms", "mfcc", 2)
    assert options.out == folder / "mfcc-2" and task.resumable


def test_where_the_pictures_lie_is_said_without_the_servers_folders(app, some, settings):
    set_job(settings, "done", answer={"pictures": 2452, "train": 1961, "test": 491})
    folder = settings.workspace / "spectrograms" / "mel"
    folder.mkdir(parents=True)
    at(app, "sound", clip=ANGRY, picture="true")
    said = app.success[0].value.replace("\\", "")
    assert "2,452 pictures lie on this server" in said and "spectrograms/mel" in said
    assert str(settings.workspace) not in said
    assert not [button for button in app.button if button.key == "start-pictures"]
    folder.rmdir()
    assert well(app.run()).button(key="start-pictures")  # they are gone


def test_pictures_that_are_being_made_are_not_started_twice(app, some, settings):
    set_job(settings, "running", progress={"what": "Drawing", "done": 16, "total": 64, "unit": "clip"})
    at(app, "sound", clip=ANGRY, picture="true")
    assert "They are being made now" in app.info[0].value
    assert not [button for button in app.button if button.key == "start-pictures"]


def test_a_server_for_looking_only_makes_no_pictures(app, some, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "sound", clip=ANGRY, picture="true")
    assert "for looking only" in app.info[0].value
    assert not [button for button in app.button if button.key == "start-pictures"]


def test_pictures_of_all_clips_take_the_recordings(app, none):
    at(app, "sound", clip=ANGRY_12, picture="true")
    assert "takes the recordings" in app.warning[0].value
    assert "Get the recordings" in link_labels(app)

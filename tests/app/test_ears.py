"""The page on which people label clips by ear: what it asks, what it keeps back, and what it counts."""

import re

import pytest

from ser_core.corpus import official_clips
from ser_core.figures.style import percent
from ser_core.listening import rounds, scores
from ser_core.ui.ears import table_of
from tests.app.pages import at, charts, texts, well

ADDRESS = "7.3clips"
SUNG = ["Neutral", "Calm", "Happy", "Sad", "Angry", "Fearful"]


@pytest.fixture(autouse=True)
def only_what_ships(monkeypatch, tmp_path):
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.delenv("SER_OTHER_CORPUS", raising=False)


def press(app, key):
    app.button(key=key).click().run()
    return well(app)


def named(app, label):
    """The button of that name."""
    (button,) = [one for one in app.button if one.label == label]
    return button


def start(app, address=ADDRESS, **query):
    at(app, "ears", round=address, **query)
    named(app, "Start").click().run()
    return well(app)


def answer(app, emotion, sure=0.9):
    press(app, f"ears-{emotion}")
    return press(app, f"ears-sure-{sure}")


def emotions(app):
    return [
        one.label
        for one in app.button
        if one.key in {f"ears-{name.lower()}" for name in (*SUNG, "disgust", "surprised")}
    ]


def param(app, name):
    """A parameter of the address; one that was set by the page is no list."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[-1]


def metrics(app):
    return {one.label: one.value for one in app.metric}


def test_a_round_is_offered_at_once_and_its_number_is_in_the_address(app):
    at(app, "ears")
    assert "10 clips of speech" in texts(app)
    named(app, "Start").click().run()
    well(app)
    assert re.fullmatch(r"\d{1,6}", param(app, "round"))
    assert "reveal" not in app.query_params
    assert len(emotions(app)) == 8 and len(app.get("audio")) == 1


def test_a_clip_is_called_by_its_number_and_its_file_by_a_digest(app):
    start(app)
    (audio,) = app.get("audio")
    assert audio.proto.alt == "Clip 1 of 3"
    assert re.fullmatch(r"(/mock)?/media/[0-9a-f]{32,}\.wav", audio.proto.url)


def test_how_sure_can_be_said_when_an_emotion_is_chosen(app):
    start(app)
    levels = [f"ears-sure-{sure}" for sure in scores.SURE]
    assert all(app.button(key=level).disabled for level in levels)
    press(app, "ears-sad")
    assert not any(app.button(key=level).disabled for level in levels)
    press(app, "ears-angry")  # the choice may be changed
    press(app, "ears-sure-0.5")
    assert "You: angry, half sure" in texts(app)


def test_nothing_is_said_of_a_clip_before_its_answer(app):
    start(app)
    truth = rounds.from_address(ADDRESS).truth
    said = texts(app)
    assert not any(stem in said for stem in truth["stem"])
    assert not re.search("neutral|calm|happy|sad|angry|fearful|disgust|surprised", said, re.IGNORECASE)
    assert "The model" not in said and not app.dataframe and not charts(app)


def test_each_clips_truth_follows_its_answer(app):
    one = rounds.from_address(ADDRESS)
    start(app)
    for clip, emotion in zip(one.clips, one.truth["emotion"], strict=True):
        answer(app, emotion)
        said = texts(app)
        model = one.model.iloc[clip - 1]
        assert f"Clip {clip} is **{emotion}**" in said and "Right" in said
        assert f"The model: {model['answer']}, {percent(model['sure'])} sure" in said
        assert not emotions(app)
        named(app, "Next clip" if clip < 3 else "See how it went").click().run()
        well(app)
    assert metrics(app)["You"] == percent(1.0)


def test_the_truth_may_wait_until_the_end(app):
    one = rounds.from_address(ADDRESS)
    start(app, reveal="end")
    for clip in one.clips:
        assert f"Clip {clip} of 3" in str(app.get("audio")[0].proto.alt)
        assert not app.dataframe and "is **" not in texts(app)
        answer(app, "sad")
    assert app.dataframe[0].value["It is"].str.lower().tolist() == one.truth["emotion"].tolist()


def test_the_scores_are_those_of_the_answers(app):
    one = rounds.from_address("7")
    given = [(clip, ("sad", "angry", "happy")[clip % 3], (0.1, 0.5, 0.9)[clip % 3]) for clip in one.clips]
    start(app, "7", reveal="end")
    for _, emotion, sure in given:
        answer(app, emotion, sure)
    mine = scores.score(scores.marked(table_of(given), one.truth))
    model = scores.score(scores.marked(one.model, one.truth))
    assert metrics(app) == {
        "You": percent(mine.accuracy),
        "The model": percent(model.accuracy),
        "People, published": percent(0.67),
    }
    assert [metric.delta for metric in app.metric[:2]] == [
        f"{percent(score.low)} to {percent(score.high)}" for score in (mine, model)
    ]
    assert len(charts(app)) == 5
    assert "247 people" in texts(app)
    table = app.dataframe[0].value
    assert table["You"].str.lower().tolist() == [emotion for _, emotion, _ in given]
    assert table["The model"].str.lower().tolist() == one.model["answer"].tolist()


def test_a_second_round_counts_with_the_first_where_ten_clips_are_few(app):
    start(app, "7.1clips", reveal="end")
    answer(app, "sad")
    assert "rounds of this visit" not in texts(app)
    start(app, "8.2clips", reveal="end")
    answer(app, "sad")
    answer(app, "calm")
    assert "Your 2 rounds of this visit together" in texts(app)
    other = rounds.from_address("8.2clips")
    assert metrics(app)["You"] == percent(
        scores.score(scores.marked(table_of([(1, "sad", 0.9), (2, "calm", 0.9)]), other.truth)).accuracy
    )


def test_the_same_clips_can_be_heard_over_a_telephone(app):
    start(app, "7.1clips", reveal="end")
    sound = app.get("audio")[0].proto.url
    answer(app, "sad")
    named(app, "The same clips over a telephone").click().run()
    well(app)
    assert param(app, "round") == "7.telephone.1clips" and param(app, "reveal") == "end"
    assert app.get("audio")[0].proto.url != sound
    assert len(emotions(app)) == 8


def test_a_round_may_be_played_again(app):
    start(app, "7.1clips", reveal="end")
    answer(app, "sad")
    named(app, "The same clips again").click().run()
    well(app)
    assert not app.dataframe and app.get("audio")[0].proto.alt == "Clip 1 of 1"


def test_song_has_six_emotions_and_says_that_few_clips_ship(app):
    at(app, "ears")
    app.get("button_group")[0].set_value("song").run()
    well(app)
    assert "6 clips of song. No more ship with the app" in texts(app)
    named(app, "Start").click().run()
    well(app)
    assert emotions(app) == SUNG
    assert param(app, "round").endswith(".song")


def test_a_handed_round_is_begun_by_a_click(app):
    """Browsers play no sound before one."""
    at(app, "ears", round="7.telephone")
    assert not app.get("audio")
    assert "10 clips of speech, over a telephone" in texts(app)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sad", "'sad' is not a round"),
        ("7.song.telephone", "No model that ships has answered song"),
        ("7.all", "clips of this round are not here. Get the recordings"),
        ("7.emodb", "clips of this round are not here. Set SER"),
    ],
)
def test_a_round_that_cannot_be_played_says_why_and_another_is_offered(app, address, said):
    at(app, "ears", round=address)
    assert said in app.warning[0].value.replace("\\", "")
    assert named(app, "Start")


def test_another_language_has_its_own_emotions(app, emodb, monkeypatch):
    monkeypatch.setenv("SER_OTHER_CORPUS", str(emodb))
    at(app, "ears")
    voices = app.get("button_group")[0]
    assert [one.content for one in voices.proto.options] == ["Speech", "Song", "German (emodb)"]
    voices.set_value("emodb").run()
    well(app)
    assert "10 clips of speech from emodb" in texts(app)
    named(app, "Start").click().run()
    well(app)
    assert emotions(app) == ["Neutral", "Happy", "Sad", "Angry", "Fearful", "Disgust"]
    assert param(app, "round").endswith(".emodb")


def test_another_corpus_that_cannot_be_read_does_not_take_the_page_away(app, monkeypatch, tmp_path):
    monkeypatch.setenv("SER_OTHER_CORPUS", str(tmp_path / "gone"))
    at(app, "ears")
    assert "gone" in app.warning[0].value
    assert named(app, "Start")


def test_with_all_recordings_rounds_are_drawn_among_all(app, monkeypatch):
    from ser_core.ui import cached

    class Everything:
        files = dict.fromkeys(clip.stem for clip in official_clips())

        def file(self, stem):
            return None

    monkeypatch.setattr(cached, "audible", Everything)
    at(app, "ears")
    assert "10 clips of speech." in texts(app) and "ship" not in texts(app)


def test_nothing_is_written(app, own_workspace):
    start(app, "7.1clips", reveal="end")
    answer(app, "sad")
    assert not own_workspace.exists()

import ast
import io
import re
from collections import defaultdict

import numpy as np
import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from ser_core import ui
from ser_core.corpus import synthetic
from ser_core.errors import JobError
from ser_core.settings import PROJECT
from tests.app.pages import at, charts, texts, upload, well
from tests.encoded import RATE, encode, encode_av, make, sound


@pytest.fixture
def voice() -> bytes:
    return synthetic.wav("angry", actor=1)


def test_the_first_page_tells_what_the_study_found_and_how_it_comes_out_here(app):
    app.run()
    well(app)
    assert not app.error
    said = texts(app)
    assert "84%" in said
    assert "never heard" in said
    (chart,) = charts(app)
    assert "Right of known voices and of new ones" in chart.alt
    assert "CC BY-NC-SA 4.0" in said


def test_the_first_page_says_of_each_model_which_voices_it_is_best_with(app):
    app.run()
    (chart,) = charts(app)
    shares = re.search(r"best, known voices: (\d+%) and (\d+%); Our best, new voices: (\d+%) and (\d+%)", chart.alt)
    known, fallen, _, new = shares.groups()
    said = texts(app)
    for part in (f"{known} right", f"never heard, {fallen}", f"new voices: **{new}**", "who only listen name 67%"):
        assert part in said


@pytest.fixture
def listed() -> dict[str, str]:
    """The pages of the navigation but the first, by their titles, with their icons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui.st, "Page", lambda file, *, title, icon, **more: (title, icon))
        _, *others = (page for section in ui.pages().values() for page in section)
    return dict(others)


def test_the_first_page_leads_to_every_other_one_by_its_icon(app, listed):
    app.run()
    assert {link.proto.label.strip("*"): link.proto.icon for link in app.get("page_link")} == listed


def test_no_two_pages_have_the_same_icon(listed):
    assert len(set(listed.values())) == len(listed)


def test_every_model_of_the_study_is_shown_on_the_first_page_when_it_is_asked_for(app):
    at(app, "overview", models="true")
    assert "models that the study has" in charts(app)[-1].alt


def test_the_first_page_says_nowhere_a_share_in_two_forms(app):
    at(app, "overview", models="true")
    said = " ".join([texts(app), *(chart.alt for chart in charts(app))])
    assert not re.search(r"\b0\.\d", said)


def test_the_first_page_shows_the_numbers_that_the_command_line_gives(app, settings):
    from ser_core.results import comparison, runs

    at(app, "overview", models="true")
    shown = app.dataframe[0].value.set_index("name")
    sees = comparison.SEES_AS_THE_ORIGINAL
    ours = [run for run in runs.list_all(settings.stores) if run.recipe.preset == sees.get(run.recipe.model, "default")]
    expected = comparison.table(ours).set_index("name")
    assert (shown["test_accuracy"] == expected.loc[shown.index, "test_accuracy"]).all()
    assert {"Multilayer perceptron", "Our best vote", "VGG16 on mel pictures"} <= set(shown.index)


def test_the_predict_page_says_its_limits_before_anything_is_uploaded(app):
    at(app, "predict")
    assert "24 actors acting two English sentences" in texts(app)
    assert not charts(app)
    assert not app.error


def test_an_uploaded_clip_is_answered(app, voice):
    upload(app, ("me.wav", voice))
    assert "It gives " in texts(app)
    titles = " ".join(chart.alt for chart in charts(app))
    for part in (
        "most probable at",
        "The voice sounds",
        "s of sound",
        "Brighter is louder",
        "16 classes",
    ):
        assert part in titles
    assert all(chart.alt for chart in charts(app))
    assert len(app.get("audio")) == 1
    assert [one.proto.label for one in app.get("download_button")] == ["Report", "CSV", "JSON"]


def test_what_is_no_voice_gets_no_emotion(app, voice):
    tone = io.BytesIO()
    soundfile.write(tone, 0.3 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 22_050), 22_050, format="WAV")
    upload(app, ("tone.wav", tone.getvalue()))
    assert "## No voice" in texts(app) and "It gives " not in texts(app)
    assert not [chart for chart in charts(app) if "most probable" in chart.alt]
    assert len(charts(app)) == 2  # the sound itself
    upload(app, ("me.wav", voice))
    rows = app.dataframe[0].value
    assert rows["answer"].tolist()[0] == rows["verdict"].tolist()[0] == "no voice"
    assert rows["claimed"].isna().tolist() == [True, False]


def test_many_clips_are_a_table_with_each_to_be_looked_at(app, voice):
    upload(app, ("a.wav", voice), ("b.wav", synthetic.wav("sad", actor=2)), ("c.wav", voice))
    assert list(app.dataframe[0].value["file"]) == ["a.wav", "b.wav", "c.wav"]
    takes = app.radio(key="take")
    assert [option.partition("] ")[2] for option in takes.options] == ["a\\.wav", "b\\.wav", "c\\.wav"]
    first = charts(app)[0].alt
    takes.set_value(takes.options[1]).run()
    well(app)
    assert charts(app)[0].alt != first


def test_below_a_file_that_is_no_sound_it_is_said_whose_answer_still_stands(app, voice):
    upload(app, ("me.wav", voice))
    assert not app.info
    upload(app, ("bad.wav", b"no sound at all"))
    (info,) = app.info
    assert info.value == "What follows is still the answer to **me\\.wav**."
    upload(app, ("bad.wav", b"no sound at all"), ("again.wav", voice))
    assert app.error and not app.info  # which is of the same arrival


def test_a_file_that_is_no_sound_is_named_and_the_others_are_answered(app, voice):
    upload(app, ("bad.wav", b"no sound at all"), ("me.wav", voice))
    (error,) = app.error
    assert error.value.startswith("bad\\.wav: This is not a sound file")
    assert "It gives " in texts(app)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PTT-20240101-WA0001.opus", "opus"),
        ("note.oga", "ogg"),
        ("chrome.weba", "webm"),
        ("song.mka", "webm-flac"),
        ("IMG_0001.MOV", "m4a"),
        ("clip.3gp", "amr-3gp"),
        ("call.amr", "amr"),
        ("old.mpga", "mp3"),
        ("take", "wav"),
        ("take.zip", "flac"),
        ("memo.aac", "aac"),
        ("phone.wav", "g726"),
    ],
)
def test_a_recording_is_answered_whatever_its_ending(app, name, kind):
    rate = 8_000 if kind in ("amr", "amr-3gp", "g726") else RATE
    upload(app, (name, make(kind, 2.0, rate)))
    assert not app.error
    assert "dB of full scale" in texts(app)  # it is read; a gliding tone need not be a voice
    assert len(app.get("audio")) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clips.zip", b"PK\x03\x04" + bytes(100), "clips\\.zip: This is not a sound file of a known format"),
        ("essay.docx", b"PK\x03\x04" + bytes(100), "This is not a sound file of a known format"),
        ("photo.jpg", b"\xff\xd8\xff\xe0" + bytes(100), "This is not a sound file of a known format"),
        ("noname", b"", "The file is empty"),
        ("quiet", encode(np.full(RATE, 0.5)), "The clip is silent: all samples are the same"),
        (
            "film.mka",
            encode_av(sound(1.0, 48_000), 48_000, "matroska", "ac3"),
            "The sound is coded as ATSC A/52A (AC-3)",
        ),
    ],
)
def test_what_is_refused_is_told_on_the_page_in_its_own_words(app, name, content, said):
    upload(app, (name, content))
    (error,) = app.error
    assert said in error.value
    assert not charts(app)


def test_the_server_takes_any_ending(app):
    at(app, "predict", source="Upload")
    assert not app.get("file_uploader")[0].proto.type


def test_only_a_file_that_is_no_sound_leaves_the_page_whole(app):
    upload(app, ("bad.wav", b""))
    (error,) = app.error
    assert "empty" in error.value
    assert not charts(app)


def call() -> bytes:
    """Somebody says something twice, with a pause between."""
    pause = np.zeros(2 * 22_050)
    spoken = [synthetic.speak(emotion, actor=6, seconds=3.0) for emotion in ("angry", "sad")]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([spoken[0], pause, spoken[1]]), 22_050, format="WAV")
    return file.getvalue()


def test_a_long_recording_is_answered_turn_by_turn_and_each_can_be_played(app):
    upload(app, ("call.wav", call()))
    assert "several turns" in texts(app) and "### 2 turns, 5 s of speech" in texts(app)
    assert "It gives " not in texts(app)
    assert any("Each bar is a turn" in chart.alt for chart in charts(app))
    assert not [chart for chart in charts(app) if "most probable at" in chart.alt]
    turns = next(table.value for table in app.dataframe if "turn" in table.value)
    assert turns["turn"].tolist() == [1, 2]
    assert turns["from"].iloc[1] > turns["to"].iloc[0] + 1
    assert not [toggle for toggle in app.toggle if toggle.key in ("why", "what-if")]


def test_the_studys_own_vote_can_be_chosen(app, voice):
    upload(app, ("me.wav", voice))
    default = charts(app)[0].alt
    app.selectbox(key="model").select("v4").run()
    well(app)
    assert charts(app)[0].alt != default
    assert any("members ha" in chart.alt for chart in charts(app))


def test_a_fault_is_logged_and_shown_as_an_apology_without_its_trace(app, monkeypatch, caplog):
    monkeypatch.setattr("ser_core.ui.cached.shipped_runs", lambda: 1 / 0)
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "it is not your doing" in error.value
    assert "ZeroDivisionError" not in error.value
    assert "ZeroDivisionError" in caplog.text


def test_a_damaged_model_is_one_clear_line(app, voice, monkeypatch):
    from ser_core.errors import ArtifactError

    def refuse(_):
        raise ArtifactError("Model best: model.skops has digest 123. Restore it")

    monkeypatch.setattr("ser_core.ui.cached.predictor", refuse)
    upload(app, ("me.wav", voice))
    assert [error.value for error in app.error] == ["Model best: model.skops has digest 123. Restore it"]


def test_no_page_needs_tensorflow():
    import subprocess
    import sys

    code = (
        "from streamlit.testing.v1 import AppTest; import sys;"
        "app = AppTest.from_file('router.py', default_timeout=60); "
        "app.run(); app.switch_page('pages/predict.py').run(); assert not app.exception;"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert printed.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/srv/ser/workspace/runs/a-1/run.json is damaged", "workspace/runs/a-1/run.json is damaged"),
        ("/srv/ser/workspace2 cannot be written", "workspace2 cannot be written"),
        ('File "/usr/lib/python3.12/json/decoder.py", line 3', 'File "decoder.py", line 3'),
        ("Not /data/clips/angry.wav, /data/b.wav (/data/c d.wav).", "Not angry.wav, b.wav (c d.wav)."),
        (r"C:\Users\me\clip.wav is damaged", "clip.wav is damaged"),
        ("See https://example.org/a/b.html, and/or 20 km/h", "See https://example.org/a/b.html, and/or 20 km/h"),
    ],
)
def test_visitors_see_names_and_no_folders_of_the_server(monkeypatch, words, shown):
    monkeypatch.setenv("SER_WORKSPACE", "/srv/ser/workspace")
    assert ui.without_folders(words) == shown


def test_a_fault_shows_no_folder_of_the_server(settings, monkeypatch):
    shown = []
    monkeypatch.setattr(ui.st, "error", shown.append)
    with ui.routed():
        raise JobError(f"{settings.workspace / 'jobs'} cannot be written")
    assert shown == ["workspace/jobs cannot be written"]


def parts(page) -> set:
    """The module of a page, and those of `ser_core.ui` that it uses, and that they use."""
    found, todo = set(), [page]
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            for module in [one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.ImportFrom)]:
                names = [f"{module.module}.{one.name}" for one in module.names] + [module.module]
                files = [PROJECT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("ser_core.ui.")]
                todo += [file for file in files if file.exists()]
    return found


def options_in(file) -> set[str]:
    """The names of the options that a module has, by its source."""
    names = set()
    for call in [one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Call)]:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called not in ("chart", "button", "page_link", "download"):  # which have no value that is kept
            given = [keyword.value for keyword in call.keywords if keyword.arg == "key"]
            given += call.args[1:] if called in ("options", "among") else []
            names |= {one.value for one in given if isinstance(one, ast.Constant)}
        names |= {"show"} if called == "what_to_do" else set()
    return names


def test_options_that_several_pages_have_under_one_name_are_known():
    """Another page's choice would answer otherwise. A part that two pages have is the same thing on both."""
    where = defaultdict(set)
    for page in (PROJECT / "pages").glob("*.py"):
        for file in parts(page):
            for name in options_in(file):
                where[name].add((page.stem, file.stem))
    several = {name for name, found in where.items() if min(len(set(one)) for one in zip(*found, strict=True)) > 1}
    assert several == ui.SHARED.keys() - {"channel"}  # which is one of the properties by which recordings are filtered
    pages = {name: {page for page, _ in where[name]} for name in several}
    assert pages == {name: set(ui.SHARED[name]) for name in several}


def test_another_pages_choice_does_not_answer(app):
    at(app, "honest")
    assert app.session_state["folds"] == "emobox"
    at(app, "run", protocol="Folds of actors, drawn at random: speech and song")
    assert app.number_input(key="folds").value == 6


def test_a_page_keeps_its_choice_while_pages_are_shown_that_have_none(app):
    at(app, "honest")
    next(one for one in app.radio if one.key == "kind").set_value("emotion").run()
    at(app, "glossary")
    at(app, "honest")
    assert app.session_state["kind"] == "emotion"


def test_a_part_that_fails_says_so_in_its_place_and_the_page_goes_on():
    def script():
        import streamlit as st

        from ser_core import ui
        from ser_core.errors import JobError

        def fail(error):
            raise error

        ui.section(fail, JobError("state.json is damaged"))
        ui.section(fail, ZeroDivisionError())
        ui.section(st.caption, "The end")

    app = AppTest.from_function(script).run()
    damaged, fault = (error.value for error in app.error)
    assert "is damaged" in damaged
    assert fault.startswith("Something went wrong here")
    assert [caption.value for caption in app.caption] == ["The end"]

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import ser_core
from ser_core import audio, load_predictor
from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTIONS, LABELS
from ser_core.evaluation.verdicts import IN_WORDS, Limits
from ser_core.figures.style import SEQUENTIAL
from ser_core.prediction import model_store
from ser_core.prediction import report as reports
from ser_core.prediction.predictor import TURNS, VERDICTS, Prediction
from ser_core.prediction.report import Picture, Sheet, report
from ser_core.settings import Settings

LIMITS = Limits(probability=0.1, distance=2.0, right=0.82, heard=0.4, clips=1440, conditions=31)
VOID = {"meta", "img", "br", "link", "input", "hr", "image", "path", "rect"}  # those of SVG close themselves here
HOSTILE = [
    pytest.param('<img src=x onerror="alert(1)">.wav', id="tag"),
    pytest.param("\"'><script>alert(1)</script>.wav", id="quotes and script"),
    pytest.param("</title><style>*{display:none}</style>&amp;{{ 7 * 7 }}.wav", id="end of title, entity, template"),
    pytest.param("😀 grüße 名前.wav", id="emoji"),
    pytest.param("تسجيل صوتي.wav", id="right to left"),
]


class Document(HTMLParser):
    """What is in a document: its tags with their attributes, its text, and whether every tag is closed in turn."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.text, self.open, self.faults = [], "", [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += f" {data}"

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def all(self, tag: str, **attributes) -> list[dict]:
        return [found for name, found in self.tags if name == tag and found.items() >= attributes.items()]

    def pages(self) -> int:
        return sum("sheet" in found.get("class", "").split() for found in self.all("section"))


@pytest.fixture(scope="module")
def entry() -> model_store.ModelEntry:
    return model_store.find("robust", Settings.from_environment().stores)


@pytest.fixture(scope="module")
def picture(spoken) -> Picture:
    return Picture.of(spoken, 22_050)


@pytest.fixture
def sheet(picture) -> Sheet:
    return Sheet("voice.wav", "WAV, 48,000 Hz, mono", 3.0, picture, said(angry=0.95, sad=0.05))


def said(distance: float | None = 1.0, limits: Limits | None = LIMITS, has_voice: bool = True, **emotions: float):
    return Prediction(
        dict.fromkeys(LABELS, 0.0) | {f"{name}_male": given for name, given in emotions.items()},
        has_voice=has_voice,
        limits=limits,
        distance=distance,
    )


ANSWERS = {
    "heard": said(angry=0.95, sad=0.05),
    "unsure": said(angry=0.6, fearful=0.4),
    "unlike": said(2.5, angry=0.95, sad=0.05),
    "no_voice": said(has_voice=False, angry=1.0),
    "untested": said(limits=None, angry=0.4, sad=0.6),
}


def turns(number: int) -> pd.DataFrame:
    starts = 3.1 * np.arange(number)
    return pd.DataFrame({"start_s": starts, "end_s": starts + 2.4, "verdict": "unsure", "answer": "calm or sad"})


def is_self_contained(html: str) -> bool:
    document = Document(html)
    tags = {tag for tag, _ in document.tags}
    addresses = [found[name] for _, found in document.tags for name in ("src", "href", "action") if name in found]
    return (
        not tags & {"script", "link", "iframe", "object", "embed", "form", "img", "base"}
        and not [name for _, found in document.tags for name in found if name.startswith("on")]
        and all(re.match(r"data:image/png;base64,|#recording-\d+$", address) for address in addresses)
        and not re.search(r"https?:|//|url\(|@import", re.sub(r"base64,[A-Za-z0-9+/=]+", "", html))
    )


@pytest.mark.parametrize(
    ("speaker", "said"),
    [
        ("neutral:2", "the model had heard 2 calm recordings of this person before."),
        ("neutral:1", "the model had heard 1 calm recording of this person before."),
        ("all:5", "the model had heard 5 recordings of this person before."),
    ],
)
def test_a_voice_that_was_known_is_said_to_be(sheet, entry, speaker, said):
    assert f"The voice was known: {said}" in Document(report([replace(sheet, speaker=speaker)], entry)).words
    assert "The voice was known" not in Document(report([sheet], entry)).words


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_is_said_with_its_reason_and_its_limits(sheet, entry, verdict):
    prediction = ANSWERS[verdict]
    html = report([replace(sheet, prediction=prediction)], entry)
    document = Document(html)
    assert prediction.verdict == verdict
    assert (document.open, document.faults) == ([], [])
    assert is_self_contained(html)
    assert f"Verdict: {IN_WORDS[verdict]}" in document.words
    assert prediction.answer.capitalize() in document.words
    assert prediction.reason in document.words
    for title, (right, whose) in entry.situations_by_title.items():
        assert f"{title} {whose} {right:.0%}" in document.words
    assert document.pages() == 1


def test_the_eight_emotions_have_bars_in_their_colours_and_numbers_the_most_probable_first(sheet, entry):
    document = Document(report([sheet], entry))
    bars = document.all("rect")
    assert {bar["fill"] for bar in bars} == {emotion.colour for emotion in EMOTIONS}
    assert [bar["fill"] for bar in bars[:2]] == ["#D55E00", "#0072B2"]
    assert float(bars[0]["width"]) == pytest.approx(19 * float(bars[1]["width"]))
    assert "Angry 95.0% Sad 5.0%" in document.words
    assert "possible from 10%" in document.words


def test_no_probability_is_rounded_to_none_or_all(sheet, entry):
    nearly = said(angry=0.9998, sad=0.0002)
    words = Document(report([replace(sheet, prediction=nearly)], entry)).words
    assert "Angry >99.9% Sad <0.1% Neutral 0.0%" in words


def test_without_a_voice_there_are_no_probabilities(sheet, entry):
    document = Document(report([replace(sheet, prediction=ANSWERS["no_voice"])], entry))
    assert not document.all("rect") and "no probabilities" in document.words and "100.0%" not in document.words


def test_what_was_heard_by_what_and_when_is_on_it(sheet, entry):
    document = Document(report([sheet], entry, made=datetime(2026, 3, 4, 15, 6, tzinfo=UTC)))
    for words in (
        "voice.wav 3 s, WAV, 48,000 Hz, mono",
        "4 March 2026, 15:06 UTC",
        f"Model: {entry.title} (robust), SHA-256 {entry.digest}",
        f"ser-core {ser_core.__version__}, python ",
        f"numpy {np.__version__}",
        "GPL-3.0-or-later",
        "CC BY-NC-SA 4.0",
        "does not say what anyone feels",
        "act an emotion",
        "Do not decide anything about a person with it",
    ):
        assert words in document.words


def test_a_model_that_was_never_tested_on_new_voices_is_said_to_be_so(sheet, trained):
    words = Document(report([replace(sheet, prediction=ANSWERS["untested"])], trained)).words
    assert "how often was not measured" in words and "New voice" not in words
    assert f"trained here, on {trained.trained_on.clips} clips" in words


@pytest.mark.parametrize("text", HOSTILE)
def test_names_notes_and_turns_are_text_and_nothing_else(sheet, entry, text):
    said_in_turns = turns(2).assign(answer=text)
    hostile = replace(sheet, name=text, note=text, turns=said_in_turns)
    html = report([hostile, hostile], entry)
    document = Document(html)
    assert is_self_contained(html)
    assert (document.open, document.faults) == ([], [])
    assert len(document.all("style")) == 1
    assert document.text.count(text) == 2 * (1 + 1 + 1 + 2)  # of both: in the table, name, note, two turns
    assert html.encode()


def test_what_reorders_or_is_no_text_is_left_out_of_names_and_notes(sheet, entry):
    lost = "photo\u202egpj.wav\u0000\x1b[31m\udcff"
    html = report([replace(sheet, name=lost, note=lost)], entry)
    assert html.count("photogpj.wav[31m?") == 3  # title, name, note
    assert html.encode()
    assert not re.search(r"[\u202e\x00\x1b]", html)


def test_a_long_name_keeps_both_its_ends(sheet, entry):
    words = Document(report([replace(sheet, name="a" * 300 + "b" * 200 + "_7.wav")], entry)).words
    assert re.search(r"aaa … b+_7\.wav", words) and "a" * 100 not in words


def test_a_note_is_printed_in_place_of_the_space_for_one(sheet, entry):
    assert Document(report([sheet], entry)).all("div", **{"class": "rule"})
    document = Document(report([replace(sheet, note=" Heard twice.\nTwo people. ")], entry))
    assert not document.all("div", **{"class": "rule"})
    assert "Heard twice.\nTwo people." in document.text


def test_of_a_long_note_the_rest_is_counted(sheet, entry):
    words = Document(report([replace(sheet, note="x" * (reports.MAX_NOTE + 42))], entry)).words
    assert f"{'x' * reports.MAX_NOTE} … (42 more characters are not printed)" in words


def test_turns_are_listed_with_their_times(sheet, entry):
    words = Document(report([replace(sheet, turns=turns(20))], entry)).words
    assert "20 turns 1 0:00.0 – 0:02.4 calm or sad unsure 2 0:03.1" in words
    assert "20 0:58.9 – 1:01.3 calm or sad unsure" in words and "not shown" not in words
    assert "How probable each emotion is, on the whole" in words
    assert "male voice" not in words  # each turn may have its own


def test_of_many_turns_the_rest_is_counted(sheet, entry):
    words = Document(report([replace(sheet, turns=turns(32))], entry)).words
    assert "32 turns: the first 20, and 12 more that are not shown" in words and "1:02.0" not in words


@pytest.mark.parametrize("number", [0, 1])
def test_one_turn_is_no_table(sheet, entry, number):
    assert report([replace(sheet, turns=turns(number))], entry).count("<table") == 1


def test_warnings_are_there_and_of_many_the_rest_is_counted(sheet, entry):
    many = tuple(f"Warning {number} <b>." for number in range(reports.MAX_WARNINGS + 2))
    words = Document(report([replace(sheet, prediction=replace(sheet.prediction, warnings=many))], entry)).words
    assert "Warning 0 <b>." in words and many[-2] not in words and "And 2 more warnings." in words


def test_of_several_a_table_comes_first_and_then_a_page_each(sheet, entry):
    sheets = [
        replace(sheet, name=f"{verdict}.wav", prediction=prediction, duration_s=75.4)
        for verdict, prediction in ANSWERS.items()
    ]
    document = Document(report(sheets, entry))
    assert document.pages() == 1 + len(sheets)
    assert [found["href"] for found in document.all("a")] == [
        f"#{found['id']}" for found in document.all("section")[1:]
    ]
    assert "5 recordings" in document.words
    assert "1 heard.wav 1 min 15 s angry heard 95.0% – 2 unsure.wav" in document.words
    assert "no_voice.wav 1 min 15 s no voice no voice – –" in document.words
    assert "recording 5 of 5" in document.words


def test_a_report_of_nothing_is_refused(entry):
    with pytest.raises(ValueError, match="one recording or more"):
        report([], entry)


def test_the_picture_has_the_outline_and_the_ticks_of_the_sound():
    voice = np.zeros(44_100, np.float32)
    voice[22_050:] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050)
    picture = Picture.of(voice, 22_050)
    x, y = np.array(picture.envelope).T
    assert picture.peak == pytest.approx(0.5, abs=0.01)
    assert y[x < 0.49] == pytest.approx(0.5)
    assert (y.min(), y.max()) == pytest.approx((0, 1), abs=0.01)
    assert picture.seconds[:2] == [(0, "0"), (pytest.approx(0.25), "0.5")]
    places = [place for place, _ in picture.hz]
    assert places == sorted(places, reverse=True) and [label for _, label in picture.hz] == ["200", "1,000", "4,000"]


def test_the_mel_picture_is_bright_where_the_tone_is(sheet):
    import base64
    import io

    from PIL import Image

    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050)
    picture = Picture.of(tone.astype(np.float32), 22_050)
    png = Image.open(io.BytesIO(base64.b64decode(picture.mel.partition(",")[2])))
    brightness = np.asarray(png.convert("L"), dtype=float)[:, 10:-10].mean(axis=1)
    at_1000_hz = dict((label, place) for place, label in picture.hz)["1,000"]
    assert brightness.argmax() / len(brightness) == pytest.approx(at_1000_hz, abs=0.02)


def test_the_picture_has_the_colours_of_the_pages():
    assert reports._COLOURS == SEQUENTIAL


@pytest.mark.parametrize("seconds", [0.05, 1.0, 600.0])
def test_a_picture_of_any_length_has_few_ticks_and_a_bounded_outline(seconds):
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * 22_050)).astype(np.float32)
    picture = Picture.of(noise, 22_050)
    assert 1 <= len(picture.seconds) <= 10
    assert len(picture.envelope) < 2500
    assert all(0 <= share <= 1 for point in picture.envelope for share in point)


def test_a_sheet_describes_the_file(spoken):
    sheet = Sheet.of("a.mp3", audio.Waveform(spoken, 22_050, 44_100, 2, "mp3"), ANSWERS["heard"])
    assert (sheet.sound, sheet.duration_s) == ("MP3, 44,100 Hz, stereo", pytest.approx(3.0))


def test_a_call_that_was_heard_turn_by_turn_is_a_sheet_and_a_row_of_the_table(entry):
    """As the model hears it, and not as it is made up for a test."""
    spoken = [synthetic.speak(emotion, actor=6, seconds=3.0) for emotion in ("angry", "sad")]
    samples = np.concatenate([spoken[0], np.zeros(2 * 22_050, np.float32), spoken[1]])
    waveform = audio.Waveform(samples, 22_050, 22_050, 1, "wav")
    prediction = load_predictor("robust").predict(waveform)
    assert prediction.verdict == TURNS
    sheet = Sheet.of("call.wav", waveform, prediction)
    both = report([sheet, sheet], entry)
    assert both.count("several turns") == 4  # in the table and on the pages
    assert both.count(prediction.answer) == 4

"""The lesson, and the words of the field on every page."""

import pytest
from streamlit.testing.v1 import AppTest

from ser_core.results import runs
from ser_core.settings import PROJECT, Settings
from ser_core.teaching import glossary, lesson
from tests.app.pages import at, texts, well


@pytest.fixture(scope="module")
def steps() -> tuple[lesson.Step, ...]:
    return lesson.steps(runs.list_all([Settings.from_environment().artifacts]))


def test_each_step_has_something_to_do_a_question_and_an_answer(app, steps):
    at(app, "lesson")
    for number, step in enumerate(steps, 1):
        said = texts(app)
        assert step.task in said and step.question in said and step.answer in said
        assert step.take_home in app.info[0].value
        if number < len(steps):
            next(button for button in app.button if button.label.startswith("Next")).click().run()
            well(app)
    assert app.query_params["step"] == f"{len(steps)}. {steps[-1].title}"


def test_a_pupil_enters_at_any_step_by_its_address(app, steps):
    at(app, "lesson", step=f"6. {steps[5].title}")
    assert app.header[0].value == f"6. {steps[5].title}"
    assert app.get("plotly_chart")  # how far a model falls


def title_of_choice(app: AppTest, key: str) -> str:
    """The title of what is chosen in a widget."""
    for one in (*app.selectbox, *app.radio):
        if one.key == key:
            return one.options[one.index]
    (group,) = [one for one in app.get("button_group") if one.key == key]
    return group.value if isinstance(group.value, str) else group.value[0]


@pytest.mark.parametrize("number", range(8))
def test_each_step_opens_its_page_in_the_right_view(app, steps, number):
    link = steps[number].link
    at(app, link.page, **link.query)
    assert not app.error and not app.warning
    for name, value in link.query.items():
        # The address keeps what no widget offers, such as a clip, and drops what a widget does not know.
        assert value == (app.query_params[name] if link.page == "sound" else title_of_choice(app, name))


def test_the_way_back_to_the_lesson_stands_on_every_page_while_it_is_on(app, steps):
    at(app, "dataset")
    assert "of the lesson" not in str(app.get("page_link"))
    at(app, "lesson", step=f"3. {steps[2].title}")
    at(app, "features")
    assert app.session_state["lesson-step"] == 3
    assert any("Back to step 3" in link.proto.label for link in app.get("page_link"))


def test_the_words_page_finds_a_word(app):
    at(app, "glossary")
    assert all(term.word in texts(app).replace("\\", "") for term in glossary.GLOSSARY)
    app.text_input[0].set_value("recall").run()
    said = well(app) and texts(app)
    assert "Unweighted average recall" in said and "waveform" not in said
    app.text_input[0].set_value("nothing like it").run()
    assert "No word here" in app.info[0].value


@pytest.mark.parametrize(
    "page", sorted(file.stem for file in (PROJECT / "pages").glob("*.py") if file.stem != "glossary")
)
def test_each_word_of_the_field_on_a_page_is_explained_there(app, page):
    at(app, page)
    metrics = [metric.label for metric in app.metric]
    labels = [one.label for kind in ("selectbox", "radio", "toggle") for one in app.get(kind)]
    used = {term.word for term in glossary.of([texts(app), *metrics, *labels])}
    assert used <= set(glossary.PAGES[page]), sorted(used - set(glossary.PAGES[page]))


def test_words_are_shown_when_they_are_asked_for(app):
    at(app, "honest")
    assert "Unweighted average recall" not in texts(app)
    app.session_state["words-honest"] = True
    app.run()
    assert "**fold**" in texts(well(app))

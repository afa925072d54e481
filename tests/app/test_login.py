"""Sign-in, where the server asks for it. The provider is played by AppTest, which knows what it says of a visitor."""

import pytest
from streamlit.testing.v1 import AppTest

from ser_core.ui.login import is_welcome
from tests.app.pages import at, texts, well

SCHOOL = {"client_id": "ser", "client_secret": "s", "server_metadata_url": "https://login.school.example"}
PUPIL = {"is_logged_in": True, "name": "Ada", "email": "ada@school.example", "email_verified": True}


@pytest.fixture
def asked(app) -> AppTest:
    """An app whose secrets have an [auth], as Streamlit tells its pages, before anybody has signed in."""
    app.secrets["auth"] = {"redirect_uri": "https://x/oauth2callback", "cookie_secret": "c", **SCHOOL}
    app.user = {"is_logged_in": False}
    return app


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_without_it_nothing_is_asked(app):
    at(app, "glossary")
    assert app.title[0].value == "Words"
    assert not labels(app) & {"Sign in", "Sign out"}


@pytest.mark.parametrize("page", ["overview", "predict", "jobs", "glossary"])
def test_every_page_asks_first(asked, page):
    at(asked, page)
    assert [title.value for title in asked.title] == ["Please sign in"]
    assert labels(asked) == {"Sign in"}
    assert not asked.sidebar.caption and not asked.get("file_uploader")


def test_who_has_signed_in_goes_on_and_can_sign_out(asked):
    asked.user = PUPIL
    at(asked, "glossary")
    assert asked.title[0].value == "Words"
    assert "Signed in: Ada" in texts(asked)
    next(button for button in asked.button if button.label == "Sign out").click().run()
    well(asked)
    assert asked.title[0].value == "Please sign in"


def test_each_named_provider_has_a_button(asked):
    asked.secrets["auth"] = {"redirect_uri": "https://x/oauth2callback", "cookie_secret": "c", "google": SCHOOL}
    at(asked, "glossary")
    assert labels(asked) == {"Sign in with google"}


def test_what_is_not_set_up_is_said_when_somebody_signs_in(asked):
    at(asked, "glossary")
    asked.button(key="sign-in-").click().run()
    well(asked)
    assert "on the server" in asked.error[0].value or "not set up" in asked.error[0].value


@pytest.mark.parametrize("secrets", [{}, {"auth": {"redirect_uri": "https://x/oauth2callback"}}])
def test_where_sign_in_is_a_setting_nobody_enters_before_it_is_set_up(app, monkeypatch, secrets):
    monkeypatch.setenv("SER_LOGIN", "*")
    app.secrets.update(secrets)
    at(app, "glossary")
    assert "no [auth] that can be read" in app.error[0].value
    assert not labels(app)


def test_an_account_of_somewhere_else_does_not_enter(asked, monkeypatch):
    monkeypatch.setenv("SER_LOGIN", "school.example")
    asked.user = PUPIL | {"email": "eve@evil.example"}
    at(asked, "glossary")
    assert "no access here" in asked.warning[0].value
    assert labels(asked) == {"Sign out"}


def test_a_wrong_setting_is_named_and_lets_nobody_in(asked, monkeypatch):
    monkeypatch.setenv("SER_MAX_JOBS", "two")
    asked.user = PUPIL
    at(asked, "glossary")
    assert "SER_MAX_JOBS" in asked.error[0].value
    assert not asked.title


@pytest.mark.parametrize("allowed", [(), ("*",), ("School.example",), ("x.example", "ada@school.example")])
def test_who_may_enter(allowed):
    assert is_welcome(PUPIL, allowed)


@pytest.mark.parametrize(
    "user",
    [
        PUPIL | {"email": "ada@other.example"},
        PUPIL | {"email": "ada@evil-school.example"},
        PUPIL | {"email_verified": False},
        {"is_logged_in": True, "email": "ada@school.example"},
        {"is_logged_in": True},
    ],
)
def test_who_may_not(user):
    assert not is_welcome(user, ("school.example",))

"""How tests open a page and read it."""

from streamlit.testing.v1 import AppTest

from ser_core.settings import PROJECT


def open_app() -> AppTest:
    return AppTest.from_file(str(PROJECT / "router.py"), default_timeout=60)


def at(app: AppTest, page: str, **query: str) -> AppTest:
    """Go to a page, with parameters in its address; the first page is not run before."""
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return well(app)


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Upload files to the page that hears emotions."""
    at(app, "predict", source="Upload")
    app.get("file_uploader")[0].set_value([(name, content, "audio/wav") for name, content in files])
    app.run()
    return well(app)


def well(app: AppTest) -> AppTest:
    """Assert that the page ran to its end: a fault is shown as an apology, which is no exception to Streamlit."""
    assert not app.exception
    assert not [error.value for error in app.error if error.value.startswith("Something went wrong")]
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Press the one button of that label."""
    (button,) = (one for one in app.button if one.label == label)
    button.click().run()
    return well(app)


def widget(app: AppTest, key: str):
    """The widget of that key."""
    kinds = (*app.multiselect, *app.selectbox, *app.toggle, *app.radio, *app.get("button_group"))
    return next(one for one in kinds if one.key == key)


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in ("title", "markdown", "caption") for element in app.get(kind))


def charts(app: AppTest) -> list:
    return [chart.proto for chart in app.get("plotly_chart")]

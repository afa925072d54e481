"""The page of the features of all clips."""

import pytest

from tests.app.pages import at, charts, texts, well, widget


@pytest.fixture(autouse=True)
def no_sound(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "none"))


def test_the_map_comes_first_and_says_who_neighbours_are(app):
    at(app, "features")
    assert not app.error
    said = texts(app)
    assert "71% are of the same actor (by chance 4%)" in said
    assert "43% are of the same emotion (by chance 14%)" in said
    assert "lie near each other" in charts(app)[0].alt


@pytest.mark.parametrize("key, value", [("colour", "speaker"), ("of", "speaker"), ("method", "pca")])
def test_the_map_can_be_coloured_and_made_otherwise(app, key, value):
    at(app, "features")
    before = charts(app)[0].spec + texts(app)
    widget(app, key).set_value(value).run()
    well(app)
    assert charts(app)[0].spec + texts(app) != before


@pytest.mark.parametrize(
    ("view", "alts"),
    [
        ("What separates emotions", ["180 do", "Most by mel band 79"]),
        ("One feature", ["Filled boxes are women"]),
        ("Energy by pitch", ["Over all bands angry"]),
        ("How many numbers", ["68 of 180 components hold 95%"]),
    ],
)
@pytest.mark.parametrize("voices", ["All voices", "Men"])
def test_each_view_says_what_it_shows(app, view, alts, voices):
    at(app, "features")
    widget(app, "view").set_value(view)
    widget(app, "voices").set_value(voices).run()
    well(app)
    assert not app.error
    shown = [chart.alt for chart in charts(app)]
    assert len(shown) == len(alts)
    if voices == "All voices":
        assert all(alt in said for alt, said in zip(alts, shown, strict=True))


def test_the_studys_66_components_stand_beside_ours_on_its_training_clips(app):
    at(app, "features", view="How many numbers")
    alt = charts(app)[0].alt
    assert "the study found, on its 1,961 training clips: 66" in alt
    assert "here, on the same training clips: 65" in alt


def test_speech_alone_is_another_corpus(app):
    at(app, "features")
    widget(app, "channel").set_value("Speech").run()
    assert "63% are of the same actor" in texts(app)


def test_any_of_the_features_can_be_looked_at(app):
    at(app, "features", view="One feature")
    feature = widget(app, "feature")
    assert len(feature.options) == 182
    feature.set_value("mel_001").run()
    well(app)
    assert "A mel band is a stretch of frequencies" in texts(app)


@pytest.mark.parametrize("name", ["view", "channel", "voices", "colour", "of", "method", "feature", "bands", "set"])
@pytest.mark.parametrize("value", ["", "nonsense"])
def test_a_link_with_nonsense_opens_the_page_all_the_same(app, name, value):
    at(app, "features", **{name: value})
    assert not app.error
    assert charts(app)


def test_the_bands_can_be_taken_as_the_models_get_them(app):
    at(app, "features", view="What separates emotions")
    assert "Most by mel band 79" in charts(app)[1].alt
    widget(app, "bands").set_value("As power, as the models get them").run()
    well(app)
    assert "Most by MFCC 1" in charts(app)[1].alt


def test_the_functionals_are_looked_at_like_the_180(app):
    at(app, "features", view="One feature", set="1,174 functionals")
    feature = widget(app, "feature")
    assert len(feature.options) == 1174 and feature.options[0] == "MFCC 1, mean"
    feature.set_value("plp_03_p50").run()
    assert "PLP (perceptual linear prediction)" in texts(well(app))
    widget(app, "view").set_value("What separates emotions").run()
    assert not app.error
    assert "Most by MFCC 1, 75th percentile" in charts(well(app))[1].alt
    assert not [one for one in app.get("button_group") if one.key == "bands"]
    widget(app, "view").set_value("A map of all clips").run()
    assert "are of the same actor" in texts(well(app))


def test_functionals_that_were_chosen_are_what_the_page_opens_with_again(app):
    at(app, "features")
    assert "Each clip is 180 numbers" in texts(app)
    widget(app, "set").set_value("functionals").run()
    assert "Each clip is 1,174 numbers, the functionals" in texts(well(app))
    app.query_params.clear()
    at(app, "glossary")
    at(app, "features")
    assert widget(app, "set").value == "functionals"
    assert "Each clip is 1,174 numbers, the functionals" in texts(app)
    widget(app, "view").set_value("How many numbers").run()
    assert "of 1,174 components hold 95%" in charts(app)[0].alt


def test_the_address_says_which_features_are_looked_at(app):
    at(app, "features", set="1,174 functionals", method="PCA: the two widest directions")
    assert "Each clip is 1,174 numbers, the functionals" in texts(app)
    assert "Of a clip's ten nearest neighbours" in texts(app)
    assert len(charts(app)) == 1
    widget(app, "view").set_value("Energy by pitch").run()
    assert "Each clip is 180 numbers" in texts(well(app))  # these are the mel bands

import numpy as np
import pytest

from ser_core.corpus import labels
from ser_core.errors import ModelError


def test_sixteen_classes_in_the_order_in_which_scikit_learn_sorts_them():
    assert len(labels.LABELS) == 16
    assert list(np.unique(labels.LABELS)) == list(labels.LABELS)


def test_eight_emotions_have_eight_colours_and_the_codes_of_ravdess():
    assert [emotion.code for emotion in labels.EMOTIONS] == [f"{i:02d}" for i in range(1, 9)]
    assert len({emotion.colour for emotion in labels.EMOTIONS}) == 8


def test_a_class_is_an_emotion_and_a_gender():
    assert {(labels.emotion_of(label), labels.gender_of(label)) for label in labels.LABELS} == {
        (emotion, gender) for emotion in labels.EMOTION_NAMES for gender in labels.GENDERS
    }
    assert labels.title_of("angry_female") == "Angry, female"


@pytest.mark.parametrize(
    ("emotion", "gender", "label"),
    [("angry", "female", "angry_female"), ("boredom", "female", "boredom"), ("angry", "", "angry")],
)
def test_the_label_of_what_is_no_class_is_the_bare_emotion(emotion, gender, label):
    assert labels.label_of(emotion, gender) == label


def test_classes_are_the_16_where_all_clips_belong_to_them():
    classes, of_clips = labels.classes_of(["sad_male", "angry_female"], ["sad", "angry"])
    assert classes == labels.LABELS
    assert of_clips.tolist() == ["sad_male", "angry_female"]


@pytest.mark.parametrize("other", ["boredom", "very_sad", "sad"])
def test_classes_are_emotions_where_a_clip_has_another_emotion_or_no_gender(other):
    classes, of_clips = labels.classes_of(["angry_female", other], ["angry", other])
    assert classes == ("angry", other)
    assert of_clips.tolist() == ["angry", other]
    assert labels.emotions_of(classes) == classes
    assert labels.emotion_of(other) == other


def test_clips_that_cannot_be_learned_are_named_with_their_number():
    labels.require_classes(labels.LABELS)
    with pytest.raises(
        ModelError, match=r"predictions and tuning know: 1 of 'angry', 2 of 'boredom'\. A class is one of neutral"
    ):
        labels.require_classes(["boredom", "sad_male", "angry", "boredom"])


def test_genders_and_emotions_are_added_up():
    given = np.random.default_rng(0).dirichlet(np.ones(16), size=5)
    emotions, genders = labels.by_emotion(given), labels.by_gender(given)
    assert emotions.shape == (5, 8)
    assert genders.shape == (5, 2)
    np.testing.assert_allclose(emotions.sum(axis=1), 1)
    angry = given[:, labels.LABELS.index("angry_female")] + given[:, labels.LABELS.index("angry_male")]
    np.testing.assert_allclose(emotions[:, labels.EMOTION_NAMES.index("angry")], angry)
    female = given[:, [i for i, label in enumerate(labels.LABELS) if label.endswith("_female")]].sum(axis=1)
    np.testing.assert_allclose(genders[:, 0], female)


def test_known_emotions_keep_their_order_and_colours_beside_others():
    found = labels.colours(["joy", "sad", "boredom", "angry"])
    assert list(found) == ["sad", "angry", "boredom", "joy"]
    assert found["sad"] == labels.BY_NAME["sad"].colour
    assert len(set(found.values())) == 4


def test_other_emotions_have_colours_of_their_own_that_are_visible_on_white_and_on_black():
    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert not set(labels.OTHER_COLOURS) & {one.colour for one in labels.EMOTIONS}
    for colour in labels.OTHER_COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) > 3
        assert (luminance(colour) + 0.05) / 0.05 > 3


def test_an_emotion_keeps_its_colour_when_others_are_filtered_away():
    assert labels.colours(["boredom"])["boredom"] == labels.colours(["boredom", "sad", "calm"])["boredom"]


def test_eight_other_emotions_have_eight_colours():
    assert len(set(labels.colours([f"mood {i}" for i in range(8)]).values())) == 8
    assert len(labels.colours([f"mood {i}" for i in range(20)])) == 20

import pandas as pd
import pytest

from ser_core.classroom import statistics
from ser_core.figures import classroom
from ser_core.listening.scores import Score

PEOPLE, MODEL = Score(6, 12, 3, 0.5, 0.25, 0.75), Score(3, 4, 1, 0.75, 0.3, 0.95)


def clips(counts) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = pd.RangeIndex(1, len(counts) + 1, name="clip")
    votes = pd.DataFrame(counts, columns=["sad", "angry", "boredom"], index=index)
    return votes, statistics.divided(votes).assign(truth="sad", model="angry")


def test_people_and_model_stand_beside_each_other_with_their_intervals():
    figure, sentence = classroom.people_and_model(PEOPLE, MODEL, pd.Series([0.25, 0.25, 1.0]), 8)
    each, people, model = figure.data
    assert dict(zip(each.x, each.customdata, strict=True)) == {0.25: 2, 1.0: 1}
    assert people.error_x.array[0] == people.error_x.arrayminus[0] == 0.25
    assert model.y[0] == classroom.MODEL_ROW
    assert figure.layout.shapes[0].x0 == 1 / 8
    assert "3 people named 50% right" in sentence and "the model 75%" in sentence


def test_the_clip_that_divides_most_is_on_top():
    figure, sentence = classroom.divided(*clips([[4, 0, 0], [2, 1, 1]]))
    assert [bar.name for bar in figure.data] == ["sad", "angry", "boredom"]
    assert list(figure.data[0].y) == ["Clip 2: sad", "Clip 1: sad"]
    assert list(figure.data[0].x) == [0.5, 1]
    assert sentence.startswith("Clip 2 divides the class most: it is sad, the commonest answer is sad (50%)")
    assert sentence.endswith("All agree on clip 1.")


@pytest.mark.parametrize(("counts", "says"), [([[4, 0, 0]], "No clip divides"), ([[2, 2, 0]], "model says angry.")])
def test_where_all_or_none_agree_it_says_so(counts, says):
    assert says in classroom.divided(*clips(counts))[1]

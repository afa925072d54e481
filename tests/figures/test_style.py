import pandas as pd

from ser_core.figures.style import interval


def test_error_bars_are_lengths_from_what_is_drawn_and_never_less_than_nothing():
    bars = interval(pd.Series([0.5, 0.25]), pd.Series([0.25, 0.5]), pd.Series([0.75, 0.75]), width=4)
    assert bars["array"].tolist() == [0.25, 0.5]
    assert bars["arrayminus"].tolist() == [0.25, 0]
    assert (bars["symmetric"], bars["width"]) == (False, 4)

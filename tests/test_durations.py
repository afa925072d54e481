import pytest

from ser_core.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (3, "3 s"),
        (9.96, "10 s"),
        (42.3, "42 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (120, "2 min"),
        (599.7, "10 min"),
        (640, "11 min"),
        (3_599, "1 h"),
        (4_800, "1 h 20 min"),
        (200_000, "55 h 33 min"),
    ],
)
def test_a_duration_is_said_as_people_do(seconds, words):
    assert in_words(seconds) == words

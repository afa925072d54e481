"""Durations in words."""

UNITS = (("h", 3600), ("min", 60), ("s", 1))


def in_words(seconds: float) -> str:
    """A duration, as precise as it is of use.

    Parameters
    ----------
    seconds : float >= 0

    Returns
    -------
    str
        Of less than ten seconds to a tenth, of ten minutes or more to a minute.

    Examples
    --------
    >>> in_words(2.94), in_words(42.3), in_words(75), in_words(1234), in_words(4800)
    ('2.9 s', '42 s', '1 min 15 s', '21 min', '1 h 20 min')
    """
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    step = 1 if seconds < 600 else 60
    left = step * round(seconds / step)
    parts = []
    for unit, size in UNITS:
        number, left = divmod(left, size)
        parts += [f"{number} {unit}"] if number else []
    return " ".join(parts)

"""The curve of a pure tone."""

import numpy as np
import plotly.graph_objects as go

from ser_core.audio.tone import sine
from ser_core.figures.style import ACCENT, LEGEND_ABOVE, MUTED, finish

SHOWN_S = 0.02
_RATE = 100_000  # Hz: of the curve that is drawn, which looks smooth


def tone(hz: float, amplitude: float, phase_deg: float, *, most: float = 1.0) -> tuple[go.Figure, str]:
    """The first 20 ms of a sine, and the same without its phase.

    Parameters
    ----------
    hz : float > 0
    amplitude : float
        Full scale is 1.
    phase_deg : float
        In degrees.
    most : float
        The highest amplitude that the axis has room for.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    milliseconds = 1000 * np.arange(round(SHOWN_S * _RATE)) / _RATE
    figure = go.Figure()
    curves = [("phase 0", 0.0, {"color": MUTED, "width": 1, "dash": "dot"})] * bool(phase_deg % 360)
    for name, phase, line in [*curves, ("the tone", phase_deg, {"color": ACCENT, "width": 2})]:
        samples = sine(hz, amplitude, phase, seconds=SHOWN_S, rate=_RATE)
        figure.add_scatter(x=milliseconds, y=samples.round(4), mode="lines", line=line, name=name, hoverinfo="skip")
    title = f"A tone of {hz:,.0f} Hz: its first {1000 * SHOWN_S:.0f} milliseconds"
    finish(figure, title, height=280, legend=LEGEND_ABOVE, showlegend=bool(curves), margin_l=76, margin_b=44)
    figure.update_xaxes(title="time (ms)", range=[0, 1000 * SHOWN_S])
    figure.update_yaxes(title="amplitude (full scale = 1)", range=[-1.05 * most, 1.05 * most])
    return figure, (
        f"{hz:,.0f} waves a second, so one takes {1000 / hz:.1f} ms; it swings {amplitude:.2f} of full scale up and "
        f"down, and begins {phase_deg:.0f} degrees into its wave."
    )

"""What Streamlit's theme cannot say about the look of all pages: contrast, bands, phones, print, reduced motion.

Its text has a contrast of at least 4.5:1; what is faded stays faded, but less.
"""

import re

import streamlit as st

CSS = """
/* Captions: Streamlit fades them, with the links and code in them, to 4.2:1 and below. */
[data-testid=stCaptionContainer] {
  opacity: 1 !important; color: color-mix(in srgb, currentColor 76%, transparent) !important;
}
/* What is chosen of pills, tabs and a segmented control, a button under the pointer, and one whose popover is open are
  written in the primary colour, too dark on dark. It is mixed with that of the words around, in popovers, too. */
button[data-selected=true], [role=tab][aria-selected=true],
:is([data-testid=stPopoverButton], [data-testid=stBaseButton-secondary], [data-testid=stBaseButton-tertiary],
  [data-testid=stBaseLinkButton-secondary]):is(:hover, :active, [aria-expanded=true]):not(:disabled) {
  color: color-mix(in srgb, currentColor 45%, #7F5FE0) !important;
}
/* Words at the axes, above the bars, and in the legend. */
.js-plotly-plot :is(.xtick, .ytick, .x2tick, .y2tick, .cbaxis, .legend, .annotation, .g-xtitle, .g-ytitle, .g-x2title,
  .g-y2title, .textpoint, [class^=cb]) text, .js-plotly-plot .bartext-outside {
  fill: color-mix(in srgb, currentColor 80%, transparent) !important;
}

/* The head of a page is an empty bar. */
[data-testid=stMainBlockContainer] { padding-top: 3rem; }

@media (max-width: 640px) {
  .js-plotly-plot .modebar-container { display: none; } /* it would lie on the marks */
  [data-testid=stMainBlockContainer] { padding-top: 4.5rem; } /* the bar hides what is below it */
}

@media print {
  [data-testid=stApp] { print-color-adjust: exact; } /* light words need their dark paper */
  [data-testid=stSidebar], [data-testid=stHeader], [data-testid=stExpandSidebarButton], .modebar-container {
    display: none !important;
  }
  [data-testid=stMainBlockContainer] { padding: 0 !important; max-width: none !important; }
  [data-testid=stPlotlyChart], [data-testid=stDataFrame], [data-testid=stMetric] { break-inside: avoid; }
}

@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after {
    animation-duration: 1ms !important; animation-iteration-count: 1 !important;
    transition-duration: 1ms !important; transition-delay: 0s !important; scroll-behavior: auto !important;
  }
}
"""

SENT = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)  # the comments are for us


def apply() -> None:
    """Put the styles on the page; they take no room."""
    st.html(f"<style>{SENT}</style>")

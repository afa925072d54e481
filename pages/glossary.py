"""Every word of the field that the app uses, with its sentence."""

import streamlit as st

from ser_core import ui
from ser_core.teaching.glossary import GLOSSARY

ui.require_router()
st.title("Words")
asked = st.text_input("Look for", key="word", bind="query-params", placeholder="fold, MFCC, accuracy ...")
found = [
    term for term in GLOSSARY if asked.casefold() in f"{term.word} {' '.join(term.others)} {term.sentence}".casefold()
]
for term in sorted(found, key=lambda term: term.word.casefold()):
    st.markdown(f"**{ui.as_text(term.word)}**  \n{ui.as_text(term.sentence)}")
if not found:
    st.info(f"No word here has to do with {ui.as_text(asked)}.")

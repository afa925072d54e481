"""The leakage lab: what is left of a model's accuracy when it is asked about voices that it has never heard."""

import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn

from ser_core import ui
from ser_core.audio.conditions import SMALL_CHANGES
from ser_core.corpus.labels import EMOTION_NAMES, LABELS
from ser_core.evaluation import paired_tests
from ser_core.figures import generalization as figures
from ser_core.figures import verdicts as verdict_figures
from ser_core.models import registry
from ser_core.results import comparison, generalization, robustness, verdicts
from ser_core.results.published import HUMAN_ACCURACY, ROBUSTNESS_SOURCE
from ser_core.results.runs import Run
from ser_core.ui import cached
from ser_core.ui.generalization import (
    conditions,
    ideas,
    known_before,
    ladder,
    said_by,
    small_changes,
    song,
    speakers,
    unheard,
    voices,
)

KINDS = {"class": "Emotion and gender (16 classes)", "emotion": "Emotion alone (8)"}
FEATURES = {
    "default": "What the study saw (for a network: its picture)",
    "functionals": "The second feature set, functionals",
}
GUESSING = {"class": 1 / len(LABELS), "emotion": 1 / len(EMOTION_NAMES)}
FOLDS = {"emobox": "EmoBox's six folds", "luna-jimenez": "Luna-Jimenez' five folds"}
MOST = 15  # of the runs that ship on one chart


def show_ladder(found: list[Run]) -> None:
    protocols_of = {}
    for protocol, run in generalization.on_the_ladder(found):
        protocols_of.setdefault(run.recipe.model, set()).add(protocol)
    models = sorted(protocols_of, key=lambda key: (-len(protocols_of[key]), key != "v4", key))
    left, right = st.columns([3, 2], gap="large")
    with right:
        titles = {key: registry.get(key).name for key in models}
        ui.begin_with("model", ui.named_model(), titles)
        model = st.selectbox("Model", **ui.options(titles, "model"))
        ui.name_model(model)
        seen = st.radio("What it sees of a clip", **ui.options(FEATURES, "features"))
        kind = st.radio("What it has to name", **ui.options(KINDS, "kind"))
        features = None if seen == "default" else seen
        table = ladder(found, model, features=features, kind=kind)
        st.markdown("\n".join(f"- **{row.accuracy:.0%}** on {row.heard}" for row in table.itertuples()))
        missing = [name for name in generalization.LADDER if name not in set(table["protocol"])]
        for run in generalization.on_other_corpora(found, model, features=features):
            st.caption(ui.as_text(generalization.about_other_corpus(run)))
        if missing:
            st.caption("Not run yet: make it with")
            more = f" --features {features}" if features else ""
            commands = [f"python -m ser_core run {model} --protocol {name}{more}" for name in missing]
            st.code("\n".join(commands), language=None)
        further = {name for name in table["protocol"] if name not in generalization.LADDER}
        if len(further) < 2:
            st.caption(
                "Two more rungs: other recordings (`--heard all` after such a command) and another corpus, of your own "
                "(`--test-on MANIFEST` in place of the protocol)."
            )
    with left:
        ui.chart(figures.ladder(table, registry.get(model).name, GUESSING[kind]), key="ladder")


def show_why() -> None:
    st.header("Why it falls")
    found = speakers(ui.settings().speakers)
    right = (found["speaker"] == found["named"]).mean()
    name = registry.get(generalization.SPEAKER_MODEL).name
    left, middle = st.columns([1, 3], vertical_alignment="center")
    left.metric("Actors recognised", f"{right:.1%}", width="content")
    middle.markdown(
        f"**The same 180 numbers say who speaks.** The {name.lower()}, taught to name the *actor* in place of the "
        f"emotion, on the same clips, names {right:.1%} of {len(found)} test clips right, of "
        f"{found['speaker'].nunique()} actors. A model that has heard an actor's angry clip in training needs no more "
        "than that voice, at that loudness, to find its twin in the test. Nothing in a random split forbids it."
    )


def show_song(found: list[Run]) -> None:
    table = song(found)
    if len(table):
        st.header("And song?")
        ui.chart(figures.song(table), key="song")


def show_unheard(found: list[Run]) -> None:
    st.header("Voices never heard: ours beside the published")
    ui.name_unreadable(cached.unreadable_runs())
    protocol = ui.choice("Folds of actors", FOLDS, key="folds")
    ours = unheard(found, protocol)
    published = generalization.published(protocol)
    title = f"Eight emotions in speech, {FOLDS[protocol]} of actors"
    shown = ours[(ours["shipped"].cumsum() <= MOST) | ~ours["shipped"]]
    ui.chart(figures.unheard(shown, published, HUMAN_ACCURACY, title), key="unheard")
    st.caption(
        "Published systems learned from hundreds of hours of speech before; ours from what is here. People: sound "
        "alone, as quoted by Luna-Jimenez et al. 2022, Table 1: an accuracy, on no folds at all. A run of yours "
        "appears here as soon as it is made: `python -m ser_core run MODEL --protocol emobox`."
    )
    named = {"ua": "UA", "uar": "UAR", "accuracy": "accuracy", "low": "95% from", "high": "to"}
    with st.expander("The numbers, and what each may be compared with"):
        st.dataframe(
            ours[["label", "note", "features", "ua", "uar", "accuracy", "low", "high"]],
            hide_index=True,
            column_config={
                "label": TextColumn("run here", pinned=True),
                "note": "mind",
                **{name: NumberColumn(said, format="%.3f") for name, said in named.items()},
            },
        )
        st.dataframe(
            published[["system", "value", "measure", "protocol", "source", "but", "why_not"]],
            hide_index=True,
            column_config={
                "value": NumberColumn(format="%.4f"),
                "but": "mind",
                "why_not": "why it is greyed here",
            },
        )


def show_conditions(found: list[Run]) -> None:
    tests = robustness.protocols(found)
    if not tests:
        return
    st.header("The same clips, recorded otherwise")
    st.markdown(
        "The models and the clips stay; only the recording changes, **after** the model has learned. Over a telephone "
        "people hear the same emotion. What is done to a clip can be seen and heard: *See a sound*, *Recorded "
        "otherwise*."
    )
    titles = {name: comparison.title_of_test(name) for name in tests}
    protocol = ui.choice("Tested on", titles, key="heard-under") if len(tests) > 1 else tests[0]
    table = conditions(found, protocol, kind="emotion")
    ui.chart(figures.conditions(table, "Emotions recognised, of eight, in each recording condition"), key="conditions")
    st.caption(f"{titles[protocol]}. Make such a column of any model: `python -m ser_core run MODEL --heard all`.")
    with st.expander("The numbers: intervals, what is claimed, and how many answers stay the same"):
        named = {"accuracy": "accuracy", "low": "95% from", "high": "to", "uar": "UAR", "claims": "claims"}
        st.dataframe(
            table.drop(columns="condition"),
            hide_index=True,
            column_config={
                "model": TextColumn(pinned=True),
                "title": "condition",
                **{name: NumberColumn(said, format="%.3f") for name, said in named.items()},
                "same": NumberColumn("same answer", format="percent"),
            },
        )


def show_small_changes(found: list[Run]) -> None:
    tables = {name: small_changes(found, name) for name in robustness.protocols(found, SMALL_CHANGES)}
    titles = {name: comparison.title_of_test(name) for name, table in tables.items() if len(table)}
    if not titles:
        return
    st.header("The same clips, changed a little")
    st.markdown(
        "How often a model gives the same answer when a clip is changed so little that one hardly hears it, and when "
        "it is changed more: a published test of four large networks, made here with a model of ours."
    )
    protocol = ui.choice("Tested on", titles, key="changed-under") if len(titles) > 1 else next(iter(titles))
    models = tables[protocol]["model"].unique()
    model = st.selectbox("Model that hears them", **ui.options({one: one for one in models}, "changed-model"))
    table = tables[protocol].query("model == @model")
    ui.chart(figures.small_changes(table, f"{model}: how often its answer stays the same"), key="small-changes")
    st.caption(
        f"{titles[protocol]}. Noise and tone lie so many dB below the voice. Published: {ROBUSTNESS_SOURCE}; four "
        "emotions, other clips. Their room, phone, dull and sharp are made in other ways than ours. They test music "
        "and noises of the surroundings, too: no music or environmental recordings lie here. Make such runs of any "
        "model: `python -m ser_core run MODEL --protocol emobox --heard small`, and `--heard all` for the larger "
        "changes."
    )
    with st.expander("The numbers: intervals, the lowest of each change, and what it does to the UAR"):
        named = {
            "same": "same answer",
            "low": "95% from",
            "high": "to",
            "lowest": "lowest",
            "uar_change": "UAR changes by",
            "published_low": "published: same from",
            "published_high": "to",
            "published_uar_low": "published: UAR from",
            "published_uar_high": "to",
        }
        st.dataframe(
            table.drop(columns=["model", "is_small"]),
            hide_index=True,
            column_config={
                "change": TextColumn(pinned=True),
                **{name: NumberColumn(said, format="%.3f") for name, said in named.items()},
            },
        )


def show_verdicts(found: list[Run]) -> None:
    tests = verdicts.protocols(found)
    if not tests:
        return
    st.header("When it says that it cannot tell")
    titles = {name: comparison.title_of_test(name) for name in tests}
    protocol = ui.choice("Tested on", titles, key="verdicts-under") if len(tests) > 1 else tests[0]
    sounds = None
    with ui.part():
        sounds = voices(ui.settings().voices)
    said = said_by(found, protocol, sounds)
    models = {one: one for one in said.shares["model"].unique()}
    first = next(iter(models))
    model = st.selectbox("Model that answers", **ui.options(models, "silent-model")) if len(models) > 1 else first
    st.markdown(ui.as_text(verdicts.in_words(said, model)))
    ui.chart(verdict_figures.shares(said, model), key="verdicts")
    ui.chart(verdict_figures.risk(said, model), key="risk")
    st.caption(
        f"{titles[protocol]}. An emotion is named if it is more likely than all others together, if none of "
        "them is likely enough, and if the clip is not further from all that was learned than other people's are. "
        "Where these limits lie is decided on other actors than the answers shown. "
        "Make such a test of any model: `python -m ser_core run MODEL --protocol emobox --heard all`."
    )
    with st.expander("The numbers: every verdict with intervals over actors, and what each emotion gets"):
        shown = {
            "heard": "names an emotion",
            "heard_low": "95% from",
            "heard_high": "to",
            "unsure": "not sure",
            "unlike": "unlike all it has heard",
            "no_voice": "no voice",
            "right": "right, of those named",
            "right_low": "95% from ",
            "right_high": "to ",
            "accuracy": "right, of all",
            "claims": "claims",
        }
        st.dataframe(
            said.shares.query("model == @model")[["title", "clips", *shown]],
            hide_index=True,
            column_config={
                "title": TextColumn("recording", pinned=True),
                **{name: NumberColumn(words, format="%.3f") for name, words in shown.items()},
            },
        )
        st.dataframe(
            said.groups.query("model == @model").drop(columns="model"),
            hide_index=True,
            column_config={
                "who": TextColumn("all recordings of", pinned=True),
                **{name: NumberColumn(shown[name], format="%.3f") for name in ("heard", "right")},
            },
        )


def show_known_before(found: list[Run]) -> None:
    table = known_before(found)
    if table.empty:
        return
    st.header("What are a few clips of a voice worth?")
    st.markdown(
        "Somebody who has heard a person before knows how high, loud and fast that person usually speaks. Here a model "
        "hears some clips of a new speaker first: two that are known to be neutral, eight of any emotion, or all of "
        "them, without being told their emotions. What is usual of the speaker is estimated from them and taken away; "
        "the fewer they are, the more carefully."
    )
    st.dataframe(
        table.assign(gain=100 * table["gain"], low=100 * table["low"], high=100 * table["high"]),
        hide_index=True,
        column_config={
            "model": TextColumn("model", pinned=True),
            "known": TextColumn("heard before", help="Of each speaker, none of whose clips was trained on"),
            "ua": NumberColumn("UA", format="%.3f", help="Mean over emotions, then over folds, of the share right"),
            "clips": NumberColumn("tested on", help="Clips that were not heard before, but for all"),
            "before": NumberColumn("right without", format="%.3f"),
            "after": NumberColumn("right with", format="%.3f"),
            "gain": NumberColumn("gain", format="%+.1f", help="In percentage points, on the same clips"),
            "low": NumberColumn("95% from", format="%+.1f", help="Over actors"),
            "high": NumberColumn("to", format="%+.1f", help="Over actors"),
        },
    )
    st.caption("Make such runs of your own: `ser run centred --protocol emobox --calibrate neutral:2`.")


def show_ideas(found: list[Run]) -> None:
    table = ideas(found)
    if table.empty:
        return
    st.header("What would help? Two ideas that the authors left open, and two of ours")
    st.markdown(
        "- **Gender first**: one model tells women from men, then one that has heard only that gender names the "
        "emotion; both are asked and weighed by how probable their gender is, or (hard routing) only the more probable "
        "one.\n- **Emotion and gender apart**, its opposite: one model names the emotion having heard everybody.\n"
        "- **Functionals**, a second feature set: where the study takes the mean of each contour, these are its "
        "deviation, percentiles and changes too, with pitch and the quality of the voice, on sound without the "
        "silence around it.\n- **Other voices**: each clip is learned as it is and as two other people might say it, "
        "with another pitch, vocal tract and pace, so that fewer voices are known by heart. The test hears real voices "
        "alone."
    )
    ui.chart(figures.ideas(table), key="ideas")
    with st.expander("The numbers and tests"):
        st.caption(
            "On the study's split p is of McNemar's exact test over clips; on actors who are not in training, of a "
            "sign-flip test over actors, since clips of one actor stand or fall together. The intervals are of the "
            "same tests; p is also corrected for the number of ideas."
        )
        shown = {"before": "without", "after": "with", "gain": "gain", "low": "95% from", "high": "to"}
        st.dataframe(
            table.assign(p=table["p"].map(paired_tests.in_words)),
            hide_index=True,
            column_config={
                "idea": TextColumn(pinned=True),
                **{name: NumberColumn(said, format="%.3f") for name, said in shown.items()},
            },
        )


ui.require_router()
found = cached.all_runs()
st.title("Does it know the emotion, or the voice?")
st.markdown(
    "A model is tested on clips that it has not heard. **How hard that is depends on what else it has heard**: another "
    "clip of the same actor, or nobody like that at all. Same model, same features; only the test is changed."
)
ui.section(show_ladder, found)
with ui.part():
    show_why()
for show in (
    show_unheard,
    show_conditions,
    show_small_changes,
    show_verdicts,
    show_known_before,
    show_ideas,
    show_song,
):
    ui.section(show, found)

"""Runs side by side: a table of all, which of two is better and whether that is sure, and where they differ."""

from functools import partial
from itertools import combinations

import pandas as pd
import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn

from ser_core import corpus, evaluation, ui
from ser_core.corpus import ravdess
from ser_core.corpus.labels import title_of
from ser_core.figures import comparison as figures
from ser_core.figures.style import count_of
from ser_core.prediction import model_store
from ser_core.results import comparison, differences, run_titles, vote_gains
from ser_core.results.runs import Run
from ser_core.ui import cached
from ser_core.ui.cached import kept
from ser_core.ui.clip import clip_card

KINDS = {"class": "Emotion and gender (16 classes)", "emotion": "Emotion alone (8)", "gender": "Gender alone (2)"}
CONFUSE, BY_VALUE, RIGHT, VOTES, SURE, ACTORS, HEART = VIEWS = (
    "What they confuse",
    "Class by class",
    "Right and wrong",
    "What a vote gains",
    "How sure they are",
    "Actor by actor",
    "Learned by heart",
)
PROPERTIES = ("emotion", "gender")  # of clips of any corpus
OF_RAVDESS = ("intensity", "channel", "statement", "repetition")
SHARES = {"row": "What it is", "column": "What was named", "count": "Number of clips"}
SHOWN_FIRST = ("v4", "mlp")  # the study's best, and its best member
MOST = 4
USUAL = ("default", "functionals")  # presets that are shown first, and this installation's own runs
HOW = {  # what is tested is chosen by what the protocol holds out
    "actors": "These {0} were not in training, and the question is about other {0}: the answers of the two are "
    "swapped for **whole {0}**, at random and again and again (a sign-flip test), since clips of one of them stand or "
    "fall together.",
    "clips": "These {0} were in training, too, so the question is about other clips of the same {0}: the answers "
    "of the two are swapped for **single clips** (McNemar's exact test). Of other {0} it says nothing.",
}
EXPORTS = {
    "csv": ("CSV", "csv", "text/csv"),
    "latex": ("LaTeX", "tex", "text/x-tex"),
    "markdown": ("Markdown", "md", "text/markdown"),
}
COLUMNS = {
    "label": TextColumn("run", pinned=True),
    "name": TextColumn("model"),
    "test_accuracy": NumberColumn("test", format="%.3f", help="Share of the test clips named right"),
    "test_low": NumberColumn("95% from", format="%.3f", help="Bootstrap interval of test"),
    "test_high": NumberColumn("to", format="%.3f"),
    "original_test_accuracy": NumberColumn(
        "original test", format="%.2f", help="What the study's authors reached on the same clips"
    ),
    "cv_accuracy": NumberColumn(
        "CV5", format="%.3f", help="Five-fold cross-validation within the training clips: what models were chosen by"
    ),
    "cv_deviation": NumberColumn("CV5 ±", format="%.3f", help="Standard deviation over the five folds"),
    "original_cv_accuracy": NumberColumn("original CV5", format="%.3f"),
    "gap": NumberColumn(
        "train less test",
        format="%.3f",
        help="Accuracy on the clips that it learned from less that on the test clips: what was learned by heart",
    ),
    "uar": NumberColumn(
        "UAR", format="%.3f", help="Unweighted average recall: the mean over classes, so that rare ones count as much"
    ),
    "ua": NumberColumn("UA", format="%.3f", help="Mean over the test folds of their UARs, as publications give it"),
    "ua_deviation": NumberColumn("UA ±", format="%.3f", help="Standard deviation over the test folds"),
    "fit_seconds": NumberColumn(
        "fit (s)", format="%.1f", help="Learning from the training clips once: one core, networks all cores"
    ),
    "predict_ms": NumberColumn(
        "predict (ms a clip)", format="%.2f", help="Answering the test clips together; features are not counted"
    ),
    "file_mb": NumberColumn(
        "file (MB)", format="%.1f", help="Of the trained model. Empty where only the predictions were kept"
    ),
    "parameters": NumberColumn("parameters", format="localized", help="Numbers that a network is made of"),
}

# What is made of runs is kept for all sessions.
row = kept(comparison.row)
pair = kept(differences.pair)
beside = kept(differences.beside, max_entries=256)
gained = kept(vote_gains.by_class)
story = kept(vote_gains.original_claims)


@kept
def confusion(run: Run, kind: str):
    return evaluation.confusion(run.part("test"), kind)


@kept
def calibration(run: Run, kind: str) -> pd.DataFrame:
    return evaluation.calibration(run.part("test"), kind)


@kept
def gaps(run: Run, prop: str, kind: str) -> pd.DataFrame:
    return evaluation.gaps(run.part("test"), prop, kind, clips=cached.clips())


@kept
def by_property(run: Run, prop: str, kind: str) -> pd.DataFrame:
    return evaluation.by_property(run.part("test"), prop, kind, clips=cached.clips())


# What is compared


def suit_kind() -> None:
    st.session_state["kind"] = comparison.usual_kind(st.session_state["protocol"])


def choose_test(groups: dict[str, list[Run]]) -> tuple[str, str]:
    """What the runs were tested on, and what has to be named."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    test = left.selectbox(
        "Tested on",
        **ui.options({name: comparison.title_of_test(name, runs) for name, runs in groups.items()}, "protocol"),
        on_change=suit_kind,
        help="Only runs that were tested on the same clips can be compared.",
    )
    most = next((run for run in groups[test] if run.has_classes), groups[test][0])
    kinds = evaluation.kinds(most.part("test"))
    if st.session_state.get("kind") not in kinds:
        st.session_state.pop("kind", None)
    kind = right.selectbox(
        "What has to be named",
        **ui.options({name: KINDS[name] for name in kinds}, "kind"),
        index=0 if "kind" in st.session_state else kinds.index(comparison.usual_kind(test)),
    )
    return test, kind


def rows_of(found: list[Run], kind: str, labels: dict[str, str]) -> list[dict]:
    shipped = cached.shipped_runs()
    return [row(run, kind, comparison.original_of(run, shipped)) | {"label": labels[run.id]} for run in found]


def show_table(found: list[Run], test: str, kind: str, labels: dict[str, str]) -> pd.DataFrame:
    """The runs as a table, best first, and the ways to take it away."""
    few = [run for run in found if run.recipe.preset in USUAL or not run.shipped]
    shown = few
    if len(few) < len(found) and st.toggle(
        f"Also tuned and tried settings ({len(found) - len(few)} more runs)", key="all", bind="query-params"
    ):
        shown = found
    table = comparison.as_table(rows_of(shown, kind, labels), model_store.sizes(ui.settings().stores))
    table = table.sort_values("test_accuracy", ascending=False, ignore_index=True)
    ui.name_unreadable(cached.unreadable_runs())
    ui.name_unreadable(cached.unreadable_models())  # whose sizes are in no row
    said = table.assign(file_mb=table["file_bytes"] / 1e6)
    st.dataframe(
        said[[name for name in COLUMNS if said[name].notna().any()]],
        hide_index=True,
        column_config=COLUMNS,
        height=min(38 + 35 * len(said), 430),
        placeholder="",
        alt=f"{len(said)} runs with their scores, times and sizes",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{len(said)} runs on {count_of(int(table['test_clips'].iloc[0]))}. A click on a column's head sorts.",
            width="stretch",
        )
        offer(table, f"runs-{test}".replace(" ", "-"))
    return table


def choose_runs(found: list[Run], labels: dict[str, str], table: pd.DataFrame) -> list[Run]:
    """Two to four of the runs, by what they are called: a choice outlives a change of protocol, filled up to two."""
    called = {labels[run.id]: run for run in found}
    first = SHOWN_FIRST if set(SHOWN_FIRST) <= set(called) else table["label"].head(2)
    if before := st.session_state.get("runs"):
        still = [name for name in before if name in called][:MOST]
        if still != before:
            more = [name for name in first if name not in still]
            st.session_state["runs"] = still + more[: max(0, 2 - len(still))]
    chosen = st.multiselect(
        f"Compare (two to {MOST})",
        list(called),
        default=None if "runs" in st.session_state else list(first),
        max_selections=MOST,
        key="runs",
        bind="query-params",
    )
    return [called[name] for name in chosen]


def show_verdicts(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    """Which is better, in words, and the numbers that say so."""
    table = differences.corrected([pair(one, other, kind=kind) for one, other in combinations(chosen, 2)])
    verdicts = differences.verdicts(table, labels)
    st.success("  \n".join(f"**{ui.as_text(said)}.**" for said in verdicts), icon=":material/balance:")
    st.caption("; ".join(f"{labels[run.id]}: {run.name}" for run in chosen) + ".")
    how = HOW[table["over"].iloc[0]].format(table["speakers"].iloc[0])
    with st.expander("How that is found out"):
        st.markdown(
            "Clips that both name right, or both wrong, say nothing about which is better. What counts are the clips "
            "on which **one alone** is right. If the two were equally good, each would be right alone about as often; "
            "**p** is how often chance alone would make them differ as much as here. Below 0.05 the difference is "
            "called more than chance; where several pairs are compared, p is corrected for their number (Benjamini & "
            f"Hochberg).\n\n{how} The interval is of all differences that the same test would "
            "not call more than chance, so it excludes zero just where p, not corrected, is below 0.05. **Smallest "
            "found** is the true difference that 80 of 100 such experiments would find."
        )
        named = table.assign(first=table["first"].map(labels), second=table["second"].map(labels))
        st.dataframe(comparison.for_people(named), hide_index=True)
        with st.container(horizontal=True):
            offer(named, "pairs")


def offer(table: pd.DataFrame, name: str) -> None:
    """The ways to take a table away."""
    for form, (title, suffix, mime) in EXPORTS.items():
        text = partial(comparison.written, table, form)
        ui.download(title, text, f"{name}.{suffix}", mime, key=f"{name}-{form}", type="tertiary")


# What the views show


def two_of(chosen: list[Run], labels: dict[str, str]) -> tuple[Run, Run]:
    """A and B: of more than two the visitor says which."""
    if len(chosen) == 2:
        return chosen[0], chosen[1]
    called = {labels[run.id]: run for run in chosen}
    left, right = st.columns(2)
    first = left.selectbox("A", list(called), key="a", bind="query-params")
    second = right.selectbox("B", [name for name in called if name != first], key="b", bind="query-params")
    return called[first], called[second]


def show_confusions(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    share = ui.choice("Colour by share of", SHARES, key="share")
    matrices = {run.id: confusion(run, kind) for run in chosen}
    values = evaluation.values_of(chosen[0].part("test"), kind)
    top = max(int(matrix.max()) for matrix in matrices.values())
    table, behind, words = beside(chosen, kind=kind), [], []
    st.caption("Click a cell (on a phone, tap it twice) to get its clips below, and to hear them.")
    for place in range(0, len(chosen), 2):
        for column, run in zip(st.columns(2, gap="medium"), chosen[place : place + 2], strict=False):
            with column:
                title = f"What {labels[run.id]} names"
                drawn = figures.confusion(matrices[run.id], kind, title, share=share, top=top, values=values)
                for truth, named in ui.chart(drawn, key=f"confusion-{run.id}-{kind}-{share}", clickable=True):
                    behind.append(table[(table["truth"] == truth) & (table[run.id] == named)])
                    words.append(f"{title_of(truth)}, named {title_of(named)} by {labels[run.id]}")
    if behind:
        show_clips(pd.concat(behind).drop_duplicates("clip"), "; ".join(words), labels)
    st.subheader("The difference of two")
    first, second = two_of(chosen, labels)
    names = [labels[first.id], labels[second.id]]
    drawn = figures.difference(matrices[first.id], matrices[second.id], kind, names, values=values)
    left, _ = st.columns(2, gap="medium")
    with left:
        picked = ui.chart(drawn, key=f"difference-{first.id}-{second.id}-{kind}", clickable=True)
    if picked:
        (truth, named), *_ = picked
        is_in = (table["truth"] == truth) & ((table[first.id] == named) != (table[second.id] == named))
        words = f"{title_of(truth)}, named {title_of(named)} by one alone"
        show_clips(table[is_in], words, labels, key="difference")


def show_clips(rows: pd.DataFrame, words: str, labels: dict[str, str], key: str = "cell") -> None:
    """Clips with what each run named; the ticked one is heard."""
    st.subheader(f"{count_of(len(rows))}: {words}" if words else count_of(len(rows)))
    if rows.empty:
        st.caption("There is none.")
        return
    rows = rows.sort_values("clip")
    shown = figures.clip_table(rows, labels, cached.clips())
    here = st.container()
    event = st.dataframe(
        shown,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 + 35 * len(shown), 300),
        key=f"clips-{key}-{pd.util.hash_pandas_object(rows['clip']).sum()}",  # of other clips no row is chosen yet
        column_config={
            "truth": "it is",
            **{name: TextColumn(f"{name} says") for name in shown if name in labels.values()},
            "statement": NumberColumn("sentence", width="small"),
        },
    )
    picked = event.selection.rows or [0] * (len(rows) == 1)
    with here:
        if not picked:
            st.caption("Tick a row to hear the clip, and to ask a model about it.")
            return
        stem = rows["clip"].iloc[picked[0]]
        clip_card(stem, cached.audible().file(stem))


def show_values(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    is_ravdess = ravdess.NAME in set(chosen[0].part("test")["corpus"])
    titles = {"class": "class"} | {name: corpus.TITLES[name] for name in PROPERTIES + OF_RAVDESS * is_ravdess}
    if not all(run.has_classes for run in chosen):  # genders are not known
        titles = {"emotion": titles["emotion"]}
    prop = st.selectbox("By", **ui.options(titles, "by"))
    tables = {labels[run.id]: by_property(run, prop, kind) for run in chosen}
    ui.chart(figures.by_value(tables, prop), key=f"by-{prop}")
    with st.expander("The numbers, gaps with intervals over speakers, and precision, recall and F1"):
        st.caption(
            "A gap is the mean accuracy of speakers on clips of a value less that on all others, with its 95% "
            "interval over speakers: where it excludes zero, the gap is more than chance."
        )
        for run in chosen:
            st.markdown(f"**{labels[run.id]}**")
            st.dataframe(tables[labels[run.id]].round(3), hide_index=True)
            st.dataframe(gaps(run, prop, kind).round(3), hide_index=True)
            st.dataframe(evaluation.report(run.part("test"), kind).round(3))


def show_right(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    first, second = two_of(chosen, labels)
    one, other = labels[first.id], labels[second.id]
    table = beside([first, second], kind=kind)
    right = {run.id: table[run.id] == table["truth"] for run in (first, second)}
    masks = {
        "first": right[first.id] & ~right[second.id],
        "second": right[second.id] & ~right[first.id],
        "neither": ~right[first.id] & ~right[second.id],
    }
    left, side = st.columns([3, 2], gap="medium")
    with left:
        drawn = figures.who_is_right(gained(first, second, kind=kind), (one, other))
        picked = ui.chart(drawn, key=f"right-{first.id}-{second.id}-{kind}", clickable=True)
    with side:
        words = {
            "first": f"{one} right, {other} wrong",
            "second": f"{other} right, {one} wrong",
            "neither": "both wrong",
        }
        st.caption("Click a bar to get its clips, or choose:")
        which = st.radio("Clips", list(words), format_func=words.get, key="which") if not picked else picked[0][0]
        rows, said = table[masks[which]], words[which]
        if picked:
            rows = rows[rows["truth"] == picked[0][1]]
            said += f", {title_of(picked[0][1])}"
        show_clips(rows, said, labels, key="right")


def show_votes(found: list[Run], chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    votes = {labels[run.id]: run for run in found if vote_gains.members(run, found)}
    if not votes:
        st.info("Under this protocol there is no vote whose members were run alone.", icon=":material/how_to_vote:")
        return
    asked = next((labels[run.id] for run in chosen if labels[run.id] in votes), next(iter(votes)))
    name = st.selectbox("Vote", list(votes), index=list(votes).index(asked), key="vote", bind="query-params")
    vote = votes[name]
    of = vote_gains.members(vote, found)
    if found_so := story(vote, of):
        so = sum(is_so for is_so, _ in found_so)
        with st.container(border=True):
            st.markdown(
                "**The study says** that in this vote the perceptron (mlp) mends what XGBoost (xgb) makes of fearful "
                "women and sad men, and XGBoost what the perceptron makes of sad women. "
                f"**Here that holds in {so} of {len(found_so)}:**"
            )
            st.markdown("\n".join(f"- {said}" for _, said in found_so))
            st.caption(
                "So it is: the vote and the other member name more of these clips right than the member alone. With "
                "about 40 clips of a class, a difference of a few may be chance."
            )
    tables = {labels[run.id]: gained(vote, run, kind=kind) for run in of.values()}
    for run in of.values():
        of_pair = pair(vote, run, kind=kind)
        said = differences.verdict(of_pair, name, labels[run.id])
        more = vote_gains.in_words(tables[labels[run.id]], name, labels[run.id], of_pair.test)
        st.markdown(f"**{ui.as_text(said)}.** {ui.as_text(more)}")
    ui.chart(figures.gained(tables, name), key=f"gained-{vote.id}-{kind}")


def show_sure(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    tables = {labels[run.id]: calibration(run, kind) for run in chosen}
    errors = {name: evaluation.ece(table) for name, table in tables.items()}
    ui.chart(figures.reliability(tables, errors), key="reliability")
    st.caption(
        "Each dot is a tenth of the scale: clips of which a run claimed to be so sure. **Expected calibration error "
        "(ECE)** is the mean distance of the dots from the dotted line, weighed by their clips: 0 is perfect."
    )
    with st.expander("The numbers"):
        for name, table in tables.items():
            st.markdown(f"**{name}**, ECE {errors[name]:.3f}")
            st.dataframe(table.round(3), hide_index=True)


def speakers_of(chosen: list[Run]) -> str:
    """What the speakers of the runs' clips are called."""
    return ravdess.speakers_called(set().union(*(run.part("test")["corpus"] for run in chosen)))


def name_of(chosen: list[Run], view: str) -> str:
    """A view's name, in which the speakers of other corpora than RAVDESS are called speakers."""
    return "Speaker by speaker" if view == ACTORS and speakers_of(chosen) == "speakers" else view


def show_actors(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    tables = {labels[run.id]: by_property(run, "speaker", kind) for run in chosen}
    everybody = pd.concat(run.part("test")[["speaker", "gender"]] for run in chosen)
    genders = dict(everybody.itertuples(index=False))
    ui.chart(figures.speakers(tables, genders, called=speakers_of(chosen)), key="actors")
    with st.expander("The numbers"):
        for name, table in tables.items():
            st.markdown(f"**{name}**")
            st.dataframe(table.assign(value=figures.numbered(table["value"])).round(3), hide_index=True)


def show_heart(chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    table = comparison.as_table(rows_of(chosen, kind, labels), {})
    table = table.set_index("run").loc[[run.id for run in chosen]].reset_index()
    if table["train_accuracy"].isna().all():
        st.info(
            "Under this protocol every clip is tested once, by a model of the others, and no run keeps what it said of "
            "the clips that it learned from. Choose the study's split to see that.",
            icon=":material/school:",
        )
        return
    ui.chart(figures.gap(table), key="gap")
    st.caption(
        "A model that names all its training clips right is no better for it: what counts are clips that it has not "
        f"heard. And both parts are spoken by the same {speakers_of(chosen)}: see *Emotion or voice?*"
    )


def show_side_by_side(found: list[Run], chosen: list[Run], kind: str, labels: dict[str, str]) -> None:
    options = {
        "default": CONFUSE,
        "format_func": partial(name_of, chosen),
        "required": True,
        "bind": "query-params",
        "wrap": True,
    }
    view = st.pills("Show", VIEWS, key="view", **options) or CONFUSE
    {
        CONFUSE: show_confusions,
        BY_VALUE: show_values,
        RIGHT: show_right,
        VOTES: partial(show_votes, found),
        SURE: show_sure,
        ACTORS: show_actors,
        HEART: show_heart,
    }[view](chosen, kind, labels)


ui.require_router()
st.title("Which model is better, and is that sure?")
groups = comparison.same_test(cached.all_runs())
test, kind = choose_test(groups)
found = comparison.scorable(groups[test], kind)
labels = run_titles.titles(found, protocol=False)
verdicts_here = st.container()
table = show_table(found, test, kind, labels)
with verdicts_here:
    chosen = choose_runs(found, labels, table)
    if len(chosen) > 1:
        show_verdicts(chosen, kind, labels)
if len(chosen) < 2:
    st.info("Choose two runs or more above, and see where they differ.", icon=":material/compare_arrows:")
    st.stop()
st.header("Side by side")
ui.section(show_side_by_side, found, chosen, kind, labels)

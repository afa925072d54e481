"""A run's result: its scores with intervals, training beside test, and the classification report."""

import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import evaluation, files
from ser_core.audio import conditions
from ser_core.corpus.labels import title_of
from ser_core.evaluation import protocols
from ser_core.figures import comparison as figures
from ser_core.results import comparison, run_titles
from ser_core.results.runs import Run
from ser_core.ui import cached, chart, choice, download
from ser_core.ui.cached import kept

KINDS = {"class": "Emotion and gender", "emotion": "Emotion alone"}


@kept
def intervals(run: Run) -> dict[str, tuple[float, float]]:
    """`Run.intervals`, computed once."""
    return run.intervals


@kept
def report(run: Run, kind: str):
    """`evaluation.report` of a run's test part."""
    return evaluation.report(run.part("test"), kind).round(3)


def say_scores(run: Run) -> None:
    """What a run is worth, in a sentence or two.

    Parameters
    ----------
    run : Run
    """
    bounds = intervals(run)
    of_emotions = "emotion_accuracy" in bounds
    accuracy = "emotion_accuracy" if of_emotions else "test_accuracy"
    shared = "shared_emotion_uar" in bounds and "shared_emotion_uar" in run.scores
    uar = "shared_emotion_uar" if shared else "emotion_uar" if of_emotions else "uar"
    of_uar = bounds.get(uar, bounds.get("shared_emotion_uar"))  # which is that of all emotions where all are tested
    protocol, test = protocols.get(run.protocol), run.part("test")
    what = f"{len(test):,} test clips are named right"
    if protocol.holds_actors_out:
        what = f"{len(test):,} clips of voices never heard get the right emotion"
    heard = f", heard {conditions.in_words(run.heard)}" if run.heard else ""
    over = "over speakers " if protocol.holds_actors_out else ""
    words = f"**{run.scores[accuracy]:.3f} of {what}{heard}** (95% interval {over}{_to(bounds[accuracy])})"
    words += f", UAR {run.scores[uar]:.3f}"
    words += f" ({_to(of_uar)})." if of_uar else "."
    folds = run.folds
    for part, name in (("test", "Fold by fold"), ("cv", "Five folds of the training clips")):
        key = "accuracy" if part == "cv" or not of_emotions else "emotion_accuracy"
        if part in folds and key in folds[part]["mean"]:
            words += f" {name}: {folds[part]['mean'][key]:.3f} ± {folds[part]['deviation'][key]:.3f}."
    if original := comparison.original_of(run, cached.shipped_runs()):
        words += f" The study had {original.test_accuracy:.2f}."
    words += "" if protocol.holds_actors_out else " The speakers are the same on both sides: new voices are harder."
    st.success(words, icon=":material/flag:")


def _to(bounds: tuple[float, float]) -> str:
    return "{:.3f} to {:.3f}".format(*bounds)


def show_evidence(run: Run, trained: Run) -> None:
    """The confusion matrices of training and test side by side, and the classification report.

    Parameters
    ----------
    run : Run
    trained : Run
        The same run with the test clips as recorded, which may be `run` itself.
    """
    test = run.part("test")
    kinds = {kind: KINDS[kind] for kind in evaluation.kinds(test) if kind in KINDS}
    if evaluation.classes(test) == evaluation.values_of(test, "emotion"):  # there are no genders to name
        kinds = {"emotion": KINDS["emotion"]}
    kind = next(iter(kinds))
    if len(kinds) > 1:
        first = protocols.get(run.protocol)
        if first.usual_kind == "emotion" or first.holds_actors_out:
            kinds = dict(reversed(kinds.items()))
        kind = choice("What has to be named", kinds, key="kind")
    of_test, of_training = evaluation.confusion(test, kind), trained.training_confusion(kind)
    show_by_heart(of_test, of_training, test["fold"].nunique())
    values = evaluation.values_of(test, kind)
    titles = {"training": "Clips that it learned from", "test": "Test clips"}
    for column, (part, title) in zip(st.columns(2, gap="medium"), titles.items(), strict=True):
        matrix = of_test if part == "test" else of_training
        if matrix is not None:
            with column:
                chart(figures.confusion(matrix, kind, title, values=values), key=f"confusion-{part}-{kind}")
    table = report(run, kind)
    st.markdown("**Classification report of the test clips**")
    st.dataframe(
        table.rename(index=title_of),
        height=min(38 + 35 * len(table), 350),
        column_config=dict.fromkeys(("precision", "recall", "f1"), NumberColumn(format="%.3f")),
    )
    st.caption(
        "*Precision*: of the clips that it gave this name, the share that have it. *Recall*: of the clips that have "
        "it, the share that got it. *F1* is high only where both are. UAR is the mean recall."
    )
    by_class = table.reset_index(names="class")
    download("Report as CSV", lambda: files.as_csv(by_class), f"report-{run.id}.csv", "text/csv")


def show_by_heart(of_test, of_training, models: int) -> None:
    """What the two matrices say together."""
    if of_training is None:
        st.info(
            "What it names of the clips that it learned from was not kept in this run.",
            icon=":material/visibility_off:",
        )
        return
    right = {name: one.trace() / one.sum() for name, one in (("training", of_training), ("test", of_test))}
    each = f" (each of its {models} models, of its own)" if models > 1 else ""
    st.markdown(
        f"Of the clips that it **learned from**{each} it names **{right['training']:.3f}** right, of the **test "
        f"clips** **{right['test']:.3f}**. A perfect training matrix beside an imperfect one of the test means that it "
        "has learned its clips by heart: what counts is the test."
    )


def offer_comparison(run: Run) -> None:
    """The link to the page that compares, with the run chosen beside the best of the same test.

    Parameters
    ----------
    run : Run
    """
    groups = comparison.same_test(cached.all_runs())
    test = next((name for name, found in groups.items() if run.id in {one.id for one in found}), None)
    if test is None:
        return
    kind = comparison.usual_kind(test)
    found = comparison.scorable(groups[test], kind)
    labels = run_titles.titles(found, protocol=False)
    score = "emotion_accuracy" if kind == "emotion" else "test_accuracy"
    others = [one for one in found if one.id != run.id and score in one.scores]
    if run.id not in labels or not others:
        return
    best = max(others, key=lambda one: one.scores[score])
    st.page_link(
        "pages/compare.py",
        label=f"Compare it with {labels[best.id]} and others",
        icon=":material/compare_arrows:",
        query_params={
            "protocol": comparison.title_of_test(test, groups[test]),
            "runs": [labels[run.id], labels[best.id]],
        },
    )

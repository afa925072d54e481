"""What this is, how to try it, and what the study found; then the study done again, model by model."""

import pandas as pd
import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn

from ser_core import ui
from ser_core.figures import generalization as voices
from ser_core.figures import scores
from ser_core.models import registry
from ser_core.results import comparison, generalization
from ser_core.results.comparison import SEES_AS_THE_ORIGINAL
from ser_core.results.published import HUMAN_ACCURACY, ORIGINAL, ORIGINAL_AUTHORS, ORIGINAL_TEST_CLIPS
from ser_core.ui import cached

FEW = {"v4": "The study's best", "best": "Our best, known voices", "v_robust": "Our best, new voices"}


def known_and_new() -> pd.DataFrame:
    shipped = [run for run in cached.shipped_runs() if run.recipe.preset == "default"]
    return cached.kept(generalization.known_and_new)(shipped, tuple(FEW))


def show_lead(right: dict[tuple[str, str], float]) -> None:
    found = ""
    if ("best", "new") in right and ("v_robust", "new") in right:
        found = (
            f" **Of voices that it knows, our best model names {right['best', 'known']:.0%} right; of voices that it "
            f"has never heard, {right['best', 'new']:.0%}.** The one that answers here does better with new voices: "
            f"**{right['v_robust', 'new']:.0%}**. People who only listen name {HUMAN_ACCURACY:.0%} right."
        )
    st.markdown(
        "A group of students taught themselves speech emotion recognition on recordings of 24 actors. Here their study "
        f"runs again, and every model, number and picture of it can be rerun, looked at and heard.{found}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Try your own voice", type="primary", icon=":material/mic:"):
            st.switch_page("pages/predict.py")
        if st.button("Take the lesson: eight steps", icon=":material/school:"):
            st.switch_page("pages/lesson.py")


def show_findings(right: dict[tuple[str, str], float]) -> None:
    held_out = ""
    if ("v4", "new") in right:
        held_out = (
            " When actors are held out (speech, EmoBox's six folds of actors), their best vote names "
            f"{right['v4', 'new']:.0%} of the eight emotions right."
        )
    st.markdown(
        f"""
- **A small network beats the large ones.** The multilayer perceptron named {ORIGINAL["mlp"].test_accuracy:.0%} of the
  16 classes right; the convolutional network {ORIGINAL["cnn"].test_accuracy:.0%} and VGG16 on pictures of sound
  {ORIGINAL["vgg16"].test_accuracy:.0%}.
- **Votes help a little.** Perceptron and XGBoost together reached {ORIGINAL["v4"].test_accuracy:.0%}, which on
  {ORIGINAL_TEST_CLIPS} clips cannot be told from the perceptron alone.
- **Most of it is knowing the voices.** The split is random, so the same actor says the same sentence on both
  sides.{held_out}
"""
    )


def show_every_model() -> None:
    as_the_original = [
        run
        for run in cached.shipped_runs()
        if run.recipe.preset == SEES_AS_THE_ORIGINAL.get(run.recipe.model, "default")
    ]
    ours = cached.kept(comparison.table, show_spinner="Comparing the runs")(as_the_original)
    votes = ours[ours["family"] == "ensemble"]
    best = votes.loc[votes["cv_accuracy"].idxmax()]
    ui.chart(scores.original_and_ours(ours), key="original-and-ours")
    st.caption(
        f"Of the votes, *{best['name']}* was picked by five-fold cross-validation on the training clips "
        f"({best['cv_accuracy']:.1%}, a little flattered, since many settings were tried on the same folds), not by "
        f"its test score. With {best['test_clips']} clips, two models that differ by one point cannot be told apart: "
        "look at how far the intervals overlap. The settings are ours, chosen on the training clips; the authors' own "
        "are the preset `study` (`python -m ser_core run mlp --preset study`)."
    )
    with st.expander("The numbers behind the chart"):
        columns = {
            "name": TextColumn("model", pinned=True),
            "about": TextColumn("what it is", width="medium"),
            "original_cv_accuracy": NumberColumn("original CV5", format="percent"),
            "cv_accuracy": NumberColumn("CV5", format="percent", help="Mean of 5 folds of train"),
            "original_test_accuracy": NumberColumn("original test", format="percent"),
            "test_accuracy": NumberColumn("test", format="percent"),
            "test_low": NumberColumn("95% from", format="percent"),
            "test_high": NumberColumn("to", format="percent"),
            "uar": NumberColumn("UAR", format="percent", help="Mean recall of the classes"),
            "macro_f1": NumberColumn("macro F1", format="percent"),
            "train_accuracy": NumberColumn("train", format="percent"),
            "seconds": NumberColumn("run (s)", format="%.1f", help="Six fits and all predictions"),
        }
        table = ours.assign(about=[registry.get(key).about for key in ours["model"]])
        st.dataframe(table[list(columns)], hide_index=True, column_config=columns)


ui.require_router()
few = known_and_new()
right = few.set_index(["model", "voices"])["accuracy"].to_dict()
st.title("Can a computer hear how someone feels?")
show_lead(right)
ui.name_model("best")
ui.name_unreadable(cached.unreadable_runs())
if len(few):
    ui.chart(voices.known_and_new(few.assign(name=few["model"].map(FEW)), HUMAN_ACCURACY), key="known-and-new")

st.header("What the study did")
for column, title, text in zip(
    st.columns(4),
    ("1. Recordings", "2. Features", "3. Models", "4. Test"),
    (
        "RAVDESS: 24 actors speak or sing two sentences in eight emotions. Emotion and the voice's gender together "
        "make 16 classes.",
        "Each clip becomes 180 numbers: averages over time of its timbre (40 MFCC), its notes (12 chroma) and its "
        "energy by pitch (128 mel bands).",
        "Trees, forests, neighbours, a small neural network, and votes among them learn from 1,961 clips.",
        "The other 491 clips, picked at random, are named by each model. Accuracy is the share it names right.",
    ),
    strict=True,
):
    with column.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.markdown(text)

st.header("What it found, and what that is worth")
show_findings(right)
st.caption(f"The study: {ORIGINAL_AUTHORS}. People: as quoted by Luna-Jimenez et al. 2022, Table 1.")

st.header("Every model of the study, done again")
if st.toggle("Show them", key="models", bind="query-params"):
    with ui.part():
        show_every_model()

st.header("Where to go")
PLACES = (
    ("dataset", "Recordings", "library_music", "What is in RAVDESS: count, filter, click, listen."),
    ("sound", "See a sound", "graphic_eq", "One clip or two, in eight views: how does angry differ from calm?"),
    ("features", "Features", "scatter_plot", "All clips on a map: do the numbers know the emotion, or the voice?"),
    ("predict", "Hear an emotion", "hearing", "Upload or record a voice: which emotion does the model hear?"),
    ("ears", "Ears against the model", "headphones", "Ten clips: who hears more, you or the model?"),
    ("run", "Run a model", "play_circle", "Any model on any features: fitted, tested, and looked at."),
    ("tune", "Tune a model", "tune", "Look for better parameters, live, and see what matters and what does not."),
    ("train", "Train a network", "network_node", "Watch a network learn, and learn by heart."),
    ("compare", "Compare", "compare_arrows", "Models side by side: which is better, is that sure, and where?"),
    ("honest", "Emotion or voice?", "balance", "What is left when a model has never heard the voice?"),
    ("lesson", "Lesson", "school", "The study in eight steps, with something to do in each."),
    ("glossary", "Words", "menu_book", "Every word of the field, with its sentence."),
    ("teach", "Teach", "cast_for_education", "A class hears the same clips, and sees how it did beside the model."),
    ("join", "Join a class", "group", "With the code on your teacher's screen: listen, and answer."),
    ("jobs", "Long work", "pending_actions", "Tuning, trainings and downloads: what runs, what waits, what is done."),
)
tiles = [tile for _ in range(0, len(PLACES), 4) for tile in st.columns(4)]
for column, (file, label, icon, text) in zip(tiles, PLACES, strict=False):
    with column.container(border=True, height="stretch"):
        st.page_link(f"pages/{file}.py", label=f"**{label}**", icon=f":material/{icon}:")
        st.markdown(text)

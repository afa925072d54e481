"""What the study did and found, and how it comes out when it is done again."""

import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn

from ser_core import ui
from ser_core.figures import scores
from ser_core.models import registry
from ser_core.results import comparison, runs
from ser_core.results.comparison import SEES_AS_THE_ORIGINAL
from ser_core.results.published import HUMAN_ACCURACY, ORIGINAL, ORIGINAL_AUTHORS, ORIGINAL_TEST_CLIPS
from ser_core.ui import cached

ui.require_router()
shipped = [run for run in cached.shipped_runs() if run.recipe.preset == "default"]
as_the_original = [
    run for run in cached.shipped_runs() if run.recipe.preset == SEES_AS_THE_ORIGINAL.get(run.recipe.model, "default")
]
ours = cached.kept(comparison.table, show_spinner="Comparing the runs")(as_the_original)
votes = ours[ours["family"] == "ensemble"]
best = votes.loc[votes["cv_accuracy"].idxmax()]
unheard = runs.find(shipped, model=best["model"], protocol="emobox")
_, low, high = unheard.accuracy_interval("emotion")
theirs = runs.find(shipped, model="v4", protocol="emobox")  # the study's best model

st.title("Can a computer hear how someone feels?")
st.markdown(
    "A group of students taught themselves speech emotion recognition on 2,452 recordings of 24 actors. "
    f"Their best model named the emotion and the voice's gender of **{ORIGINAL['v4'].test_accuracy:.0%}** of the test "
    f"clips. Done again here, on the same clips and the same split but with settings of our own, our best reaches "
    f"**{best['test_accuracy']:.0%}**. "
    "**Of voices that they have never heard, theirs names the right one of eight emotions in "
    f"{theirs.scores['emotion_accuracy']:.0%} of clips, ours in {unheard.scores['emotion_accuracy']:.0%}**, and these "
    "pages say why."
)
if st.button("Try it yourself", type="primary", icon=":material/hearing:"):
    st.switch_page("pages/predict.py")

ui.chart(scores.original_and_ours(ours), key="original-and-ours")
st.caption(
    f"Of the votes, *{best['name']}* was picked by five-fold cross-validation on the training clips "
    f"({best['cv_accuracy']:.3f}, a little flattered, since many settings were tried on the same folds), not by its "
    f"test score. With {best['test_clips']} clips, two models that differ by 0.01 cannot be told apart: look at how "
    "far the intervals overlap. The settings are ours, chosen on the training clips; the authors' own are the preset "
    "`study` (`python -m ser_core run mlp --preset study`)."
)
with st.expander("The numbers behind the chart"):
    columns = {
        "name": TextColumn("model", pinned=True),
        "about": TextColumn("what it is", width="medium"),
        "original_cv_accuracy": NumberColumn("original CV5", format="%.3f"),
        "cv_accuracy": NumberColumn("CV5", format="%.3f", help="Mean of 5 folds of train"),
        "original_test_accuracy": NumberColumn("original test", format="%.2f"),
        "test_accuracy": NumberColumn("test", format="%.3f"),
        "test_low": NumberColumn("95 % from", format="%.3f"),
        "test_high": NumberColumn("to", format="%.3f"),
        "uar": NumberColumn("UAR", format="%.3f", help="Mean recall of the classes"),
        "macro_f1": NumberColumn("macro F1", format="%.3f"),
        "train_accuracy": NumberColumn("train", format="%.3f"),
        "seconds": NumberColumn("run (s)", format="%.1f", help="Six fits and all predictions"),
    }
    table = ours.assign(about=[registry.get(key).about for key in ours["model"]])
    st.dataframe(table[list(columns)], hide_index=True, column_config=columns)

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
st.markdown(
    f"""
- **A small network beats the large ones.** The multilayer perceptron reached {ORIGINAL["mlp"].test_accuracy:.2f}; the
  convolutional network {ORIGINAL["cnn"].test_accuracy:.2f} and VGG16 on pictures of sound
  {ORIGINAL["vgg16"].test_accuracy:.2f}.
- **Votes help a little.** Perceptron and XGBoost together reached {ORIGINAL["v4"].test_accuracy:.2f}, which on
  {ORIGINAL_TEST_CLIPS} clips cannot be told from the perceptron alone.
- **Most of it is knowing the voices.** The split is random, so the same actor says the same sentence on both sides.
  When each actor is held out in turn (speech, EmoBox's six folds of actors), their best vote names
  {theirs.scores["emotion_accuracy"]:.2f} of the eight emotions right. Ours, which looks at more of the sound than its
  averages, names {unheard.scores["emotion_accuracy"]:.2f} (95 % interval over actors {low:.2f} to {high:.2f}) and
  claims to be {unheard.scores["emotion_claimed"]:.2f} sure. People who only listen name {HUMAN_ACCURACY:.2f}.
"""
)
st.caption(f"The study: {ORIGINAL_AUTHORS}. People: as quoted by Luna-Jimenez et al. 2022, Table 1.")

st.header("Where to go")
for column, (file, label, icon, text) in zip(
    [*st.columns(4), *st.columns(4)],
    (
        ("dataset", "Recordings", "library_music", "What is in RAVDESS: count, filter, click, listen."),
        ("sound", "See a sound", "graphic_eq", "One clip or two, in eight views: how does angry differ from calm?"),
        ("features", "Features", "scatter_plot", "All clips on a map: do the numbers know the emotion, or the voice?"),
        ("tune", "Tune a model", "tune", "Look for better parameters, live, and see what matters and what does not."),
        ("train", "Train a network", "network_node", "Watch a network learn, and learn by heart."),
        ("compare", "Compare", "compare_arrows", "Models side by side: which is better, is that sure, and where?"),
        ("honest", "Emotion or voice?", "balance", "What is left when a model has never heard the voice?"),
        ("predict", "Hear an emotion", "hearing", "Upload or record a voice: which emotion does the model hear?"),
    ),
    strict=True,
):
    with column.container(border=True, height="stretch"):
        st.page_link(f"pages/{file}.py", label=f"**{label}**", icon=f":material/{icon}:")
        st.markdown(text)

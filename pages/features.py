"""The 180 features of all clips: maps of them, which tell emotions apart, how they spread, how many they amount to."""

import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import ui
from ser_core.corpus import TITLES
from ser_core.features import exploration, mean180, prosody
from ser_core.figures import features as figures
from ser_core.figures.style import percent
from ser_core.results.published import ORIGINAL_COMPONENTS
from ser_core.ui import cached
from ser_core.ui.clip import clip_card, clip_picture

MAP, SEPARATION, FEATURE, PROFILE, COMPONENTS = VIEWS = (
    "A map of all clips",
    "What separates emotions",
    "One feature",
    "Energy by pitch",
    "How many numbers",
)
CHANNELS = {"Speech and song": None, "Speech": "speech", "Song": "song"}
VOICES = {"All voices": None, "Women": "female", "Men": "male"}
BANDS = {"In decibels, as one hears them": True, "As power, as the models get them": False}
METHODS = {"tsne": "t-SNE: keeps neighbours together", "pca": "PCA: the two widest directions"}
STANDARDS = {"all": "over all clips", "speaker": "within each actor"}


# Each is asked of one of nine selections, so everything is computed once for all who visit.


def select(channel: str | None, gender: str | None):
    clips = cached.clips()
    if channel:
        clips = clips[clips["channel"] == channel]
    if gender:
        clips = clips[clips["gender"] == gender]
    return clips


@st.cache_data(max_entries=18, show_spinner="Comparing emotions with speakers")
def separation(channel: str | None, gender: str | None, decibels: bool):
    return exploration.separation(select(channel, gender), decibels=decibels)


@st.cache_data(max_entries=10, show_spinner="Finding the components")
def cumulative_variance(channel: str | None, gender: str | None, training_only: bool = False):
    clips = select(channel, gender)
    return exploration.cumulative_variance(clips[clips["part"] == "train"] if training_only else clips)


@st.cache_data(max_entries=18, show_spinner="Looking for neighbours")
def neighbours(channel: str | None, gender: str | None, within: bool):
    return exploration.neighbours(select(channel, gender), within=within)


def show_map(channel, gender) -> None:
    left, middle, right = st.columns(3)
    colour = left.selectbox("Coloured by", **ui.options({name: TITLES[name] for name in figures.MAP_COLOURS}, "colour"))
    of = middle.selectbox(
        "Features standardised",
        **ui.options(STANDARDS, "of"),
        help="Within each actor, every voice has the same mean and spread: what is left is less about who speaks.",
    )
    method = right.selectbox("Map", **ui.options(METHODS, "method"))
    shares = neighbours(channel, gender, of == "speaker")
    if shares["speaker"][0] > shares["emotion"][0]:
        lead = "**Together the numbers tell who speaks better than what is felt.**"
    else:
        lead = "**Without each voice's own mean and spread, the numbers tell more of what is felt.**"
    st.markdown(
        f"{lead} Of a clip's ten nearest neighbours, "
        + ", ".join(
            f"{percent(share)} are of the same {TITLES[name]} (by chance {percent(chance)})"
            for name, (share, chance) in shares.items()
            if not (name == "gender" and gender)
        )
        + "."
    )
    chart, clip = st.columns([3, 2], gap="medium")
    with chart:
        picked = ui.chart(
            figures.clip_map(select(channel, gender), method, of, colour),
            key=f"map-{method}-{of}-{colour}-{channel}-{gender}",
            clickable=True,
        )
    with clip:
        if picked:
            stem = picked[0][0]
            file = cached.audible().file(stem)
            clip_card(stem, file)
            clip_picture(stem, file)
        else:
            st.info(
                "Click a dot (on a phone, tap it twice) to hear its clip and see it here.", icon=":material/ads_click:"
            )
        st.caption(
            "The maps are made once, of all 2,452 clips, from the components that hold 95 % of the variance: channel "
            "and voices only show and hide, while neighbours are looked for among the clips shown. They describe the "
            "clips and train no model."
        )


def show_separation(channel, gender) -> None:
    shouts = "The study gives its models the power, of which a few shouts hold most of the variance."
    bands = ui.choice("Mel bands", {name: name for name in BANDS}, key="bands", help=shouts)
    shares = separation(channel, gender, BANDS[bands])
    st.markdown(
        "Feature by feature: is it the emotion that moves it, or the speaker? Taken together they give "
        "the speaker away: see the map."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        ui.chart(figures.emotion_or_speaker(shares), key="emotion-or-speaker")
    with right:
        ui.chart(figures.separating(shares), key="separating")
    with st.expander("How it is measured, and all 180 features"):
        st.markdown(
            "One-way analysis of variance (ANOVA) of each feature. A share of 30 % says that knowing the group, an "
            "emotion or an actor, leaves 30 % less variance to explain (eta squared). *Within actors* takes each "
            "actor's own mean away first; F is the ratio of the variance between emotions to that inside them."
        )
        percents = {
            name: NumberColumn(words, format="percent")
            for name, words in (
                ("speaker", "by actor"),
                ("emotion", "by emotion"),
                ("within", "by emotion within actors"),
            )
        }
        st.dataframe(
            shares.rename_axis("feature"),
            column_config=percents | {"f": NumberColumn("F within actors", format="%.1f")},
        )


def show_feature(channel, gender) -> None:
    names = [*prosody.NAMES, *mean180.NAMES]
    titles = {name: f"{figures.title(name)[0].upper()}{figures.title(name)[1:]}" for name in names}
    feature = st.selectbox("Feature", index=names.index("mfcc_01"), **ui.options(titles, "feature"))
    ui.chart(figures.distribution(select(channel, gender), feature), key="distribution")
    st.markdown(figures.ABOUT[figures.family(feature)])


def show_profile(channel, gender) -> None:
    ui.chart(figures.mel_profiles(exploration.mel_profiles(select(channel, gender))), key="profile")
    st.markdown(figures.ABOUT["mel"])


def show_components(channel, gender) -> None:
    kept = exploration.components_kept(cumulative_variance(None, None, training_only=True))
    others = {
        "the study found, on its 1,961 training clips": ORIGINAL_COMPONENTS,
        "here, on the same training clips": kept,
    }
    ui.chart(figures.cumulative_variance(cumulative_variance(channel, gender), others), key="components")
    st.markdown(
        "Principal component analysis (PCA) turns the 180 features into as many new numbers that do not repeat each "
        "other, the most telling first. Features are standardised before: each has mean 0 and deviation 1, so that "
        "none counts for more because its numbers are larger. The study fed those components to its "
        "convolutional network."
    )


ui.require_router()
st.title("The features of all clips")
st.markdown(
    "Each clip is 180 numbers: the averages over time of 40 MFCC (timbre), 12 chroma (notes) and 128 mel bands "
    "(energy by pitch). Do they tell what is felt, or who speaks?"
)
view = st.pills("Show", VIEWS, default=MAP, required=True, key="view", bind="query-params", wrap=True) or MAP
with st.container(horizontal=True):
    channel = ui.choice("Channel", {name: name for name in CHANNELS}, key="channel")
    voices = ui.choice("Voices", {name: name for name in VOICES}, key="voices")
{
    MAP: show_map,
    SEPARATION: show_separation,
    FEATURE: show_feature,
    PROFILE: show_profile,
    COMPONENTS: show_components,
}[view](CHANNELS[channel], VOICES[voices])

"""The features of all clips: maps of them, which tell emotions apart, how they spread, how many they amount to."""

import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import ui
from ser_core.features import exploration, functionals, mean180, prosody, tables
from ser_core.figures import features as figures
from ser_core.figures.style import percent
from ser_core.results.published import ORIGINAL_COMPONENTS
from ser_core.ui import cached, corpora
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
OF_180 = (
    "180 numbers: the averages over time of 40 MFCC (timbre), 12 chroma (notes) and 128 mel bands (energy by pitch)"
)
OF_FUNCTIONALS = (
    f"{len(functionals.NAMES):,} numbers, the functionals: averages, spreads, extremes and changes over time of "
    "timbre, energy, pitch and voice quality"
)
SET_BEFORE = "features-before"  # in the session: the set that was chosen last
QUICK = 1_000  # clips of which t-SNE takes a few seconds, and is the first map that one sees
METHODS = {"tsne": "t-SNE: keeps neighbours together", "pca": "PCA: the two widest directions"}


# Each is asked of one of nine selections of a table, so everything is computed once for all who visit.


def select(channel: str | None, gender: str | None, clips=None):
    clips = table if clips is None else clips
    if channel:
        clips = clips[clips["channel"] == channel]
    if gender:
        clips = clips[clips["gender"] == gender]
    return clips


@st.cache_data(max_entries=36, show_spinner="Comparing emotions with speakers")
def separation(stamp: str, channel: str | None, gender: str | None, decibels: bool):
    return exploration.separation(select(channel, gender), names, decibels=decibels)


@st.cache_data(max_entries=20, show_spinner="Finding the components")
def cumulative_variance(stamp: str, channel: str | None, gender: str | None, training_only: bool = False):
    clips = select(channel, gender)
    return exploration.cumulative_variance(clips[clips["part"] == "train"] if training_only else clips, names)


@st.cache_data(max_entries=36, show_spinner="Looking for neighbours")
def neighbours(stamp: str, channel: str | None, gender: str | None, within: bool):
    return exploration.neighbours(select(channel, gender), names, within=within)


@st.cache_resource(max_entries=8, show_spinner="Drawing the map, which takes up to half a minute")
def placed(stamp: str, method: str, of: str):
    return exploration.placed(table, names, method, of)


def show_map(channel, gender) -> None:
    left, middle, right = st.columns(3)
    titles = {name: words.titles[name] for name in figures.colours_offered(table)}
    colour = left.selectbox("Coloured by", **ui.options(titles, "colour"))
    of = middle.selectbox(
        "Features standardised",
        **ui.options({"all": "over all clips", "speaker": f"within each {who}"}, "of"),
        help=f"Within each {who}, every voice has the same mean and spread: what is left is less about who speaks.",
    )
    ships = shown.is_ravdess and is_mean180  # with the table, for all clips
    is_quick = ships or len(table) <= QUICK
    methods = METHODS if is_quick else dict(reversed(METHODS.items()))
    method = right.selectbox("Map", **ui.options(methods, "method"))
    clips = select(channel, gender)
    if len(clips) < 3:
        st.info("A map takes three clips or more: filter less.", icon=":material/filter_alt_off:")
        return
    shares = neighbours(stamp, channel, gender, of == "speaker")
    if shares["speaker"][1] == 1:
        lead = ""  # of one speaker alone
    elif shares["speaker"][0] > shares["emotion"][0]:
        lead = "**Together the numbers tell who speaks better than what is felt.**"
    elif of == "speaker":
        lead = "**Without each voice's own mean and spread, the numbers tell more of what is felt.**"
    else:
        lead = "**Together the numbers tell what is felt better than who speaks.**"
    said = [
        f"{percent(share)} are of the same {words.titles[name]} (by chance {percent(chance)})"
        for name, (share, chance) in shares.items()
        if chance < 1 and name in words.titles
    ]
    st.markdown(f"{lead} Of a clip's ten nearest neighbours, {', '.join(said)}.")
    drawn = clips if ships else select(channel, gender, placed(stamp, method, of))
    chart, clip = st.columns([3, 2], gap="medium")
    with chart:
        picked = ui.chart(
            figures.clip_map(drawn, method, of, colour),
            key=f"map-{shown.name}-{len(names)}-{method}-{of}-{colour}-{channel}-{gender}",
            clickable=True,
        )
    with clip:
        if picked:
            stem = picked[0][0]
            file = shown.file(stem)
            clip_card(stem, file, of=shown)
            clip_picture(stem, file)
        else:
            st.info(
                "Click a dot (on a phone, tap it twice) to hear its clip and see it here.", icon=":material/ads_click:"
            )
        few = f"{len(drawn):,} of the clips are on this map. " if len(drawn) < len(clips) else ""
        st.caption(
            f"{few}The maps are made once, of all {len(table):,} clips, from the components that hold 95% of the "
            "variance: filters only show and hide, while neighbours are looked for among the clips shown. They "
            "describe the clips and train no model."
        )


def show_separation(channel, gender) -> None:
    shouts = "The study gives its models the power, of which a few shouts hold most of the variance."
    is_in_decibels = False
    if is_mean180:
        is_in_decibels = BANDS[ui.choice("Mel bands", {name: name for name in BANDS}, key="bands", help=shouts)]
    shares = separation(stamp, channel, gender, is_in_decibels)
    st.markdown(
        "Feature by feature: is it the emotion that moves it, or the speaker? Taken together they give "
        "the speaker away: see the map."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        ui.chart(figures.emotion_or_speaker(shares, words), key="emotion-or-speaker")
    with right:
        ui.chart(figures.separating(shares, words=words), key="separating")
    with st.expander(f"How it is measured, and all {len(names):,} features"):
        st.markdown(
            "One-way analysis of variance (ANOVA) of each feature. A share of 30% says that knowing the group, an "
            f"emotion or a speaker, leaves 30% less variance to explain (eta squared). *Within {who}s* takes each "
            f"{who}'s own mean away first; F is the ratio of the variance between emotions to that inside them."
        )
        percents = {
            name: NumberColumn(words, format="percent")
            for name, words in (
                ("speaker", f"by {who}"),
                ("emotion", "by emotion"),
                ("within", f"by emotion within {who}s"),
            )
        }
        st.dataframe(
            shares.rename_axis("feature"),
            column_config=percents | {"f": NumberColumn(f"F within {who}s", format="%.1f")},
        )


def show_feature(channel, gender) -> None:
    offered = [*(name for name in prosody.NAMES if name in table), *names]
    titles = {name: f"{figures.title(name)[0].upper()}{figures.title(name)[1:]}" for name in offered}
    first = offered.index("mfcc_01") if is_mean180 else 0
    feature = st.selectbox("Feature", index=first, **ui.options(titles, "feature"))
    ui.chart(figures.distribution(select(channel, gender), feature), key="distribution")
    if about := figures.about(feature):
        st.markdown(about)


def show_profile(channel, gender) -> None:
    ui.chart(figures.mel_profiles(exploration.mel_profiles(select(channel, gender))), key="profile")
    st.markdown(figures.ABOUT["mel"])


def show_components(channel, gender) -> None:
    others = {}
    if shown.is_ravdess and is_mean180:
        kept = exploration.components_kept(cumulative_variance(stamp, None, None, training_only=True))
        others = {
            "the study found, on its 1,961 training clips": ORIGINAL_COMPONENTS,
            "here, on the same training clips": kept,
        }
    cumulative = cumulative_variance(stamp, channel, gender)
    ui.chart(figures.cumulative_variance(cumulative, others, len(names)), key="components")
    st.markdown(
        f"Principal component analysis (PCA) turns the {len(names):,} features into as many new numbers that do not "
        "repeat each other, the most telling first. Features are standardised before: each has mean 0 and deviation "
        "1, so that none counts for more because its numbers are larger. The study fed those components to its "
        "convolutional network."
    )


def read_table() -> tuple:
    """The table of features, their names, and under what their figures are kept; a page without it ends here."""
    if shown.is_ravdess:
        return shown.clips, mean180.NAMES, shown.name
    one = shown.registered
    make = corpora.command(shown)
    if not one.table:
        st.info(f"{ui.as_text(one.name)} has no features yet. This command makes them:", icon=":material/terminal:")
        st.code(make, language=None)
        st.stop()
    found, clips = cached.registered_features(one)
    features = tables.features_of(found)
    st.markdown(f"**{ui.as_text(one.name)}**: {clips:,} clips, {len(features.names):,} features of each.")
    if clips > len(found):
        st.caption(
            f"All on this page is of a sample of {len(found):,} clips, in which each emotion has its share. It is the "
            "same sample each time."
        )
    if one.is_outdated:
        st.warning(f"The index has been changed since these features were extracted. To extract them again: `{make}`")
    return found, features.names, f"{one.name} {one.table.stat().st_mtime_ns}"


def choose_set() -> tuple:
    """As `read_table`, of one of the feature sets of RAVDESS whose tables ship."""
    shipped = {"mean180": "The study's 180", "functionals": f"{len(functionals.NAMES):,} functionals"}
    titles = {key: title for key, title in shipped.items() if ui.settings().shipped_table(key).is_file()}
    ui.begin_with("set", st.session_state.get(SET_BEFORE), titles)
    chosen = ui.choice(
        "Features",
        titles,
        key="set",
        help="The 180 are means over time. Functionals are more: the spread, the median, the extremes and the changes "
        "of timbre (MFCC, PLP), of a filter bank of 40 mel bands, of pitch and of voice quality.",
        **({"default": None} if "set" in st.session_state else {}),
    )
    st.session_state[SET_BEFORE] = chosen
    if chosen == "mean180":
        return table, names, stamp
    found = cached.shipped_features(chosen)
    return found, tables.features_of(found).names, f"{shown.name} {chosen}"


ui.require_router()
st.title("The features of all clips")
shown = corpora.choose()
words = shown.wording
who = words.speaker
if shown.is_ravdess:
    lead = st.empty()
table, names, stamp = read_table()
is_mean180 = tuple(names) == mean180.NAMES
views = VIEWS if is_mean180 else [name for name in VIEWS if name != PROFILE]
view = st.pills("Show", views, default=MAP, required=True, key="view", bind="query-params", wrap=True) or MAP
channel, voices = next(iter(CHANNELS)), next(iter(VOICES))
with st.container(horizontal=True):
    if shown.is_ravdess:
        channel = ui.choice("Channel", {name: name for name in CHANNELS}, key="channel")
        if view != PROFILE:
            table, names, stamp = choose_set()
            is_mean180 = tuple(names) == mean180.NAMES
        lead.markdown(
            f"Each clip is {OF_180 if is_mean180 else OF_FUNCTIONALS}. Do they tell what is felt, or who speaks?"
        )
    if {"female", "male"} <= set(table["gender"]):
        voices = ui.choice("Voices", {name: name for name in VOICES}, key="voices")
{
    MAP: show_map,
    SEPARATION: show_separation,
    FEATURE: show_feature,
    PROFILE: show_profile,
    COMPONENTS: show_components,
}[view](CHANNELS[channel], VOICES[voices])

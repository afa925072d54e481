"""Speaker dependence: the scores of a model from the easiest protocol to the hardest, and why they fall."""

from collections.abc import Iterable

import pandas as pd
from scipy.stats import false_discovery_control

from ser_core import evaluation
from ser_core.audio.conditions import CONDITIONS
from ser_core.corpus.labels import EMOTION_NAMES, emotion_of, emotions_of, languages_in_words
from ser_core.evaluation import protocols
from ser_core.features import tables
from ser_core.models import registry
from ser_core.models.recipe import Recipe
from ser_core.results import comparison, differences, runs
from ser_core.results.published import PUBLISHED
from ser_core.results.runs import HEARD, Run

# From the easiest to the hardest: what the test clips have that the training clips lack.
LADDER = {
    "study": "other clips, drawn at random: same actors, same sentences",
    "repetition": "the other take of each clip: same actors, same sentences",
    "statement": "the other sentence, by the same actors",
    "actors-6": "other actors: nothing of this voice was heard",
    "emobox": "other actors, and speech alone: no song to learn from",
}
RECORDING = "recording"  # the rung of the same clips, heard in recording conditions
SPEAKERS_LISTED = 12
SPEAKER_MODEL = "svm"  # recognises speakers from the same features as emotions


def ladder(found: Iterable[Run], model: str, *, features: str | None = None, kind: str = "class") -> pd.DataFrame:
    """A model's runs from the easiest protocol to the hardest; the newest of each protocol.

    After the protocols of `LADDER` follow other recordings (the mean over all recording conditions that the model was
    tested in, of the clips of the hardest such protocol) and other corpora.

    Parameters
    ----------
    found : iterable of Run
    model : str
    features : str, optional
        Its input features; those of its default preset if left out.
    kind : str
        "class" (16) or "emotion" (8).

    Returns
    -------
    pd.DataFrame
        One row a protocol that has a run: `protocol` (`RECORDING` for other recordings), `heard` (in words), `run` (the
        first of several), `clips`, `accuracy` of 16 classes or, for `kind` "emotion", of eight emotions, with its 95%
        interval `low` to `high`: over clips, or over speakers where they are held out.
    """
    newest, rows = latest(found), []
    what = _what(registry.recipe(model, features=features))
    for protocol, heard in LADDER.items():
        if run := newest.get((protocol, *what)):
            rows.append((protocol, heard, run.id, len(run.part("test")), *run.accuracy_interval(kind)))
    if recorded := _other_recordings(newest, what):
        rows.append(_recordings_row(recorded, kind))
    for run in _on_other_corpora(newest, what):
        if kind in evaluation.kinds(run.part("test")):
            heard = f"another corpus, {run.tested_on['corpus']}: other people, recorded elsewhere"
            rows.append((run.protocol, heard, run.id, len(run.part("test")), *run.accuracy_interval(kind)))
    return pd.DataFrame(rows, columns=["protocol", "heard", "run", "clips", "accuracy", "low", "high"])


def _other_recordings(newest: dict[tuple, Run], what: tuple[str, ...]) -> list[Run]:
    """A recipe's runs in all recording conditions, under the hardest protocol of the ladder that has some."""
    for protocol in reversed(LADDER):
        keys = [(f"{protocol}{HEARD}{condition}", *what) for condition in CONDITIONS]
        if found := [newest[key] for key in keys if key in newest]:
            return found
    return []


def _recordings_row(recorded: list[Run], kind: str) -> tuple:
    protocol = protocols.get(recorded[0].protocol)
    rows = pd.concat(run.part("test") for run in recorded)
    named, truth = evaluation.named_and_true(rows, kind)
    whose = "actors never heard" if protocol.holds_actors_out else "actors it has heard"
    conditions = "1 recording condition" if len(recorded) == 1 else f"{len(recorded)} recording conditions"
    words = f"other recordings of clips by {whose} (`{protocol.name}`): the mean over {conditions}"
    interval = evaluation.mean_interval(named == truth, evaluation.resampled(rows, protocol.interval_over))
    return RECORDING, words, recorded[0].id, rows["clip"].nunique(), evaluation.accuracy(truth, named), *interval


def known_and_new(found: Iterable[Run], models: Iterable[str]) -> pd.DataFrame:
    """How often models name one of eight emotions right: of voices that they know, and of voices never heard.

    Parameters
    ----------
    found : iterable of Run
    models : iterable of str

    Returns
    -------
    pd.DataFrame
        One row a model and kind of voice, for models that have both runs: `model`, `name`, `voices` ("known" or "new"),
        `run`, `clips`, and `accuracy` with its 95% interval `low` to `high`, over speakers where they are held out.
    """
    newest, rows = latest(found), []
    for model in models:
        tests = {"known": ("study", *_what(registry.recipe(model))), "new": ("emobox", *_what(registry.recipe(model)))}
        if all(key in newest for key in tests.values()):
            for voices, key in tests.items():
                run = newest[key]
                about = (model, registry.get(model).name, voices, run.id, len(run.part("test")))
                rows.append((*about, *run.accuracy_interval("emotion")))
    return pd.DataFrame(rows, columns=["model", "name", "voices", "run", "clips", "accuracy", "low", "high"])


def on_other_corpora(found: Iterable[Run], model: str, *, features: str | None = None) -> list[Run]:
    """A model's runs that were trained on the study's clips and tested on another corpus; the newest of each corpus.

    Parameters
    ----------
    found : iterable of Run
    model : str
    features : str, optional
        Its input features; those of its default preset if left out.

    Returns
    -------
    list of Run
    """
    return _on_other_corpora(latest(found), _what(registry.recipe(model, features=features)))


def _on_other_corpora(newest: dict[tuple, Run], what: tuple[str, ...]) -> list[Run]:
    # A run that was trained on other clips is in a group with a longer name.
    return runs.elsewhere(run for (test, *of), run in newest.items() if tuple(of) == what and test == run.test)


def about_other_corpus(run: Run) -> str:
    """What a run was tested on that was tested on another corpus, and its scores, in sentences.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
    """
    about, test, other = run.tested_on, run.part("test"), run.part(evaluation.OTHER)
    emotions = test["truth"].map(emotion_of).nunique()
    speakers = "1 speaker" if len(about["speakers"]) == 1 else f"{len(about['speakers'])} speakers"
    if len(about["speakers"]) <= SPEAKERS_LISTED:
        speakers += f" ({', '.join(about['speakers'])})"
    spoken = languages_in_words(about["languages"])
    languages = f", in {spoken}" if spoken else ""
    named = len(emotions_of(evaluation.classes(run.predictions)))
    among = "eight" if named == len(EMOTION_NAMES) else named
    right, low, high = run.accuracy_interval("emotion")
    shared, shared_low, shared_high = evaluation.shared_uar_interval(test)
    said = (
        f"{about['corpus']}: {len(test):,} clips of {emotions} emotions by {speakers}{languages}, "
        f"{about['shortest_s']:.1f} to {about['longest_s']:.1f} s long. Of all {among} emotions "
        f"{right:.2f} are named right ({low:.2f} to {high:.2f} over speakers), while "
        f"{run.scores['emotion_claimed']:.2f} is claimed; if only these {emotions} may be named, UA is {shared:.2f} "
        f"({shared_low:.2f} to {shared_high:.2f}; guessing: {1 / emotions:.2f})."
    )
    if len(other):
        names = ", ".join(sorted(other["truth"].map(emotion_of).unique()))
        said += f" {len(other):,} clips of other emotions ({names}) are in no score."
    return said


def latest(found: Iterable[Run]) -> dict[tuple, Run]:
    """The newest run of each protocol and recipe (`_what`) that may be compared: on the study's clips, with its seed.

    Runs on other clips belong to another test (`comparison.same_test`).

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    dict of tuple to Run
    """
    return {
        (test, *_what(run.recipe)): run
        for test, group in comparison.same_test(found).items()
        for run in group
        if run.recipe.seed == protocols.ORIGINAL_SEED
    }


def on_the_ladder(found: Iterable[Run]) -> list[tuple[str, Run]]:
    """The newest runs of default presets under a protocol of the ladder, each with its protocol.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    list of (str, Run)
    """
    return [
        (test, run)
        for (test, *_), run in latest(found).items()
        if test in LADDER and run.recipe.preset in ("default", "functionals")
    ]


def _what(recipe: Recipe) -> tuple[str, ...]:
    """What runs of one test are told apart by. A run of a vote names its members' features, and a recipe of it none."""
    model = registry.MODELS.get(recipe.model)
    features = recipe.features if model is None or model.learns_from_clips else model.presets["default"].features
    return recipe.model, features, recipe.augmentation, recipe.preset, recipe.origin


def unheard(found: Iterable[Run], protocol: str = "emobox") -> pd.DataFrame:
    """Every speaker-independent run under a protocol of published folds, with and without song; best first.

    Parameters
    ----------
    found : iterable of Run
    protocol : str

    Returns
    -------
    pd.DataFrame
        `run`, `model`, `name`, `preset`, `features`, `seed`, `shipped`, `note` (e.g. that song was trained on), `ua`
        (mean over the folds of UAR), `uar` and `accuracy` of eight emotions, `low` and `high` (of the accuracy, over
        actors).
    """
    rows = []
    for run in found:
        if run.test.removesuffix("+song") != protocol:
            continue
        recipe = run.recipe
        what = run.id, recipe.model, run.name, recipe.preset, run.versions.features, recipe.seed, run.shipped
        uars = run.scores["emotion_ua"], run.scores["emotion_uar"]
        rows.append((*what, protocols.get(run.protocol).note, *uars, *run.accuracy_interval("emotion")))
    columns = ["run", "model", "name", "preset", "features", "seed", "shipped", "note"]
    table = pd.DataFrame(rows, columns=[*columns, "ua", "uar", "accuracy", "low", "high"])
    return table.sort_values("ua", ascending=False, ignore_index=True)


def published(protocol: str) -> pd.DataFrame:
    """The published results, and the reason why some are not comparable with runs of a protocol.

    Parameters
    ----------
    protocol : str

    Returns
    -------
    pd.DataFrame
        `system`, `value`, `measure`, `protocol`, `source`, `but`, and `why_not` (empty where they are comparable).
    """
    table = pd.DataFrame(map(vars, PUBLISHED))
    other_folds = "obtained on other folds (" + table["protocol"] + ")"
    return table.assign(why_not=other_folds.where(table["protocol"] != protocol, ""))


def recognise_speakers(table: pd.DataFrame) -> pd.DataFrame:
    """Speaker recognition with the features and the kind of model used for emotions, on the study's split.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table.

    Returns
    -------
    pd.DataFrame
        One row a test clip: `clip`, `speaker`, and `named`, the speaker that was recognised.
    """
    fold = next(fold for fold in protocols.get("study").folds(table) if fold.part == "test")
    features, speakers = tables.matrix(table), table["speaker"].to_numpy()
    model = registry.build(registry.recipe(SPEAKER_MODEL)).fit(features[fold.train], speakers[fold.train])
    named = model.predict(features[fold.held_out])
    clips = table["stem"].to_numpy()[fold.held_out]
    return pd.DataFrame({"clip": clips, "speaker": speakers[fold.held_out], "named": named})


def fall(table: pd.DataFrame, name: str) -> str:
    """A ladder in one sentence.

    Parameters
    ----------
    table : pd.DataFrame
        As `ladder` gives it.
    name : str
        Of the model.

    Returns
    -------
    str
    """
    if len(table) < 2:
        return f"{name} has been tested under one protocol only."
    on_ladder = table["protocol"].isin(LADDER)
    return " ".join(filter(None, (_fall_of_voices(table[on_ladder], name), _fall_of_recordings(table[~on_ladder]))))


def _fall_of_voices(table: pd.DataFrame, name: str) -> str:
    if table.empty:
        return ""
    first, last = table.iloc[0], table.iloc[-1]
    if len(table) == 1:
        return f"{name} names {first['accuracy']:.0%} right of {first['heard']}."
    return (
        f"When it has heard the same people before, {name} names {first['accuracy']:.0%} of clips right; "
        f"of people it has never heard, {last['accuracy']:.0%}. The rest was knowing the voice."
        if last["protocol"] in ("actors-6", "emobox")
        else f"{name} falls from {first['accuracy']:.0%} to {last['accuracy']:.0%}; no actor has been held out yet."
    )


def _fall_of_recordings(table: pd.DataFrame) -> str:
    said = []
    for row in table.itertuples():
        corpus = protocols.corpus_of(row.protocol)
        said.append(f"of {f'another corpus ({corpus})' if corpus else 'other recordings'} {row.accuracy:.0%}")
    words = "; ".join(said)
    return f"{words[0].upper()}{words[1:]}." if words else ""


NESTED = {"origin": "nested"}
FUNCTIONALS = {"features": "functionals"}
PERTURBED = {"features": "functionals", "augmentation": "speaker-perturbation"}
IDEAS = (  # title; model and recipe fields; model and recipe fields that they are compared with
    ("Gender first, then emotion", "hier", {}, "krr", {}),
    ("Gender first, hard routing", "hier", {"preset": "hard"}, "krr", {}),
    ("Gender first, on functionals", "hier", FUNCTIONALS, "krr", FUNCTIONALS),
    ("Emotion and gender apart", "apart", {}, "krr", {}),
    ("Emotion and gender apart, on functionals", "apart", FUNCTIONALS, "krr", FUNCTIONALS),
    # Both with hyperparameters from nested cross-validation.
    ("Other voices for apart", "apart", PERTURBED | NESTED, "apart", FUNCTIONALS | NESTED),
    ("Other voices for cnn2d", "cnn2d", {"preset": "voices"}, "cnn2d", {}),
    *(
        (f"Functionals for {key}", key, FUNCTIONALS, key, {})
        for key in ("lr", "svm", "mlp", "lgb", "krr", "v4", "hier", "apart")
    ),
)


def ideas(found: Iterable[Run]) -> pd.DataFrame:
    """The gain of each idea that the authors left open, with paired tests corrected for their number.

    The tests are on the study's test clips (16 classes) and on the speech of actors who are not in training (EmoBox's
    folds, eight emotions).

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    pd.DataFrame
        One row an idea and protocol that have both runs: `idea`, `protocol`, `before` and `after` (accuracy), `gain`
        with its 95% interval `low` to `high`, `p` (of the test of `differences.pair`, corrected), `clips`.
    """
    newest, rows = latest(found), []
    for idea, model, recipe, other, of_other in IDEAS:
        for protocol, kind in (("study", "class"), ("emobox", "emotion")):
            after, before = _newest(newest, protocol, model, recipe), _newest(newest, protocol, other, of_other)
            if after and before:
                pair = differences.pair(after, before, kind=kind)
                rows.append({"idea": idea, "protocol": protocol, **_gain(pair, "before", "after")})
    columns = ["idea", "protocol", "clips", "before", "after", "gain", "low", "high", "p"]
    return _corrected(pd.DataFrame(rows, columns=columns))


# A model that hears some clips of a speaker before, and what it is without them: key, other key, its recipe.
KNOWN_BEFORE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("v_centred", "v_robust", {}),
    ("centred", "apart", {"features": "functionals", "augmentation": "none"}),
    ("robust", "robust", {}),
    ("v_robust", "v_robust", {}),
)


def known_before(found: Iterable[Run], protocol: str = "emobox") -> pd.DataFrame:
    """What models gain by some clips of a speaker that they hear before they answer, on the other clips.

    Parameters
    ----------
    found : iterable of Run
    protocol : str
        That holds speakers out.

    Returns
    -------
    pd.DataFrame
        One row a model and calibration that have a run: `model`, `known` (in words), `ua` of eight emotions, `clips`,
        `before` and `after` (accuracy on the same clips), `gain` with its 95% interval over speakers `low` to `high`.
    """
    newest, rows = latest(found), []
    order = ["neutral", "random", "all"]
    names = sorted({test for test, *_ in newest if protocols.uncalibrated(test) == protocol != test}, key=str)
    for model, other, of_other in KNOWN_BEFORE:
        before = _last(newest, protocol, other, of_other)
        for name in sorted(names, key=lambda name: order.index(protocols.calibration_of(name).partition(":")[0])):
            after = _last(newest, name, model, {})
            if after and before:
                pair = differences.pair(after, before, kind="emotion")
                known = protocols.get(name).note.removesuffix(" of each speaker known beforehand")
                row = {"model": after.name, "known": known, "ua": after.scores["emotion_ua"]}
                rows.append(row | _gain(pair, "before", "after"))
    columns = ["model", "known", "ua", "clips", "before", "after", "gain", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "p"])[columns]


def _last(newest: dict[tuple, Run], protocol: str, model: str, wanted: dict) -> Run | None:
    """The newest run of a model or a vote as it is by default, but for these fields of its recipe."""
    fields = {"protocol": protocol, "model": model, "heard": "", "origin": "default"} | wanted
    found = [run for run in newest.values() if runs.matches(run, **fields)]
    return max(found, key=lambda run: run.made, default=None)


def _newest(newest: dict[tuple, Run], protocol: str, model: str, wanted: dict) -> Run | None:
    """The newest run of a model with these fields in its recipe; other fields as by default."""
    if wanted.get("origin") != "nested":
        return newest.get((protocol, *_what(registry.recipe(model, **wanted))))
    of_model = (run for (test, key, *_), run in newest.items() if (test, key) == (protocol, model))
    fields = {"augmentation": "none"} | wanted
    return next((run for run in of_model if runs.matches(run, **fields)), None)


def _gain(pair: differences.Pair, before: str, after: str) -> dict:
    return {
        "clips": pair.clips,
        before: (pair.both + pair.only_second) / pair.clips,
        after: (pair.both + pair.only_first) / pair.clips,
        "gain": pair.difference,
        "low": pair.low,
        "high": pair.high,
        "p": pair.p,
    }


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """With p-values corrected for their number (Benjamini & Hochberg 1995)."""
    return table.assign(p=false_discovery_control(table["p"].astype(float)))


def song_helps(found: Iterable[Run]) -> pd.DataFrame:
    """The gain by song among the training clips, on the same spoken test clips: `study` against `study-speech`.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    pd.DataFrame
        One row a model that has both runs: `model`, `name`, `clips`, `without` and `with_song` (accuracy of 16
        classes), `gain` with its 95% interval `low` to `high`, and `p` (McNemar), corrected for the number
        of models.
    """
    newest, rows = latest(found), []
    for (protocol, *what), run in newest.items():
        speech = newest.get(("study-speech", *what))
        if protocol == "study" and run.recipe.preset == "default" and speech:
            gain = _gain(differences.pair(run, speech), "without", "with_song")
            rows.append({"model": run.recipe.model, "name": run.name, **gain})
    columns = ["model", "name", "clips", "without", "with_song", "gain", "low", "high", "p"]
    return _corrected(pd.DataFrame(rows, columns=columns).sort_values("gain", ascending=False, ignore_index=True))

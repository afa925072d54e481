"""What a run is called where people read it."""

from collections import Counter
from collections.abc import Iterable

from ser_core.evaluation import protocols
from ser_core.models import deep, registry
from ser_core.models.model import OWN
from ser_core.results.runs import Run


def title(run: Run, *, protocol: bool = True) -> str:
    """A run in a few words, such as "cnn dropout 0.5" or "cnn2d, emobox"; without its `protocol` where all share it."""
    words, features = run.info["model"], run.info["features"].rsplit("-", 1)[0]
    if run.info["preset"] == OWN:
        usual, own = registry.parameters(run.info["model"]), run.info["parameters"]
        if weights := own.get("weights"):  # of a vote of two: the other weighs the rest
            first = next(iter(weights))
            own = {first: weights[first]}
        words += "".join(
            f" {deep.as_option(name)[2:]} {value}" for name, value in own.items() if usual.get(name) != value
        )
    elif run.info["preset"] == "study" or run.info["preset"] not in ("default", features):  # the authors' values
        words += f" ({run.info['preset'].removeprefix(f'{features}-')})"
    # What a network or a vote of runs sees is said by its model and preset; any other model sees the study's features
    # if nothing is said.
    if run.info["family"] != "deep" and "members" not in run.info and features != "study":
        words += f", {features}"
    if protocol and run.info["protocol"] != "study":
        words += f", {run.info['protocol']}"
    if run.info["seed"] != protocols.STUDY_SEED:
        words += f", seed {run.info['seed']}"
    return words


def titles(found: Iterable[Run], **options) -> dict[str, str]:
    """The id of each run -> its title, no two alike: an own run says so, and where that is not enough, its id's end."""
    said = {run.id: title(run, **options) + ("" if run.shipped else " (yours)") for run in found}
    often = Counter(said.values())
    return {key: words if often[words] == 1 else f"{words} #{key[-8:]}" for key, words in said.items()}

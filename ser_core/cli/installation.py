"""Commands on the installation: `doctor` checks it, `study` rebuilds the shipped artifacts."""

import dataclasses

from ser_core.cli import health
from ser_core.cli.screen import print_table, progress, score
from ser_core.errors import ReadOnlyError
from ser_core.settings import IS_CHECKOUT


def doctor(options, settings):
    """Check this installation."""
    checks = health.check(settings)

    def show():
        rows = [("ok" if check.ok else "--" if check.optional else "NO", check.name, check.says) for check in checks]
        print_table("This installation", ["", "what", "state"], rows)

    answer = {
        "ok": all(check.ok or check.optional for check in checks),
        "checks": [{"name": check.name, "ok": check.ok, "says": check.says} for check in checks],
    }
    return answer, 0 if answer["ok"] else 2, show


def study(options, settings):
    """Rebuild everything in `artifacts/`."""
    if not IS_CHECKOUT:
        raise ReadOnlyError(
            f"study rebuilds the artifacts of a checkout, and those of this installed package ({settings.artifacts}) "
            "are read-only. Run it in a checkout of the project"
        )
    from ser_core.cli import shipping  # not needed by doctor, which must run in a broken installation, too
    from ser_core.cli.experiments import run_answer

    if options.data:  # for everything that reads clips
        settings = dataclasses.replace(settings, data_dir=options.data)
    if options.tune:
        with progress("Tuning", "study", options) as advance:
            shipping.make_studies(settings, jobs=options.jobs, progress=advance)
    with progress("Study", "step", options) as advance:
        if options.deep is None:
            made = shipping.make(settings, corpora=options.test_on, jobs=options.jobs, progress=advance)
        else:
            made = shipping.make_deep(
                settings,
                only=options.deep,
                corpora=options.test_on,
                weights=options.weights,
                jobs=options.jobs,
                progress=advance,
            )

    def show():
        names = ("cv_accuracy", "test_accuracy", "emotion_uar")
        rows = [(run.recipe.model, run.protocol, *(score(run.scores.get(name)) for name in names)) for run in made]
        columns = ["model", "protocol", "CV5", "test", "UAR of emotions"]
        print_table(f"Made in {settings.artifacts}", columns, rows)

    return {"runs": [run_answer(run) for run in made]}, 0, show

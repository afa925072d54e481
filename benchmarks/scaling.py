"""1, 2 and 4 workers on one study: on trials that sleep, and on trials that work.

    python -m benchmarks.scaling [--storage URL]

Over PostgreSQL where an address is given (`SER_OPTUNA_STORAGE`), else over SQLite in a temporary folder. All workers
stand ready before the clock starts. Sleeping trials show what the shared database costs; working ones show what the
cores of this machine give.
"""

import argparse
import os
import tempfile
import time
from multiprocessing import get_context

import optuna
from rich.console import Console
from rich.table import Table

from ser_core.features import tables
from ser_core.settings import Settings
from ser_core.tuning import storage, studies
from ser_core.tuning.objective import Objective

WORKERS = (1, 2, 4)
TRIALS = 24
SLEEP_S = 1.0
SAME = {"C": 0.3, "class_weight": None}


def sleep(trial: optuna.Trial) -> float:
    time.sleep(SLEEP_S)
    return trial.suggest_float("C", 0.01, 30, log=True)


def work(name: str, url: str, sleeps: bool, share: int, ready, go) -> None:
    table = tables.read(Settings.from_environment().feature_table)
    study = optuna.load_study(study_name=name, storage=storage.connect(url), sampler=optuna.samplers.RandomSampler())
    objective = sleep if sleeps else Objective(vars(studies.Plan("lr", pruner="none")), table)
    ready.release()
    go.wait()
    study.optimize(objective, n_trials=share)


def seconds(url: str, sleeps: bool, workers: int) -> float:
    context = get_context("spawn")
    name = f"scaling-{sleeps}-{workers}-{os.getpid()}"
    study = optuna.create_study(study_name=name, storage=storage.connect(url), direction="maximize")
    for _ in range(TRIALS):  # all the same, so that nobody has the harder ones
        study.enqueue_trial(SAME)
    ready, go = context.Semaphore(0), context.Event()
    arguments = (name, url, sleeps, TRIALS // workers, ready, go)
    processes = [context.Process(target=work, args=arguments) for _ in range(workers)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for process in processes:
        process.join()
    took = time.perf_counter() - started
    optuna.delete_study(study_name=name, storage=storage.connect(url))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", default=os.environ.get("SER_OPTUNA_STORAGE"))
    options = parser.parse_args()
    shown = Table("trials that", "workers", "seconds", "trials/min", "times one worker", box=None)
    with tempfile.TemporaryDirectory() as folder:
        url = options.storage or f"sqlite:///{folder}/studies.sqlite"
        for sleeps in (True, False):
            alone = None
            for workers in WORKERS:
                took = seconds(url, sleeps, workers)
                alone = alone or took
                numbers = (f"{took:.1f}", f"{60 * TRIALS / took:.0f}", f"{alone / took:.2f}")
                shown.add_row("sleep 1 s" if sleeps else "work (lr, five folds)", str(workers), *numbers)
        console = Console()
        console.print(f"{TRIALS} trials over {storage.without_password(url)}, {os.cpu_count()} cores")
        console.print(shown)


if __name__ == "__main__":
    main()

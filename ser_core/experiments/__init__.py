"""Experiments: a model under a protocol gives a run, whose every prediction is kept."""

from ser_core.experiments.runner import Result, Training, facts, run, run_name

__all__ = ["Result", "Training", "facts", "run", "run_name"]

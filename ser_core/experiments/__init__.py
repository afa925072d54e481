"""Experiments: a recipe under a protocol gives a run, whose every prediction is kept."""

from ser_core.experiments.runner import Result, Training, build, run

__all__ = ["Result", "Training", "build", "run"]

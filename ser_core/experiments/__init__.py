"""Experiments: a recipe under a protocol gives a run, with all its predictions."""

from ser_core.experiments.runner import Result, Training, build, check, keep, run, run_heard, run_on

__all__ = ["Result", "Training", "build", "check", "keep", "run", "run_heard", "run_on"]

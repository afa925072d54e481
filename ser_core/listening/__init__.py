"""Listening tests: rounds of clips that people label by ear, and scores of their answers beside a model's."""

"""Tuning: studies from start to preset, the database that workers share, and what a trial does."""

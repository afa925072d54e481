"""Which models a test is about."""

from ser_core.models import registry


def of_tables() -> list[str]:
    """The keys of the models that learn from a feature table: all but the networks, which have tests of their own."""
    return [key for key, model in registry.MODELS.items() if model.family != "deep"]

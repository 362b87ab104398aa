"""Learn what each city needs from its public posts."""

__version__ = "0.1.0"

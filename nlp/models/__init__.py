"""The trained models that ship, one file a language (docs/models.md)."""

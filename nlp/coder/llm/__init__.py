"""A coder that asks a language model behind an OpenAI-compatible endpoint, within a cap on its cost."""

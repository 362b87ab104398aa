"""Theme and cue words, one TOML file a language."""

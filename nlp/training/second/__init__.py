"""Codings of a second coder: of posts in the files above, and of some gold posts."""

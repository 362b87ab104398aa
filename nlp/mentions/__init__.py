"""Segments, brands and districts that posts mention; importing it registers the factory `citystudy_mentions`."""

from nlp.mentions.component import Mentions, make_mentions, mention_config

__all__ = ["Mentions", "make_mentions", "mention_config"]

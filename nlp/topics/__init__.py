"""Topics over statements: finer, data-driven groups within a theme."""

from nlp.topics.learn import TopicInput, learn_topics

__all__ = ["TopicInput", "learn_topics"]

"""Posts become statements, topics, segments, brands and districts."""

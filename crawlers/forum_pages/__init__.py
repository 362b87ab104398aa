"""Pages of any forum, read: sections into topics, topic pages into posts. Pure functions of a page."""

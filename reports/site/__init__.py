"""Findings laid out as a static site: one page a city, one that compares them, evidence and method."""

"""Gathering: sources → posts (Scrapy spiders and file importers that share one intake)."""

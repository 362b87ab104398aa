"""One spider a source; what they share is in `base`."""

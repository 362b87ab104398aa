"""The demonstration: posts written for it, a server that shows them, and its study file."""

"""The coder: problems, wishes and preferences in posts of four languages."""

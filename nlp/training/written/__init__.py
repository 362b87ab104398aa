"""Posts written for training by the project; they never evaluate."""

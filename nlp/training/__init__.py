"""How the coder is trained: coded row ids, posts written for training, and the build."""

"""Posts written for demonstration, one file a city: invented people, businesses and events; never train the coder.

The posts with a p or q in their id were written later than the others, in the plain register of most real posts.
"""

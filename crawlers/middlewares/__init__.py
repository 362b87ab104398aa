"""What stands between the spiders and the network: robots.txt, back-off and rate limits."""

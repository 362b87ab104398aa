"""What a page goes through before it is stored: validate → protect → store."""

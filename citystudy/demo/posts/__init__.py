"""Posts written for demonstration, one file a city: invented people, businesses and events."""

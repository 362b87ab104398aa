"""Pure statistics over voices: what each city needs, how sure that is, and what shows it."""

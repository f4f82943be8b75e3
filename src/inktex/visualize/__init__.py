"""Pictures about data, models and runs."""

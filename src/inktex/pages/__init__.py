"""HTML pages of one file, with their assets."""

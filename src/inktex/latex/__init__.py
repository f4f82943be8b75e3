"""LaTeX as tokens and as a tree, and its spellings: pure strings, no rendering."""

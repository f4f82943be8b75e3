"""Recognition: inputs, search and what was read."""

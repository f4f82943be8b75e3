"""How good recognition is, as pure functions."""

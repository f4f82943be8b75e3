"""Ink: pen strokes, and the files they are kept in."""

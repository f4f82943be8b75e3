"""Readings beside their pictures, as a document: HTML, Word or LaTeX."""

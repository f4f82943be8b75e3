"""New handwritten expressions, made of ink that was written before."""

"""LaTeX tokens -> Typst, AsciiMath, SymPy, spoken English and Word's OMML."""

r"""Which spellings of LaTeX become which tokens: plain data for :mod:`inktex.latex.normalize`.

What looks alike on paper has one spelling. What draws nothing has none.
"""

from inktex.latex.characters import CHARACTERS, GREEK_NAMES
from inktex.latex.tree import commands

# Tokens that draw nothing: marks of formulas, spaces, sizes, fonts, layout, boxes.
INVISIBLE: frozenset[str] = frozenset(
    {"$", "~", r"\,", r"\;", r"\:", r"\!", r"\>", r"\/", r"\(", r"\)", r"\[", r"\]", r"\-"}
).union(
    commands("quad qquad enspace enskip thinspace negthinspace medspace thickspace hfill hfil unskip relax"),
    commands("left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm"),
    commands("displaystyle textstyle scriptstyle scriptscriptstyle tiny scriptsize footnotesize small"),
    commands("normalsize large Large LARGE huge Huge rm bf it sf tt sl mit boldmath unboldmath pmb"),
    commands("nolimits displaylimits nonumber notag hline strut mathstrut null allowbreak nobreak noindent"),
    commands("smallskip medskip bigskip protect lefteqn smash rlap llap ensuremath"),
    commands("mathopen mathclose mathpunct mathinner"),
)
# Commands that draw nothing together with their argument.
INVISIBLE_ARGUMENTS: frozenset[str] = frozenset(
    commands("hspace vspace mspace phantom hphantom vphantom label tag color textcolor cline raisebox")
)
# Lengths without braces follow these: `\kern 1 p t`.
LENGTHS: frozenset[str] = frozenset(commands("kern mkern hskip mskip vskip raise lower"))

_RENAMED: dict[str, str] = {
    # delimiters
    "[": "lbrack",
    "]": "rbrack",
    r"\{": "lbrace",
    r"\}": "rbrace",
    "|": "vert lvert rvert mid shortmid",
    r"\|": "Vert lVert rVert",
    r"\parallel": "shortparallel",
    r"\langle": "lang",
    r"\rangle": "rang",
    # relations
    "<": "lt",
    ">": "gt",
    r"\leq": "le leqslant leqq",
    r"\geq": "ge geqslant geqq",
    r"\neq": "ne",
    r"\ll": "lll",
    r"\gg": "ggg",
    r"\sim": "thicksim",
    r"\approx": "thickapprox",
    r"\propto": "varpropto",
    r"\perp": "bot",
    r"\in": "isin",
    r"\ni": "owns",
    r"\subseteq": "subseteqq",
    r"\supseteq": "supseteqq",
    r"\subsetneq": "subsetneqq varsubsetneq",
    r"\preceq": "preccurlyeq",
    r"\succeq": "succcurlyeq",
    r"\triangleleft": "lhd vartriangleleft",
    r"\triangleright": "rhd vartriangleright",
    r"\models": "vDash",
    # arrows
    r"\rightarrow": "to longrightarrow rarr",
    r"\leftarrow": "gets longleftarrow",
    r"\leftrightarrow": "longleftrightarrow",
    r"\Rightarrow": "implies Longrightarrow",
    r"\Leftarrow": "impliedby Longleftarrow",
    r"\Leftrightarrow": "iff Longleftrightarrow",
    r"\mapsto": "longmapsto",
    r"\rightharpoonup": "rightharpoondown",
    # operators
    r"\wedge": "land",
    r"\vee": "lor",
    r"\neg": "lnot",
    r"\exists": "exist",
    r"\dagger": "dag",
    r"\ddagger": "ddag",
    "*": "ast",
    r"\star": "bigstar",
    r"\setminus": "backslash smallsetminus",
    r"\cdot": "cdotp centerdot",
    r"\circ": "bigcirc",
    r"\mod": "bmod",
    r"\int": "smallint intop",
    "/": "slash",
    # letters and signs
    r"\emptyset": "varnothing empty O",
    r"\hbar": "hslash",
    r"\Delta": "triangle bigtriangleup vartriangle",
    r"\nabla": "bigtriangledown triangledown",
    r"\square": "Box",
    r"\kappa": "varkappa",
    r"\infty": "infin",
    r"\limsup": "varlimsup",
    r"\liminf": "varliminf",
    "o": "omicron",
    ":": "colon",
    "_": "sb",
    "^": "sp",
    # dots
    r"\ldots": "dots dotsc hdots dotso textellipsis",
    r"\cdots": "dotsb dotsm dotsi",
    # commands with arguments
    r"\frac": "dfrac tfrac cfrac",
    r"\binom": "dbinom tbinom",
    r"\overset": "stackrel",
    r"\boxed": "fbox framebox",
    r"\widehat": "overarc wideparen overparen",
    r"\overline": "overbar",
    r"\underline": "underbar",
    r"\mathbb": "mathds Bbb mathbbm",
    r"\mathcal": "mathscr",
}


def _renamed() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {
        name: (token,) for token, others in _RENAMED.items() for name in commands(others)
    }
    for greek in GREEK_NAMES:
        if greek != "silon":
            names["\\up" + greek] = ("\\" + greek,)
        if greek[0].isupper():
            names["\\var" + greek] = names["\\up" + greek] = ("\\" + greek,)
    return names


# Negated relations that are no tokens: the stroke, and what it goes through.
_NEGATED = (
    "|:nmid nshortmid  parallel:nparallel  leq:nleq nleqslant  geq:ngeq ngeqslant  <:nless  >:ngtr  "
    "subseteq:nsubseteq  supseteq:nsupseteq  cong:ncong  sim:nsim  rightarrow:nrightarrow  "
    "Rightarrow:nRightarrow  vdash:nvdash  models:nvDash  prec:nprec  succ:nsucc"
)


def _negated() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for part in _NEGATED.split("  "):
        base, _, names = part.partition(":")
        token = base if len(base) == 1 else "\\" + base
        found |= dict.fromkeys(commands(names), (r"\not", token))
    return found


# Other names of what is drawn.
SYNONYMS: dict[str, tuple[str, ...]] = {
    **CHARACTERS,
    **_renamed(),
    **_negated(),
    **{"\\" + letter: (r"\mathbb", "{", letter, "}") for letter in "RZNCQ"},
    r"\reals": (r"\mathbb", "{", "R", "}"),
    r"\supsetneq": (r"\not", r"\supseteq"),
    r"\textbackslash": (r"\setminus",),
    r"\rq": ("'",),
    "%": (r"\%",),
}
# What `\not` makes of a relation.
NOT: dict[str, str] = {"=": r"\neq", r"\in": r"\notin", r"\exists": r"\nexists"}

# Commands that only choose a font or a box: their argument stays.
TRANSPARENT: frozenset[str] = frozenset(
    commands("mathrm mathit mathbf mathsf mathtt mathnormal mathfrak operatorname boldsymbol bm mathop")
    + commands("mathbin mathrel mathord substack")
)
# Commands whose argument is running text.
TEXTS: frozenset[str] = frozenset(
    commands("text mbox hbox textrm textit textbf textnormal textsf texttt textup textsl emph textmd makebox")
)
# Upright letters may spell a function.
UPRIGHT: frozenset[str] = frozenset(commands("mathrm operatorname mathop mathbf mathsf mathit"))
UPRIGHT_SWITCHES: frozenset[str] = frozenset(commands("rm bf sf it tt sl"))
# Alphabets that look different on paper.
ALPHABETS: frozenset[str] = frozenset(commands("mathbb mathcal"))

# Operators whose scripts stand under and over them.
STACKED: frozenset[str] = frozenset(
    commands("sum prod coprod bigcup bigcap bigoplus bigotimes bigwedge bigvee int oint iint iiint")
    + commands("lim limsup liminf max min sup inf")
)
_FUNCTIONS = """
sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp lim limsup liminf max min
sup inf det dim ker deg gcd arg mod Pr hom
"""
# What letters spell: functions, and pairs of them.
SPELLED: dict[str, tuple[str, ...]] = {
    **{name: ("\\" + name,) for name in _FUNCTIONS.split()},
    "argmax": (r"\arg", r"\max"),
    "argmin": (r"\arg", r"\min"),
}
# An accent over one drawn symbol, and the one over more.
WIDE: dict[str, str] = {
    r"\hat": r"\widehat",
    r"\bar": r"\overline",
    r"\tilde": r"\widetilde",
    r"\vec": r"\overrightarrow",
}
NARROW: dict[str, str] = {wide: narrow for narrow, wide in WIDE.items()}

# What stands round the matrix of an environment.
MATRICES: dict[str, tuple[str, str]] = {
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "Bmatrix": (r"\{", r"\}"),
    "vmatrix": ("|", "|"),
    "Vmatrix": (r"\|", r"\|"),
    "cases": (r"\{", ""),
    "dcases": (r"\{", ""),
    "rcases": ("", r"\}"),
    **dict.fromkeys(("matrix", "array", "smallmatrix", "tabular", "subarray"), ("", "")),
}
# Lines of equations, aligned or not.
_LINES = """
aligned align gathered gather split eqnarray alignat alignedat flalign multline equation displaymath math
"""
LINES: frozenset[str] = frozenset(_LINES.split())

r"""The words of LaTeX: how a text is cut into tokens, and what the parser and the grammar know of them."""

import re

from inktex.errors import LatexError


def commands(names: str) -> tuple[str, ...]:
    """Names of commands, without their backslashes, as tokens."""
    return tuple("\\" + name for name in names.split())


# Commands that take arguments, and how many.
ARITY: dict[str, int] = {
    **dict.fromkeys(commands("frac dfrac tfrac cfrac binom dbinom tbinom overset underset stackrel"), 2),
    **dict.fromkeys(commands("sqrt xrightarrow xleftarrow xlongequal overbrace underbrace boxed cancel"), 1),
    **dict.fromkeys(commands("overline underline overrightarrow overleftarrow overparen wideparen"), 1),
    **dict.fromkeys(commands("overarc widehat widetilde hat tilde bar vec dot ddot check breve acute"), 1),
    **dict.fromkeys(commands("grave mathring text textrm textbf textit textcircled mbox hbox pmod"), 1),
    **dict.fromkeys(commands("operatorname substack mathrm mathbf mathbb mathcal mathscr mathfrak"), 1),
    **dict.fromkeys(commands("mathsf mathit mathtt mathnormal boldsymbol bm mathop mathbin mathrel"), 1),
    **dict.fromkeys(commands("mathord phantom hphantom vphantom"), 1),
}
# Commands with an optional argument in brackets before the others: `\sqrt [ 3 ] { x }`.
OPTIONAL_ARGUMENT: frozenset[str] = frozenset(commands("sqrt xrightarrow xleftarrow xlongequal"))
# What may carry `\limits`.
LIMIT_OPERATORS: frozenset[str] = frozenset(
    commands("sum prod coprod int iint iiint oint lim limsup liminf max min sup inf arg det gcd Pr")
    + commands("bigcup bigcap bigvee bigwedge bigoplus bigotimes bigsqcup operatorname mathop")
)
# A token that opens, and the one that closes it. Environments pair by name: `\begin{matrix}`, `\end{matrix}`.
PAIRS: dict[str, str] = {"{": "}", r"\left": r"\right"}
# What may follow `\left` and `\right`; "." is no delimiter at all.
DELIMITERS: frozenset[str] = frozenset("()[]|/.<>").union(
    {r"\{", r"\}", r"\|"},
    commands("lbrace rbrace lbrack rbrack langle rangle vert Vert lvert rvert lVert rVert"),
    commands("lfloor rfloor lceil rceil backslash uparrow downarrow"),
)
SCRIPTS: tuple[str, str] = ("_", "^")  # in the order in which they are written
# Environments whose name is followed by a column specification in braces.
COLUMN_ENVIRONMENTS: frozenset[str] = frozenset({"array", "tabular"})
# Groups and arguments may be nested this deep; handwriting stays below ten.
MAX_DEPTH = 64

_TOKEN = re.compile(r"\\(begin|end)\s*\{\s*([A-Za-z]+\s*\*?)\s*\}|\\[A-Za-z]+|\\\S|\\(?=\s)|\S")


def tokenize(latex: str) -> list[str]:
    r"""Cut LaTeX into tokens; white space separates and is dropped.

    A token is a command (`\frac`), an escaped character (`\{`, `\,`, `\\`), one end of an environment with
    its name (`\begin{matrix}`), or a single character. A backslash before white space is dropped with it.

    Raises:
        LatexError: if the text ends in a lone backslash.
    """
    tokens = []
    for match in _TOKEN.finditer(latex):
        if match[1]:
            tokens.append(f"\\{match[1]}{{{''.join(match[2].split())}}}")
        elif match[0] != "\\":
            tokens.append(match[0])
        elif match.end() == len(latex):
            raise LatexError("The LaTeX ends in a lone backslash.")
    return tokens

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inktex.errors import LatexError
from inktex.latex import tree as latex
from inktex.latex.tree import (
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    is_well_formed,
    parse,
    to_tokens,
    tokenize,
    validate,
)

CAPTIONS = Path(__file__).parents[2] / "shared/data/crohme/offline.zip"


def symbols(text: str) -> Row:
    """A row of symbols, written with spaces."""
    return Row(tuple(Symbol(token) for token in text.split()))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (r"x^2_1", ["x", "^", "2", "_", "1"]),
        (r"\frac12\alpha b", [r"\frac", "1", "2", r"\alpha", "b"]),
        (r"\{a\,b\}\|c\\", [r"\{", "a", r"\,", "b", r"\}", r"\|", "c", r"\\"]),
        (r"\begin{matrix} a & b \end { matrix }", [r"\begin{matrix}", "a", "&", "b", r"\end{matrix}"]),
        (r"\begin{align*}x\end{align*}", [r"\begin{align*}", "x", r"\end{align*}"]),
        ("\\text{面积} = 1\\ 2\n", [r"\text", "{", "面", "积", "}", "=", "1", "2"]),
        ("", []),
    ],
)
def test_tokenize_cuts_commands_escapes_environments_and_characters(text: str, tokens: list[str]) -> None:
    """Text is cut into the tokens worked out by hand, and cutting the joined tokens changes nothing."""
    assert tokenize(text) == tokens
    assert tokenize(" ".join(tokens)) == tokens


def test_tokenize_refuses_a_lone_backslash_at_the_end() -> None:
    """A backslash with nothing after it is no token."""
    with pytest.raises(LatexError, match="lone backslash"):
        tokenize("x\\")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x ^ { 2 } _ 1", Script(Symbol("x"), symbols("1"), symbols("2"))),
        (r"\frac 1 2", Command(r"\frac", (symbols("1"), symbols("2")))),
        (r"\sqrt [ 3 ] { x y }", Command(r"\sqrt", (symbols("x y"),), symbols("3"))),
        (r"\sqrt x", Command(r"\sqrt", (symbols("x"),))),
        (r"\lim \limits _ { a }", Script(Symbol(r"\lim"), symbols("a"), None, limits=True)),
        ("_ { n }", Script(None, symbols("n"), None)),
        (r"\left. { x } \right|", Fence(".", Row((Group(symbols("x")),)), "|")),
        (
            r"\begin{array} { l r } a & b \\ c & \end{array}",
            Environment("array", ((symbols("a"), symbols("b")), (symbols("c"), symbols(""))), ("l", "r")),
        ),
    ],
)
def test_parse_builds_the_tree_of_one_thing(text: str, tree: Node) -> None:
    """Each construct becomes the node drawn by hand."""
    assert parse(tokenize(text)) == Row((tree,))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{ x", "the '}' of '{' is missing (at the end)"),
        ("x }", "'}' does not belong here (at token 2)"),
        (r"\frac { 1 }", r"an argument of '\frac' is missing (at the end)"),
        ("x ^", "an argument of '^' is missing (at the end)"),
        ("x ^ _ 2", "an argument of '^' is missing (at token 3)"),
        ("x _ 1 _ 2", "there is a second '_' on one base (at token 4)"),
        (r"\sqrt [ 3 { x }", r"the ']' of '\sqrt' is missing (at the end)"),
        (r"x \limits _ 1", r"\limits must follow an operator such as \sum (at token 2)"),
        (r"\left ( x", r"the '\right' of '\left' is missing (at the end)"),
        (r"\left x", r"'\left' needs a delimiter (at token 2)"),
        (r"x \right )", r"'\right' does not belong here (at token 2)"),
        (r"\begin{matrix} x", r"\end{matrix} is missing (at the end)"),
        (r"\begin{matrix} x \end{cases}", r"'\end{cases}' does not belong here (at token 3)"),
        ("a & b", "'&' does not belong here (at token 2)"),
    ],
)
def test_malformed_latex_is_named_with_its_place(text: str, problem: str) -> None:
    """What is malformed raises one sentence with the problem and the token."""
    tokens = tokenize(text)

    with pytest.raises(LatexError) as error:
        validate(tokens)
    assert str(error.value) == f"Malformed LaTeX: {problem}."
    assert not is_well_formed(tokens)


@pytest.mark.parametrize(
    "opening", [["{"], ["x", "^", "{"], [r"\frac"], [r"\sqrt", "["], [r"\left", "("], [r"\begin{matrix}"]]
)
def test_deep_nesting_is_an_error_and_never_exhausts_the_stack(opening: list[str]) -> None:
    """A hundred thousand open groups raise a LatexError like any other malformed input."""
    with pytest.raises(LatexError, match="deep"):
        parse(opening * 100_000)


def test_nesting_up_to_the_limit_parses() -> None:
    """The limit is the number of groups it says."""
    depth = latex.MAX_DEPTH
    tokens = ["{"] * depth + ["x"] + ["}"] * depth

    assert to_tokens(parse(tokens)) == tokens
    assert not is_well_formed(["{", *tokens, "}"])


def rows(items: st.SearchStrategy[Node]) -> st.SearchStrategy[Row]:
    """Rows of up to three items."""
    return st.builds(Row, st.lists(items, max_size=3).map(tuple))


def larger(items: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Strategies for every construct, made of smaller things."""
    row = rows(items)
    pair = st.tuples(row, row)
    base = st.one_of(st.sampled_from([Symbol("x"), Symbol(r"\int"), Symbol(")")]), st.builds(Group, row))
    scripts = st.sampled_from([(True, False), (False, True), (True, True)])
    return st.one_of(
        st.builds(Group, row),
        st.builds(Command, st.just(r"\frac"), pair),
        st.builds(Command, st.just(r"\sqrt"), st.tuples(row), st.none() | row),
        st.builds(
            lambda base, used, both: Script(base, both[0] if used[0] else None, both[1] if used[1] else None),
            base,
            scripts,
            pair,
        ),
        st.builds(Script, st.just(Symbol(r"\sum")), st.none() | row, st.none() | row, st.just(True)),
        st.builds(Fence, st.sampled_from(["(", r"\{", "."]), row, st.sampled_from([")", "|"])),
        st.builds(Environment, st.just("matrix"), st.lists(pair, min_size=1, max_size=2).map(tuple)),
    )


LEAVES: st.SearchStrategy[Node] = st.sampled_from(
    [Symbol(t) for t in ("x", "1", "+", r"\alpha", r"\sin", "(", "面")]
)


@given(rows(st.recursive(LEAVES, larger, max_leaves=12)))
def test_every_tree_is_read_back_as_it_was_printed(tree: Row) -> None:
    """Printing a tree and parsing the tokens gives the same tree."""
    assert parse(to_tokens(tree)) == tree


ALPHABET = (
    r"x 2 { } { } _ ^ [ ] & \\ \frac \sqrt \sum \limits \left \right ( \begin{array} \end{array} ' \text"
)


@given(st.lists(st.sampled_from(ALPHABET.split()), max_size=14))
def test_any_tokens_parse_stably_or_raise_a_latex_error(tokens: list[str]) -> None:
    """Random tokens are either refused, or printed in a form that parses to the same tree."""
    try:
        tree = parse(tokens)
    except LatexError:
        return
    assert parse(to_tokens(tree)) == tree


def test_the_grammar_tables_agree_with_the_parser() -> None:
    """Each command is well-formed with the number of arguments in the table and with no fewer."""
    for name, count in latex.ARITY.items():
        assert is_well_formed([name, *["{", "x", "}"] * count]), name
        assert not is_well_formed([name, *["{", "x", "}"] * (count - 1)]), name
    for name in latex.OPTIONAL_ARGUMENT:
        assert is_well_formed([name, "[", "3", "]", "{", "x", "}"]), name
    for name in latex.LIMIT_OPERATORS - latex.ARITY.keys():
        assert is_well_formed([name, r"\limits", "_", "{", "i", "}"]), name


@pytest.mark.skipif(not CAPTIONS.exists(), reason="the official CROHME captions are not at hand")
@pytest.mark.parametrize(("split", "count"), [("train", 8834), ("2014", 986)])
def test_every_official_caption_survives_parsing_and_printing(split: str, count: int) -> None:
    """All official captions tokenise to themselves and come back from the tree token for token."""
    with zipfile.ZipFile(CAPTIONS) as archive:
        lines = archive.read(f"data/{split}/caption.txt").decode().splitlines()
    captions = [line.split("\t", 1)[1].split() for line in lines if line.strip()]

    assert len(captions) == count
    assert [to_tokens(parse(tokenize(" ".join(tokens)))) for tokens in captions] == captions

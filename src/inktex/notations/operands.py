r"""Where what a function or a large operator applies to ends, when nothing marks it: `\sum a_i b_i + c`."""

from __future__ import annotations

from collections.abc import Sequence

from inktex.latex.spacing import Kind, head
from inktex.latex.tree import Fence, Node, Script

_ENDS = frozenset({Kind.RELATION, Kind.PUNCTUATION})


def term_end(items: Sequence[Node], kinds: Sequence[Kind], start: int) -> int:
    """Return the end of the term that begins at a place: at a relation, a comma, a plus or a minus.

    Args:
        items: of a row.
        kinds: what each is to its neighbours.
        start: the first place of the term.
    """
    end = start
    while end < len(items) and kinds[end] not in _ENDS:
        if kinds[end] is Kind.BINARY and head(items[end]) in ("+", "-", r"\pm", r"\mp"):
            break
        end += 1
    return end


def argument_end(items: Sequence[Node], kinds: Sequence[Kind], start: int) -> int:
    r"""Return the end of a function's argument: parentheses, or what stands side by side after it.

    Args:
        items: of a row.
        kinds: what each is to its neighbours.
        start: the first place of the argument.
    """
    end = start
    while end < len(items) and kinds[end] is Kind.SIGN:
        end += 1
    if end < len(items) and kinds[end] is Kind.FUNCTION:
        return argument_end(items, kinds, end + 1)
    if end < len(items) and isinstance(_bare(items[end]), Fence):
        return end + 1
    while end < len(items) and kinds[end] is Kind.ORDINARY and head(items[end]) not in ("/", "!", "?"):
        end += 1
    return end


def _bare(item: Node) -> Node | None:
    return item.base if isinstance(item, Script) else item

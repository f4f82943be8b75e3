"""Alphabets, accents and upright words in the one form that the dialect has for them."""

from collections.abc import Iterable

from inktex.latex.spellings import ALPHABETS, NARROW, SPELLED, WIDE
from inktex.latex.tree import Command, Node, Row, Script, Symbol


def upright(body: Row) -> tuple[Node, ...]:
    """Upright letters, which may spell a function."""
    letters = "".join(item.token if isinstance(item, Symbol) else " " for item in body.items)
    return tuple(map(Symbol, SPELLED[letters])) if letters in SPELLED else body.items


def in_alphabet(items: Iterable[Node], name: str, capitals: bool) -> list[Node]:
    """Letters in an alphabet, each by itself; what is no letter stays."""
    result: list[Node] = []
    for item in items:
        match item:
            case Symbol(token) if _has_form(token, name, capitals):
                result.append(Command(name, (Row((item,)),)))
            case Script(base, sub, sup, limits):
                inner = [] if base is None else in_alphabet((base,), name, capitals)
                low, high = (row and Row(tuple(in_alphabet(row.items, name, capitals))) for row in (sub, sup))
                result.append(Script(inner[0] if inner else None, low, high, limits))
            case Command(command, arguments, option) if command not in ALPHABETS and command != r"\text":
                inside = tuple(Row(tuple(in_alphabet(row.items, name, capitals))) for row in arguments)
                result.append(Command(command, inside, option))
            case _:
                result.append(item)
    return result


def _has_form(token: str, name: str, capitals: bool) -> bool:
    """Whether an alphabet has a letter of its own; digits but 1 look as ever."""
    if len(token) != 1 or not token.isascii():
        return False
    return token.isupper() or (not capitals and (token.isalpha() or (token == "1" and name == r"\mathbb")))


def accent(name: str, body: Row) -> str:
    """The accent of this kind that stands over one drawn symbol, or over more."""
    match body.items:
        case ():
            return name
        case (Symbol(),):
            return NARROW.get(name, name)
        case (Command(inner),) if inner in ALPHABETS:
            return NARROW.get(name, name)
        case _:
            return WIDE.get(name, name)

"""``inktex labels``: labels cut into tokens, filtered, counted, and held against a vocabulary."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from inktex.commands.data import add_tokenizer, choose_tokenizer
from inktex.commands.output import add_json, check_targets, progress, write_json, write_lines
from inktex.errors import ConfigError, DataError, InktexError
from inktex.files import write_text

if TYPE_CHECKING:
    from inktex.data.formats.labels import Coverage, Label
    from inktex.data.formats.tokenizers import Tokenizer

_FORMS = ("json", "lines", "table")
_LACKING_SHOWN = 20


def add_labels(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex labels``."""
    parser.add_argument(
        "source", help="a Parquet file, or text with a label or NAME<TAB>LABEL a line, plain or gzipped"
    )
    add_tokenizer(parser, "whitespace")
    parser.add_argument("--output", metavar="FILE", help="write the tokens, a label a line")
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="report the tokens that this vocabulary lacks (JSON, a token a line, or TOKEN<TAB>ID a line); "
        "the tokenizer 'matching' matches with it",
    )
    parser.add_argument(
        "--replace-unknown",
        action="store_true",
        help="write <unk> to --output in place of tokens that the vocabulary lacks",
    )
    parser.add_argument(
        "--make-vocabulary", metavar="FILE", help="write a vocabulary of the labels' tokens, with <unk>"
    )
    parser.add_argument(
        "--min-count",
        type=int,
        default=1,
        help="tokens that occur less often are left out of it (default: 1)",
    )
    parser.add_argument(
        "--form", choices=_FORMS, default="json", help="the form of the vocabulary made (default: json)"
    )
    add_json(parser)


def run_labels(options: Namespace) -> int:
    """Cut, filter and count labels; make a vocabulary or report what one lacks."""
    from inktex.data.formats.labels import coverage, read_labels
    from inktex.data.formats.vocabularies import read_tokens

    _check_options(options)
    start = time.perf_counter()
    known = read_tokens(Path(options.vocabulary)) if options.vocabulary else None
    cut = choose_tokenizer(options.tokenizer or "whitespace", known)
    found, reasons = _cut(read_labels(Path(options.source)), cut)
    if not found:
        raise DataError(f"{options.source} holds no label that can be used: {next(iter(reasons))}")
    labels = [tokens for _, tokens in found]
    figures = _count(options.source, labels, reasons)
    report = None if known is None else coverage(labels, known)
    if report is not None:
        _print_coverage(options.vocabulary, report)
    if options.make_vocabulary:
        _make_vocabulary(options, labels)
    if options.output:
        write_lines(options.output, _lines(found, known if options.replace_unknown else None))
    if options.json:
        details = {"rejected": reasons, "vocabulary": None if report is None else asdict(report)}
        write_json(options.json, {**figures, **details, "seconds": round(time.perf_counter() - start, 3)})
    return 0


def _count(source: str, labels: Sequence[Sequence[str]], reasons: Counter[str]) -> dict[str, int]:
    """Print how many labels, tokens and types there are, and what was passed over; return the figures."""
    counts = Counter(token for label in labels for token in label)
    longest = max(map(len, labels))
    print(
        f"{source}: {len(labels):,} labels, {counts.total():,} tokens of {len(counts):,} types, "
        f"at most {longest:,} in a label"
    )
    for reason, count in reasons.most_common():
        print(f"{count:,} passed over: {reason}")
    return {"labels": len(labels), "tokens": counts.total(), "types": len(counts), "longest": longest}


def _check_options(options: Namespace) -> None:
    if options.min_count < 1:
        raise ConfigError(f"--min-count must be at least 1, got {options.min_count}")
    if options.replace_unknown and not (options.vocabulary and options.output):
        raise ConfigError("--replace-unknown needs --vocabulary FILE and --output FILE")
    check_targets(options.output, options.make_vocabulary, options.json)


def _cut(labels: Sequence[Label], cut: Tokenizer) -> tuple[list[tuple[str, tuple[str, ...]]], Counter[str]]:
    """Return names and tokens of the labels that can be used, and the reasons of the others."""
    from inktex.data.formats.labels import checked_label

    found: list[tuple[str, tuple[str, ...]]] = []
    reasons: Counter[str] = Counter()
    with progress("cutting", len(labels)) as (advance, _):
        for label in labels:
            try:
                found.append((label.name, checked_label(label.text, cut)))
            except InktexError as error:
                reasons[str(error)] += 1
            advance()
    return found, reasons


def _print_coverage(vocabulary: str, report: Coverage) -> None:
    if not report.lacking:
        print(f"{vocabulary} holds all tokens")
        return
    without = report.labels - report.labels_covered
    print(
        f"types that {vocabulary} lacks: {len(report.lacking):,} (tokens: "
        f"{report.tokens - report.tokens_covered:,}; labels: {without:,}, {without / report.labels:.2%})"
    )
    for lacking in report.lacking[:_LACKING_SHOWN]:
        print(f"  {lacking.token}  {lacking.count:,}, as in: {lacking.examples[0]}")
    if len(report.lacking) > _LACKING_SHOWN:
        print(f"  and {len(report.lacking) - _LACKING_SHOWN:,} more")


def _make_vocabulary(options: Namespace, labels: Sequence[Sequence[str]]) -> None:
    from inktex.data.formats.labels import coverage
    from inktex.data.formats.vocabularies import format_tokens
    from inktex.vocabulary import Vocabulary

    vocabulary = Vocabulary.build(labels, options.min_count, with_unknown=True)
    write_text(options.make_vocabulary, format_tokens(vocabulary, options.form))
    left = coverage(labels, vocabulary.tokens)
    print(
        f"{options.make_vocabulary}: {len(vocabulary):,} tokens, <pad>, <sos>, <eos> and <unk> among them; "
        f"types left out: {len(left.lacking):,} (tokens: {left.tokens - left.tokens_covered:,})"
    )


def _lines(found: Sequence[tuple[str, tuple[str, ...]]], known: Sequence[str] | None) -> list[str]:
    """Return the lines of the output; tokens that are not known become ``<unk>``."""
    from inktex.data.formats.labels import replaced
    from inktex.vocabulary import UNKNOWN

    labels = [tokens for _, tokens in found]
    texts = labels if known is None else replaced(labels, known, UNKNOWN)
    names = (f"{name}\t" if name else "" for name, _ in found)
    return [name + " ".join(tokens) for name, tokens in zip(names, texts, strict=True)]

"""``inktex import`` and ``inktex export-data``: data sets of the field to Parquet and back."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inktex.commands.output import add_json, check_targets, progress, write_json
from inktex.errors import ConfigError

if TYPE_CHECKING:
    from inktex.data.dataset import Sample
    from inktex.data.formats.sources import Rejected, Source
    from inktex.data.formats.tokenizers import Tokenizer

TOKENIZERS = ("whitespace", "latex", "character", "matching", "dialect")
_FORMATS = ("comer", "hmer", "pickle", "im2latex", "json", "hme100k", "text")
_REJECTED_SHOWN = 20
_UNKNOWN_SHOWN = 10


class _Tally:
    """What importing has come across so far."""

    def __init__(self) -> None:
        self.rejected: list[Rejected] = []
        self.splits: Counter[str] = Counter()
        self.polarities: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()  # tokens that matching has no entry for


def add_import(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex import``."""
    parser.add_argument(
        "source",
        help="a folder, a zip or tar archive or one file of a layout: InkML (CROHME, MathWriting), lists of "
        "captions, image-to-latex's lists, pickles, CSV, TSV, JSON, JSON lines, Parquet and image folders of "
        "Hugging Face, a text beside each picture; see docs/data.md",
    )
    parser.add_argument("output", help="the Parquet file to write")
    parser.add_argument(
        "--split", help="of several splits the one to take; where the layout names none, what to call it"
    )
    parser.add_argument(
        "--labels", metavar="FILE", help="the list of labels, if it does not lie beside the pictures"
    )
    add_tokenizer(parser, "what suits the layout")
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="what the tokenizer 'matching' matches with, in any of three forms",
    )
    _add_ratios(parser, "divide the samples at random into train, val and test, such as 70/10/20")
    add_json(parser)


def add_tokenizer(parser: ArgumentParser, default: str) -> None:
    """Declare ``--tokenizer NAME``."""
    parser.add_argument(
        "--tokenizer", choices=TOKENIZERS, help=f"how labels are cut into tokens (default: {default})"
    )


def choose_tokenizer(name: str, vocabulary: Sequence[str] | None) -> Tokenizer:
    """Return the tokenizer of a name; matching takes the tokens of a vocabulary file but its specials."""
    from inktex.data.formats.tokenizers import choose
    from inktex.data.formats.vocabularies import special_of

    if vocabulary is None:
        return choose(name)
    return choose(name, [token for token in vocabulary if special_of(token) is None])


def _add_ratios(parser: ArgumentParser, text: str) -> None:
    parser.add_argument("--ratios", metavar="A/B/C", help=text)
    parser.add_argument("--seed", type=int, default=0, help="of that division (default: 0)")


def run_import(options: Namespace) -> int:
    """Turn a data set of the field into a Parquet file."""
    from inktex.data.dataset import write_dataset
    from inktex.data.formats.sources import read_source
    from inktex.data.formats.vocabularies import read_tokens
    from inktex.data.splits import divide, parse_ratios

    _check_seed(options.seed)
    check_targets(options.output, options.json)
    start = time.perf_counter()
    ratios = None if options.ratios is None else parse_ratios(options.ratios)
    if options.vocabulary and options.tokenizer != "matching":
        raise ConfigError("--vocabulary is what --tokenizer matching matches with")
    known = None if options.vocabulary is None else read_tokens(Path(options.vocabulary))
    cut = None if options.tokenizer is None else choose_tokenizer(options.tokenizer, known)
    labels = None if options.labels is None else Path(options.labels)
    tally = _Tally()
    source = read_source(options.source, options.split, labels, cut)
    splits = None if ratios is None else divide(len(source), ratios, options.seed)
    try:
        with closing(_accepted(source, splits, cut, tally)) as samples:
            count = write_dataset(samples, options.output)
    finally:
        _print_rejected(tally.rejected)
    _print_tally(options.output, count, tally)
    if options.json:
        figures = {"count": count, "splits": tally.splits, "polarities": tally.polarities}
        rejected = {
            "rejected": [asdict(file) for file in tally.rejected],
            "reasons": _reasons(tally.rejected),
        }
        more = {"unknown": tally.unknown, "seconds": round(time.perf_counter() - start, 3)}
        write_json(options.json, {**figures, **rejected, **more})
    return 0


def _print_tally(output: str, count: int, tally: _Tally) -> None:
    by_split = ", ".join(f"{name or 'no split'} {rows:,}" for name, rows in tally.splits.items())
    print(f"{output}: {count:,} {'row' if count == 1 else 'rows'} ({by_split})")
    if tally.polarities:
        print("pictures: " + ", ".join(f"{name} {rows:,}" for name, rows in tally.polarities.items()))
    if tally.unknown:
        shown = ", ".join(f"{token} {times:,}" for token, times in tally.unknown.most_common(_UNKNOWN_SHOWN))
        more = ", ..." if len(tally.unknown) > _UNKNOWN_SHOWN else ""
        print(f"tokens without an entry in the vocabulary: {len(tally.unknown):,} ({shown}{more})")


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {seed}")


def _accepted(
    source: Source, splits: Sequence[str] | None, cut: Tokenizer | None, tally: _Tally
) -> Generator[Sample]:
    """Yield the samples of a source, behind a progress bar; take down all that is worth telling.

    Args:
        source: what is imported.
        splits: the split of each item, or None to leave them as they are.
        cut: how labels were cut, if the user said.
        tally: takes it down.
    """
    from inktex.data.formats.pictures import polarity
    from inktex.data.formats.sources import Rejected
    from inktex.data.formats.tokenizers import Matching

    entries = cut.entries if isinstance(cut, Matching) else None
    with progress("importing", len(source)) as (advance, _):
        for number, item in enumerate(source):
            if isinstance(item, Rejected):
                tally.rejected.append(item)
            else:
                sample = item if splits is None else replace(item, split=splits[number])
                tally.splits[sample.split] += 1
                if entries is not None:
                    tally.unknown.update(token for token in sample.tokens if token not in entries)
                if sample.ink is None and sample.image is not None:
                    tally.polarities[polarity(sample.image)] += 1
                yield sample
            advance()


def _print_rejected(rejected: Sequence[Rejected]) -> None:
    if rejected:
        print(f"{len(rejected):,} passed over:")
    for file in rejected[:_REJECTED_SHOWN]:
        print(f"  {file.name}: {file.reason}")
    if len(rejected) > _REJECTED_SHOWN:
        print(f"  and {len(rejected) - _REJECTED_SHOWN:,} more")
    for reason, count in _reasons(rejected).items():
        if count > 1:
            print(f"  {count:,} times: {reason}")


def _reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    """Count the reasons, the most frequent first."""
    return dict(Counter(file.reason for file in rejected).most_common())


def add_export_data(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex export-data``."""
    parser.add_argument("data", help="a Parquet file made by 'inktex import'")
    parser.add_argument("output", help="the folder to make, or a zip archive if the name ends in .zip")
    parser.add_argument("--format", required=True, choices=_FORMATS, help="the layout, see docs/data.md")
    _add_ratios(parser, "divide the samples anew into train, val and test, such as 70/10/20")
    add_json(parser)


def run_export_data(options: Namespace) -> int:
    """Write a Parquet file in one of the field's layouts."""
    from inktex.data.dataset import read_dataset
    from inktex.data.formats.targets import export_samples
    from inktex.data.splits import parse_ratios

    _check_seed(options.seed)
    check_targets(options.json)
    start = time.perf_counter()
    ratios = None if options.ratios is None else parse_ratios(options.ratios)
    samples = read_dataset(options.data)
    with progress("exporting", len(samples)) as (advance, _):
        done = export_samples(samples, Path(options.output), options.format, ratios, options.seed, advance)
    by_split = ", ".join(f"{name or 'no split'} {rows:,}" for name, rows in done.splits.items())
    print(f"{options.output}: {len(samples):,} expressions in {done.files:,} files ({by_split})")
    if done.drawn:
        print(f"drawn from ink, for want of a picture: {done.drawn:,}")
    if done.renamed:
        print(f"under another name, since theirs is none for a file or not theirs alone: {done.renamed:,}")
    if done.unfaithful:
        print(
            f"labels that 'inktex import' would cut into other tokens: {len(done.unfaithful):,}, "
            f"{done.unfaithful[0]!r} for one; its --tokenizer whitespace keeps all tokens without white space"
        )
    if options.json:
        figures = {"count": len(samples), **asdict(done)}
        write_json(options.json, {**figures, "seconds": round(time.perf_counter() - start, 3)})
    return 0

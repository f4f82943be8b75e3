"""The tables of accuracy in the documents: records of benchmarks in, lines of Markdown out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from inktex.metrics.uncertainty import wilson

Records = Mapping[str, Mapping[str, Any]]
YEARS = ("2014", "2016", "2019")
OURS, OTHERS = "here", "elsewhere"


class Measured(NamedTuple):
    """How a model reads one set."""

    name: str
    figures: Mapping[str, Any]
    where: str


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table; a single word in a row stands for a heading within it."""
    width = len(header)
    lines = [header, ["---"] * width, *(row if len(row) == width else [*row, *[""] * width] for row in rows)]
    return [f"| {' | '.join(line[:width])} |" for line in lines]


def interval(figures: Mapping[str, Any]) -> str:
    """Return Wilson's 95 % interval of an ExpRate, in percent."""
    right = round(figures["exprate"] * figures["count"] / 100)
    low, high = wilson(right, figures["count"])
    return f"{100 * low:.1f} to {100 * high:.1f}"


def of_set(records: Records, name: str) -> Mapping[str, Any]:
    """Return the figures of a set that was measured outside this repository."""
    figures: Mapping[str, Any] = records["measured_e8983e0"]["sets"][name]
    return figures


def parameters(million: float | None) -> str:
    """Return a number of parameters: a decimal below ten million, none above, billions as such."""
    if million is None:
        return ""
    if million >= 1000:
        return f"{million / 1000:.0f} B"
    return f"{million:.1f} M" if million < 10 else f"{million:.0f} M"


def ours(records: Records) -> list[list[str]]:
    """Return the rows of Inktex: name, parameters, 2014, 2016, 2019 with intervals."""
    size = parameters(records["size"]["figures"]["parameters"] / 1e6)
    pictures = [
        records["crohme2014"]["figures"],
        *(of_set(records, f"crohme{year} official pictures") for year in YEARS[1:]),
    ]
    ink = [of_set(records, f"crohme{year} ink") for year in YEARS[1:]]
    return [
        ["**Inktex**, the official pictures", size, *(f"**{each['exprate']:.2f}**" for each in pictures)],
        ["its 95 % interval", "", *map(interval, pictures)],
        ["**Inktex**, the ink itself", size, "", *(f"{each['exprate']:.1f}" for each in ink)],
        ["its 95 % interval", "", "", *map(interval, ink)],
    ]


def grouped(records: Records, rows: Mapping[str, list[list[str]]]) -> list[list[str]]:
    """Return the rows of all groups under their headings, Inktex between the two of others."""
    return [
        ["*trained on CROHME's expressions alone*"],
        *rows["crohme"],
        ["*with more labels and photos*"],
        *rows["ours"],
        ["*with far more data*"],
        *rows["far_more"],
    ]


def headline(records: Records) -> list[str]:
    """Return a few systems in three groups, with Inktex."""
    rows: dict[str, list[list[str]]] = {"crohme": [], "far_more": [], "ours": ours(records)}
    for system in records["published"]["figures"]["systems"]:
        if system["headline"]:
            sets = [system["sets"].get(year, {}).get("exprate") for year in YEARS]
            name = f"{system['system']} ({system['source']})"
            rows[system["group"]].append(
                [name, parameters(system["parameters_million"]), *(f"{each}" for each in sets)]
            )
    return table(["system", "parameters", *YEARS], grouped(records, rows))


def published_set(figures: Mapping[str, Any] | None) -> str:
    """Return what a source says of a set: ExpRate, its spread, and at most one and two errors."""
    if figures is None:
        return ""
    text = f"{figures['exprate']}"
    if "spread" in figures:
        text += f" +- {figures['spread']}"
    if "exprate_1" in figures:
        text += f" ({figures['exprate_1']} / {figures['exprate_2']})"
    return text


def accuracy(records: Records) -> list[str]:
    """Return all systems there are figures of, with their sources."""
    rows: dict[str, list[list[str]]] = {"crohme": [], "far_more": []}
    rows["ours"] = [[name, "", *others] for name, *others in ours(records)]
    for system in records["published"]["figures"]["systems"]:
        sets = [published_set(system["sets"].get(year)) for year in YEARS]
        if "average" in system:
            sets = ["", f"average {system['average']}", ""]
        size = parameters(system["parameters_million"])
        rows[system["group"]].append([system["system"], system["source"], size, *sets])
    return table(["system", "source", "parameters", *YEARS], grouped(records, rows))


def sets(records: Records) -> list[str]:
    """Return how the shipped model reads each set it was measured on."""
    measured = [
        Measured("CROHME 2013, ink", records["crohme2013"]["figures"], OURS),
        Measured("CROHME 2014, pictures", records["crohme2014"]["figures"], OURS),
        *(
            Measured(f"CROHME {year}, {kind.split()[-1]}", of_set(records, f"crohme{year} {kind}"), OTHERS)
            for year in YEARS[1:]
            for kind in ("official pictures", "ink")
        ),
        Measured("HME100K, photos", records["hme100k_sample"]["figures"], OURS),
        Measured("MLHME-38k, photos", records["mlhme38k_held"]["figures"], OURS),
        Measured("small model, 2013", records["small2013"]["figures"], OURS),
        Measured("small model, 2014", records["small2014"]["figures"], OURS),
    ]
    rows = []
    for name, figures, where in measured:
        more = (figures.get(key) for key in ("exprate_1", "exprate_2", "wer", "structure_rate"))
        shown = ("" if each is None else f"{each:.1f}" for each in more)
        exprate = f"{figures['exprate']:.2f} ({interval(figures)})"
        rows.append([name, f"{figures['count']:,}", exprate, *shown, where])
    header = ["set", "expressions", "ExpRate (95 %)", "<= 1", "<= 2", "WER", "structure", "measured"]
    return table(header, rows)


def confidence(records: Records) -> list[str]:
    """Return what a confidence is worth on the test sets."""
    rows = []
    for year in YEARS:
        error, _, bins = of_set(records, f"crohme{year} official pictures")["calibration"]
        most = bins[len(bins) // 2 :]
        right = sum(count * share for count, _, share in most) / sum(count for count, *_ in most)
        rows.append([f"CROHME {year}", f"{error:.3f}", f"{100 * right:.1f} %"])
    return table(["", "calibration error", "right among the most confident half"], rows)


CHANGES = {
    "clean": "as they are",
    "inverted": "inverted",
    "twice_the_size": "twice the size",
    "half_the_size": "half the size",
    "pen_2_px_thicker": "pen 2 px thicker",
    "pen_1_px_thinner": "pen 1 px thinner",
    "turned_plus_5_degrees": "turned by +5 degrees",
    "turned_minus_5_degrees": "turned by -5 degrees",
    "photographed": "blurred, noisy, shaded",
}


def robustness(records: Records) -> list[str]:
    """Return how the pictures of 2014 are read when they are changed."""
    figures = records["robustness"]["figures"]
    rows = []
    for key, name in CHANGES.items():
        each = figures[key]
        difference = f"{each['difference']:+.1f}" if key != "clean" else ""
        low, high = each["interval_95"]
        rows.append([name, f"{each['exprate']:.2f} ({low:.1f} to {high:.1f})", difference])
    return table(["pictures of 2014", "ExpRate (95 %)", "difference"], rows)


HARDER = {  # keys of the record by how well such pictures are read
    "read as well": (
        ("clean", "as they are"),
        ("double", "twice the size"),
        ("half", "half the size"),
        ("triple", "three times the size"),
        ("dark-on-light", "dark on light"),
        ("margins", "wide margins"),
        ("phone", "like a phone photo"),
        ("ruled", "on ruled paper"),
        ("squared", "on squared paper"),
        ("squared-dark", "on dark squared paper"),
    ),
    "read worse": (
        ("thick", "thick pen"),
        ("turned15", "turned by 15 degrees"),
        ("dot", "a large dot beside"),
        ("motion", "blurred by motion"),
        ("turned25", "turned by 25 degrees"),
    ),
    "not read": (
        ("margin-line", "a margin line beside"),
        ("underlined", "underlined"),
        ("frame", "in a frame"),
        ("boxed", "boxed"),
        ("circled", "circled"),
        ("page-edge", "with the edge of the page"),
        ("turned90", "turned by 90 degrees"),
        ("turned180", "upside down"),
    ),
}


def changed(records: Records) -> list[str]:
    """Return how 300 pictures of 2016 are read when they are changed more strongly."""
    figures = records["measured_e8983e0"]["sets"]["300 of crohme2016, changed"]
    rows = [
        [name, ", ".join(f"{text} {figures[key]:.1f}" for key, text in keys)] for name, keys in HARDER.items()
    ]
    return table(["300 pictures of 2016", "ExpRate"], rows)


def searches(records: Records) -> list[str]:
    """Return what each part of the search adds and costs."""
    names = {
        "greedy": "greedy, left to right",
        "beam": "beam of 3, pruned",
        "both_ways": "both directions, joint rescoring",
        "grammar": "grammar",
        "default": "second look: the default",
        "default_float32": "the default, all in float32",
    }
    first, second = (records[f"searches{year}"]["figures"] for year in (2013, 2014))
    rows = []
    for key, name in names.items():
        shown = (f"{each[key][figure]:.2f}" for each in (first, second) for figure in ("exprate", "wer"))
        rows.append([name, *shown, f"{second[key]['milliseconds']:.0f}"])
    return table(["", "2013", "WER", "2014", "WER", "ms a picture, 2014"], rows)

"""The tables of speed, size and training in the documents, and of where tokens stand."""

from __future__ import annotations

from figure_tables import Records, table


def speed_int8(records: Records) -> list[str]:
    """Return how many times as fast as CoMER's public export pictures of 2016 were read elsewhere."""
    record = records["measured_speed_e8983e0"]
    rows = []
    for turns in ("sixteen", "one"):
        for run in record[f"by turns of {turns}"]:
            ratios = (run.get(f"{key}_ratio") for key in ("mean", "median", "p95"))
            note = f", {run['note']}" if "note" in run else ""
            shown = ("" if each is None else f"{each} x" for each in ratios)
            rows.append([f"turns of {turns}{note}", *shown, f"{run['inktex_mean_ms']} ms"])
    return table(["", "mean", "median", "95th percentile", "Inktex, mean"], rows)


PEERS = {
    "comer_int8": "CoMER int8, dynamic width, random weights, greedy",
    "comer": "CoMER float32, pictures as they are, random weights, greedy",
    "without_state": "Inktex, reading the whole prefix at every step",
}


def speed(records: Records) -> list[str]:
    """Return the time of a picture, and how much longer others take."""
    figures = records["recognition"]["figures"]
    rows = []
    for name, part in (("sixteen", figures), ("one", figures.get("turns_of_one"))):
        if part is None:
            continue
        spread = part["one_by_one_ms"]["inktex"]
        rows.append([f"Inktex, turns of {name}", *(f"{value:.0f} ms" for value in spread.values())])
        for key, text in PEERS.items():
            if key in part["times_slower"]:
                ratios = part["times_slower"][key]
                rows.append([text, *(f"{ratios[figure]:.1f} x" for figure in ("mean", "median", "p95"))])
    if "cold_ms" in figures:
        cold = figures["cold_ms"]
        rows.append(["Inktex, one picture after a pause", *(f"{cold[key]:.0f} ms" for key in spread)])
    return table(["", "mean", "median", "95th percentile"], rows)


def cost(records: Records) -> list[str]:
    """Return what else recognition takes: time of a process, memory, bytes."""
    figures, size = records["examples"]["figures"], records["size"]["figures"]
    processes, memory, step = figures["processes"], figures["memory_mb"], figures["a_step"]
    scoring = records["scoring"]["figures"]
    return table(
        ["", ""],
        [
            ["`import inktex`", f"{processes['import_inktex_s']:.2f} s"],
            ["a process that reads one picture", f"{processes['recognize_one_picture_s']:.2f} s"],
            ["a step at token 150 against token 10, beams", f"{step['beams']['ratio']:.1f} x"],
            ["the same, greedily", f"{step['greedy']['ratio']:.1f} x"],
            ["most memory, one picture", f"{memory['one_picture']:.0f} MB"],
            ["most memory, all examples in one call", f"{memory['all']:.0f} MB"],
            ["model folder, shipped", f"{size['shipped_mb']:.1f} MB"],
            ["model folder, small", f"{size['small_mb']:.1f} MB"],
            [f"scoring {scoring['count']:,} predictions", f"{scoring['seconds']:.1f} s"],
        ],
    )


def training(records: Records) -> list[str]:
    """Return how fast training goes on two cores."""
    figures = records["train_step"]["figures"]
    share = figures["share"]
    parts = ", ".join(f"{100 * share[key]:.0f} % {key}" for key in ("forward", "backward", "update"))
    return table(
        ["", ""],
        [
            ["pictures a second", f"{figures['pictures_per_second']:.1f}"],
            [f"an epoch of {figures['epoch_pictures']:,}", f"{figures['epoch_s']:.0f} s"],
            ["of this time", parts],
        ],
    )


def boxes(records: Records) -> list[str]:
    """Return how well the places of tokens agree with annotated ink."""
    figures = records["boxes2014"]["figures"]
    return table(
        [f"{figures['tokens']:,} tokens of {figures['expressions']} expressions of CROHME 2014", ""],
        [
            ["centre of the box within the written symbol's", f"{figures['centre_inside']:.1f} %"],
            ["overlap of both boxes (intersection over union), mean", f"{figures['overlap_mean']:.2f}"],
        ],
    )

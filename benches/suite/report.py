"""Rows of the table: the measurement, the comparison, the ratio, the aim; and the forms in which they are shown."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Row:
    """One line. `ratio` is the median over the rounds of ours : beside, each taken in the same round."""

    what: str
    ours: float
    unit: str
    beside: float | None = None
    beside_what: str = ""
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None
    why: str = ""  # the honest sentence, shown when the aim is missed
    guard: tuple | None = None  # ("at most" | "at least", bound): what a short run with debug binaries must keep


def median(values):
    return statistics.median(values)


def paired(ours, beside):
    """Median of the ratios of the rounds."""
    return median([a / b for a, b in zip(ours, beside, strict=True) if b])


def compare(what, unit, ours, beside, beside_what, at_most=None, at_least=None, why=""):
    """A row from the rounds of two systems, with an aim for their ratio."""
    ratio = paired(ours, beside)
    row = Row(what, median(ours), unit, median(beside), beside_what, ratio)
    return aimed(row, ratio, "x", at_most, at_least, why)


def single(what, unit, ours, at_most=None, at_least=None, why=""):
    """A row from the rounds of one system, with an aim for its value."""
    value = median(ours)
    return aimed(Row(what, value, unit), value, unit, at_most, at_least, why)


def aimed(row, value, unit, at_most, at_least, why):
    if at_most is not None:
        row.aim, row.met = f"<= {at_most:g} {unit}".strip(), value <= at_most
    if at_least is not None:
        row.aim, row.met = f">= {at_least:g} {unit}".strip(), value >= at_least
    row.why = why
    return row


def guarded(row, at_most=None, at_least=None):
    """The row with a wide bound on its ratio (on its value if it has none); a short run fails beyond it."""
    row.guard = ("at most", at_most) if at_most is not None else ("at least", at_least)
    return row


def verdicts(groups):
    """For each guarded row whether its bound holds, and how to say so."""
    for title, rows in groups:
        for row in rows:
            if row.guard:
                value = row.ours if row.ratio is None else row.ratio
                word, bound = row.guard
                good = value <= bound if word == "at most" else value >= bound
                beside = f" : {row.beside_what}" if row.beside_what else ""
                yield good, f"{title.split(':')[0]}: {row.what}{beside} is {number(value)}, {word} {bound:g}"


def number(value):
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def figure(row):
    """Ours, with its unit if it has one."""
    return f"{number(row.ours)} {row.unit}".strip()


def cells(row):
    beside = f"{number(row.beside)} ({row.beside_what})" if row.beside is not None else ""
    ratio = f"{row.ratio:.2f} x" if row.ratio is not None else ""
    verdict = {True: "met", False: "**missed**", None: ""}[row.met]
    return [row.what, figure(row), beside, ratio, row.aim, verdict]


MARK = "<!-- from here on: benches/run --record -->"
HEAD = ["measure", "ours", "beside us", "ratio", "aim", ""]


def text(groups):
    """The table for a terminal."""
    lines = []
    for title, rows in groups:
        table = [HEAD, *(cells(row) for row in rows)]
        widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
        lines += ["", title]
        for line in table:
            lines.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip().replace("**", ""))
    return "\n".join(lines)


def markdown(groups, facts):
    """The table as it stands in BENCHMARKS.md."""
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]
    missed = []
    for title, rows in groups:
        lines += ["", f"### {title}", "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
        for row in rows:
            lines.append("| " + " | ".join(cells(row)) + " |")
            if row.met is False:
                value = f"{row.ratio:.2f} x" if row.ratio is not None and row.aim.endswith("x") else figure(row)
                missed.append(f"- *{title}, {row.what}*: {value}, aim {row.aim}. {row.why}".rstrip())
    lines += ["", "### Aims missed", "", *(missed or ["None."])]
    return "\n".join(lines) + "\n"


def record(path, table):
    """Puts the table below a mark in a file, in place of the earlier one."""
    head, mark, _ = path.read_text().partition(MARK)
    if not mark:
        raise SystemExit(f"{path} has no line {MARK}")
    path.write_text(f"{head}{mark}\n{table}")


def beside_earlier(groups, raw, facts, earlier):
    """The groups and raw figures of this run, with those of an earlier run of the same build for groups that this one left out."""
    if earlier["facts"]["ours"] != facts["ours"]:
        return groups, raw
    again = [title for title, _ in groups]
    kept = [(group["title"], [Row(**row) for row in group["rows"]]) for group in earlier["groups"] if group["title"] not in again]
    # Titles begin with the group's number.
    return sorted(kept + groups, key=lambda group: group[0]), earlier["raw"] | raw


def to_json(groups, facts, raw):
    return json.dumps(
        {
            "facts": facts,
            "groups": [{"title": title, "rows": [dataclasses.asdict(row) for row in rows]} for title, rows in groups],
            "raw": raw,
        },
        indent=1,
    )

"""The report: medians with their range, and the ratios that count."""

import statistics

from .cast import Subject
from .drive import IDLE, STREAMS

LOADS = [
    ("0.7 KB, 1 connection", "small-1"),
    ("0.7 KB, 16 connections", "small-16"),
    ("0.7 KB, 64 connections", "small-64"),
    ("32 KB, 16 connections", "large-16"),
    ("personal data, 16 connections", "personal-16"),
]


def tables(subjects: list[Subject], rounds: int, seconds: float) -> None:
    named = {it.name: it for it in subjects}
    rows = []
    for title, what in LOADS:
        rows += [
            (f"requests/s, {title}", f"rate-{what}", "{:,.0f}"),
            (f"p50 µs, {title}", f"p50-{what}", "{:,.0f}"),
            (f"p99 µs, {title}", f"p99-{what}", "{:,.0f}"),
        ]
    rows += [
        (f"streams/s, {STREAMS} connections", "streams", "{:,.0f}"),
        ("first byte p50 µs", "first-p50", "{:,.0f}"),
        ("first byte p99 µs", "first-p99", "{:,.0f}"),
        ("resident MB after", "memory", "{:,.0f}"),
    ]
    print(f"\nMedians of {rounds} rounds of {seconds:g} s each (lowest to highest); the last columns are ratios of each round.\n")
    print("| measure | " + " | ".join(it.name for it in subjects) + " | ordain / nginx | ordain / hyper |")
    print("|---|" + "---|" * (len(subjects) + 2))
    for title, what, form in rows:
        cells = [_range(it.samples[what], form) for it in subjects]
        ratios = [_range(_ratios(named["ordain"], named[it], what), "{:.2f}") for it in ("nginx", "hyper")]
        print(f"| {title} | " + " | ".join(cells + ratios) + " |")
    print("\nCPU µs a request at 64 connections, by part:\n")
    for it in subjects:
        spent = {part[4:]: statistics.median(values) for part, values in it.samples.items() if part.startswith("cpu-")}
        print(f"  {it.name:10} " + ", ".join(f"{part} {micros:.1f}" for part, micros in spent.items() if micros >= 0.5))


def added(subjects: list[Subject], parts: dict[str, float], syncs: tuple[float, float]) -> None:
    named = {it.name: it for it in subjects}
    print()
    for percentile in ("p50", "p99"):
        pairs = zip(named["ordain"].samples[f"{percentile}-small-1"], named["nginx"].samples[f"{percentile}-small-1"])
        print(f"added {percentile} over nginx, 1 connection: {_range([mine - theirs for mine, theirs in pairs], '{:+,.0f}')} µs")
    print("of which, by Server-Timing (medians): " + ", ".join(f"{name} {micros:,.0f} µs" for name, micros in parts.items()))
    records = parts.get("record", 0.0)
    over = statistics.median(named["ordain"].samples["p50-small-1"]) - statistics.median(named["nginx"].samples["p50-small-1"])
    print(f"added p50 without waiting for records: {over - records:+,.0f} µs")
    print(f"two plain appends with fdatasync: p50 {syncs[0]:,.0f}, p99 {syncs[1]:,.0f} µs; waiting for records is {records / syncs[0]:.2f} of that")


def idle(subjects: list[Subject], kib: dict[str, float]) -> None:
    print(f"KiB for each of {IDLE:,} idle connections: " + ", ".join(f"{it.name} {kib[it.name]:.1f}" for it in subjects))


def _ratios(mine: Subject, theirs: Subject, what: str) -> list[float]:
    return [one / max(other, 1e-9) for one, other in zip(mine.samples[what], theirs.samples[what])]


def _range(values: list[float], form: str) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{form.format(middle)} ({form.format(low)} to {form.format(high)})"

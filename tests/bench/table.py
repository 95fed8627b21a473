#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""table.py SAMPLES: the table of a bench.

A line of SAMPLES is `sample SERIES VALUE' (the n-th of a series belongs to the
n-th of every other), `fact TEXT' or `skip SERIES REASON'. A goal is reached if
every pair reaches it, not reached if none does; else it is not decided."""
import statistics
import sys
from collections import defaultdict

# series, what it is, unit
SERIES = (
    ("full", "full export, durable, digests, manifest", "s"),
    ("nbdcopy", "nbdcopy, same kind of job, raw, not synced", "s"),
    ("null", "the machine's limit: nbdcopy to null:", "s"),
    ("convert", "qemu-img convert -W -m 8, NBD to qcow2", "s"),
    ("push", "push mode into qcow2", "s"),
    ("vnb-full", "virtnbdbackup full", "s"),
    ("zstd", "full export --compress=zstd", "s"),
    ("convert-zstd", "qemu-img convert -c zstd -W -m 8", "s"),
    ("zstd-size", "  size of the compressed export", "MiB"),
    ("convert-zstd-size", "  size of qemu-img's", "MiB"),
    ("inc", "increment, 8 MiB of changes", "s"),
    ("inc-freeze", "increment, guest frozen and thawed", "s"),
    ("inc-sync", "  fsync calls in an increment, sum", "s"),
    ("libvirt", "libvirt's own begin + end", "s"),
    ("vnb-inc", "virtnbdbackup inc", "s"),
    ("wide", "increment, 1 TiB disk, 100 MiB in 1000 places", "s"),
    ("plan", "  such an increment up to its first byte", "s"),
    ("audit-empty-all", "increment, all audited, 8 GiB, empty", "s"),
    ("audit-empty", "  what the audit takes of it", "s"),
    ("audit-empty-null", "  nbdcopy to null:, the same disk", "s"),
    ("audit-wide-all", "increment, all audited, 1 TiB, empty", "s"),
    ("audit-wide", "  what the audit takes of it", "s"),
    ("audit-wide-null", "  nbdcopy to null:, the same disk", "s"),
    ("audit-data-all", "increment, all audited, 2 GiB of data", "s"),
    ("audit-data", "  what the audit takes of it", "s"),
    ("audit-data-null", "  nbdcopy to null:, the same disk", "s"),
    ("audit-data-full", "  full export, the same disk", "s"),
    ("hwm-full", "VmHWM, full export", "MiB"),
    ("pss-full", "PSS of program and guard, full export", "MiB"),
    ("hwm-inc", "VmHWM, increment", "MiB"),
    ("pss-inc", "PSS of program and guard, increment", "MiB"),
    ("hwm-fast", "VmHWM, generated data", "MiB"),
    ("hwm-scattered", "VmHWM, scattered extents, payload dropped", "MiB"),
    ("iops-alone", "guest's writes alone", "/s"),
    ("iops-full", "guest's writes during exports", "/s"),
    ("iops-push", "guest's writes during push mode", "/s"),
    ("p99-alone", "guest's 99th percentile latency alone", "ms"),
    ("p99-full", "guest's 99th percentile during exports", "ms"),
    ("p99-push", "guest's 99th percentile during push mode", "ms"),
    ("list", "list of 1000 domains with 5 points each", "s"),
    ("list-virsh", "virsh checkpoint-list of each, one process", "s"),
    ("window", "eight guests: from first freeze to last thaw", "s"),
    ("window-virsh", "  virsh, one after the other", "s"),
    ("group", "eight guests, 128 MiB each, in one export", "s"),
    ("singles", "  in eight exports", "s"),
    ("hwm-group", "VmHWM, export of eight guests", "MiB"),
    ("pss-group", "PSS of program and guards, the same", "MiB"),
)

# what, series, divided by series or None, at most or at least, limit
GOALS = (
    ("full: at most 1.15 x nbdcopy", "full", "nbdcopy", "<=", 1.15),
    ("full: 3 x faster than virtnbdbackup", "vnb-full", "full", ">=", 3),
    ("full: 1.8 x faster than convert", "convert", "full", ">=", 1.8),
    ("full: no slower than push mode", "full", "push", "<=", 1),
    ("zstd: 2 x faster than convert -c", "convert-zstd", "zstd", ">=", 2),
    ("zstd: at most 3 % larger", "zstd-size", "convert-zstd-size", "<=", 1.03),
    ("increment: at most 0.30 s", "inc", None, "<=", 0.30),
    ("increment: at most 3 x begin + end", "inc", "libvirt", "<=", 3),
    ("increment: 4 x faster than virtnbdbackup", "vnb-inc", "inc", ">=", 4),
    ("planning: less than 1 s", "plan", None, "<=", 1),
    ("audit: an empty disk of 8 GiB, 0.2 s", "audit-empty", None, "<=", 0.2),
    ("audit: an empty disk of 1 TiB, 1 s", "audit-wide", None, "<=", 1),
    ("audit: at most 1.3 x reading the data", "audit-data", "audit-data-null",
     "<=", 1.3),
    ("audit: no slower than a full export", "audit-data", "audit-data-full",
     "<=", 1),
    ("memory: full export, 64 MiB", "hwm-full", None, "<=", 64),
    ("memory: full export, with the guard", "pss-full", None, "<=", 64),
    ("memory: increment, 64 MiB", "hwm-inc", None, "<=", 64),
    ("memory: increment, with the guard", "pss-inc", None, "<=", 64),
    ("memory: generated data, 64 MiB", "hwm-fast", None, "<=", 64),
    ("memory: scattered extents, 64 MiB", "hwm-scattered", None, "<=", 64),
    ("list: at most 3 s", "list", None, "<=", 3),
    ("list: no slower than virsh", "list", "list-virsh", "<=", 1),
    ("group: 4 x shorter than with virsh", "window-virsh", "window", ">=", 4),
    ("group: guests stand still for 1 s", "window", None, "<=", 1),
    ("group: no slower than one by one", "group", "singles", "<=", 1),
    ("memory: eight guests, all processes", "pss-group", None, "<=", 128),
)

VERDICTS = {True: "reached", False: "NOT REACHED", None: "not decided"}


def read(path):
    samples, facts, skips = defaultdict(list), [], {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, _, rest = line.rstrip("\n").partition(" ")
            name, _, value = rest.partition(" ")
            if kind == "sample":
                samples[name].append(float(value))
            elif kind == "skip":
                skips[name] = value
            else:
                facts.append(rest)
    return samples, facts, skips


def number(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def spread(values):
    return (
        f"{number(statistics.median(values)):>8}"
        f"  {number(min(values)):>8} - {number(max(values)):<8}"
    )


def print_series(samples, skips):
    print(f"{'':48}{'':5}{'median':>8}  {'min':>8} - {'max':<8}   n")
    for name, text, unit in SERIES:
        values = samples.get(name)
        if values:
            print(f"{text:48}{unit:5}{spread(values)}  {len(values):2}")
        elif name in skips:
            print(f"{text:48}{unit:5}not measured: {skips[name]}")


def judge(values, sign, limit):
    good = [v <= limit if sign == "<=" else v >= limit for v in values]
    if all(good):
        return True
    return None if any(good) else False


def print_goals(samples):
    print(f"{'goal':44}{'median':>8}  {'min':>8} - {'max':<8}   verdict")
    for text, name, other, sign, limit in GOALS:
        values = samples.get(name, [])
        if other is not None:
            pairs = zip(values, samples.get(other, []))
            values = [a / b for a, b in pairs if b > 0]
        if values:
            verdict = VERDICTS[judge(values, sign, limit)]
            print(f"{text:44}{spread(values)}   {verdict}")
        else:
            print(f"{text:44}not measured")


def main():
    samples, facts, skips = read(sys.argv[1])
    for fact in facts:
        print(fact)
    print()
    print_series(samples, skips)
    print()
    print_goals(samples)


main()

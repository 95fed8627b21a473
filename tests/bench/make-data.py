#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make-data.py FILE SIZE DATA: a sparse file of SIZE bytes, DATA of them in
runs of 4 MiB that lie evenly, random bytes and text in turn."""
import hashlib
import random
import sys

RUN = 4 << 20
CLUSTER = 65536


def make_text(length):
    source = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgk"
    words = [
        "".join(source.choices(letters, k=source.randint(2, 11)))
        for _ in range(4000)
    ]
    weights = [1 / (i + 3) for i in range(len(words))]
    lines = []
    while length > 0:
        line = " ".join(source.choices(words, weights, k=12)) + "\n"
        lines.append(line)
        length -= len(line)
    return "".join(lines).encode()


def main():
    path, size, data = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    count = data // RUN
    text = make_text(2 * RUN)
    with open(path, "wb") as file:
        file.truncate(size)
        for i in range(count):
            file.seek(i * size // count // CLUSTER * CLUSTER)
            if i % 2:
                # Another begin each time, so that no two clusters are equal.
                begin = i * 7919 % (len(text) - RUN)
                file.write(text[begin:begin + RUN])
            else:
                file.write(hashlib.shake_128(b"%d" % i).digest(RUN))


main()

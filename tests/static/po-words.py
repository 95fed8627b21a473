#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints each translation that lost a word which is to be typed as it stands:
options, commands of ours and of virsh, and the names that usage gives operands
(DIRECTORY, NAME=VALUE)."""

import re
import sys

COMMANDS = sys.argv[2].split()
TYPED = re.compile(
    r"--[a-z][a-z-]+|virsh [a-z-]+|qemu-img (?:amend|bitmap|check|convert|info)|\b[A-Z][A-Z_]{2,}\b|"
    r"virt-refpoint (?:%s)\b" % "|".join(COMMANDS))
FIELD = re.compile(r'(msgid_plural|msgid|msgstr)(?:\[\d+\])? "(.*)"$')


def entries(lines):
    """Lists of (field, text), each list one message and its translations."""
    found = []
    for line in lines:
        match = FIELD.match(line)
        if match and match.group(1) == "msgid":
            found.append([])
        if match:
            found[-1].append([match.group(1), match.group(2)])
        elif line.startswith('"') and found:
            found[-1][-1][1] += line.rstrip("\n")[1:-1]
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as po:
        for entry in entries(po):
            message = entry[0][1]
            for field, text in entry[1:]:
                lost = set(TYPED.findall(message)) - set(TYPED.findall(text))
                if field == "msgstr" and message and text and lost:
                    print(f"{sorted(lost)}: {text}")


main()

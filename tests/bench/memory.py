#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory.py COMMAND...: runs it and prints, in MiB, the highest resident size
of its process (VmHWM) and the highest sum of the proportional sizes (PSS) of
it and the guards in the same runtime directory."""
import os
import subprocess
import sys
import time

GUARD = "virt-refpoint-guard"


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def field(text, name):
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def is_guard(pid):
    runtime = b"XDG_RUNTIME_DIR=" + os.environb.get(b"XDG_RUNTIME_DIR", b"")
    return (
        read(pid, "comm").strip() == GUARD[:15].encode()
        and runtime in read(pid, "environ").split(b"\0")
    )


def main():
    high = total = 0
    with subprocess.Popen(
        sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as child:
        while child.poll() is None:
            pids = [pid for pid in os.listdir("/proc") if pid.isdigit()]
            pids = [str(child.pid)] + [pid for pid in pids if is_guard(pid)]
            pss = sum(field(read(pid, "smaps_rollup"), b"Pss:") for pid in pids)
            total = max(total, pss)
            high = max(high, field(read(child.pid, "status"), b"VmHWM:"))
            time.sleep(0.02)
    print(f"{high / 1024:.1f} {total / 1024:.1f}")
    sys.exit(child.returncode)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make-domains.py FOLDER DOMAINS POINTS: domains that are shut off, each with a
line of checkpoints, as a libvirt that is not running keeps them in FOLDER.
Defining them one by one takes it many minutes: it syncs each file."""
import os
import sys

DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>{notes}</metadata>
  <memory unit='KiB'>65536</memory>
  <vcpu placement='static'>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/{name}.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/{name}-data.qcow2'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""

CHECKPOINT = """<domaincheckpoint>
  <name>{point}</name>
  <description>virt-refpoint 1 point={guid} set={set}</description>
  {parent}
  <creationTime>{time}</creationTime>
  <disks>
    <disk name='vda' checkpoint='bitmap' bitmap='{point}'/>
    <disk name='vdb' checkpoint='bitmap' bitmap='{point}'/>
  </disks>
  {domain}
</domaincheckpoint>
"""

NOTES = "<refpoint:points xmlns:refpoint='urn:virt-refpoint:domain:1' domain='{}'>"
NOTE = "<point guid='{guid}' name='{point}' set='{set}' state='published'/>"


def guid(domain, number):
    return f"{domain:08x}-0000-4000-8000-{number:012x}"


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def points(domain, n):
    return [
        {
            "point": f"point{i}",
            "guid": guid(domain, i),
            "set": guid(domain, 999),
            "time": 1700000000 + i * 86400,
            "parent": f"<parent><name>point{i - 1}</name></parent>" * (i > 1),
        }
        for i in range(1, n + 1)
    ]


def make(folder, number, n):
    name, uuid = f"vm{number}", guid(number, 0)
    line = points(number, n)
    notes = NOTES.format(uuid)
    notes += "".join(NOTE.format(**point) for point in line)
    notes += "</refpoint:points>"
    text = DOMAIN.format(name=name, uuid=uuid, notes=notes)
    write(f"{folder}/{name}.xml", text)
    checkpoints = f"{folder}/checkpoint/{name}"
    os.makedirs(checkpoints)
    for point in line:
        write(
            f"{checkpoints}/{point['point']}.xml",
            CHECKPOINT.format(domain=text, **point),
        )


def main():
    folder, domains, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for number in range(1, domains + 1):
        make(folder, number, n)


main()

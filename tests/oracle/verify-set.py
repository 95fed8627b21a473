#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recompute everything that an export set says about itself.

Shares no code with virt-refpoint: written from refpoint-export(5) and QEMU's
docs/interop/qcow2.txt, standard library and qemu-img only.  Simple rather than
fast: meant for disks of some hundred MiB.

    verify-set.py DIRECTORY [--point NAME] [--json] [--strict]
    verify-set.py --digest-of RAWFILE [--size BYTES]

Exit status: 0 all right, 1 damage (one line each), 2 wrong usage.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

NS = "{urn:virt-refpoint:export:1}"
INTEGRITY = "{urn:virt-refpoint:integrity:1}integrity"
# The last line of a file: SHA-256 of all before it.
SEAL = re.compile(rb"<!-- sha256 ([0-9a-f]{64}) -->\n\Z")
CLUSTER = 65536
GROUP = 16384
ZERO_LEAF = bytes(32)
ENTRY = struct.Struct("<Q32s")

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "..", "..", "data", "refpoint-export.rng")


class Damage(Exception):
    """Something that makes further checks of the same object useless."""


# ---- Digests --------------------------------------------------------------

def count(size, unit):
    return (size + unit - 1) // unit


def data_ranges(fd, size):
    """Ranges of a file that are not holes."""
    offset = 0
    while offset < size:
        try:
            start = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError:
            return
        end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        yield start, end
        offset = end


def leaves_of(path, size):
    """{cluster: leaf} of a raw image, clusters that are zero left out."""
    leaves = {}
    zero = bytes(CLUSTER)
    with open(path, "rb") as raw:
        for start, end in data_ranges(raw.fileno(), size):
            for cluster in range(start // CLUSTER, count(end, CLUSTER)):
                if cluster in leaves:
                    continue
                at = cluster * CLUSTER
                data = os.pread(raw.fileno(), min(CLUSTER, size - at), at)
                data += bytes(min(CLUSTER, size - at) - len(data))
                if data != zero[:len(data)]:
                    leaves[cluster] = hashlib.sha256(data).digest()
    return leaves


def groups_of(leaves, size):
    clusters = count(size, CLUSTER)
    touched = {cluster // GROUP for cluster in leaves}
    groups = []
    for group in range(count(clusters, GROUP)):
        first = group * GROUP
        last = min(first + GROUP, clusters)
        if group not in touched:
            groups.append(ZERO_LEAF)
            continue
        digest = hashlib.sha256()
        for cluster in range(first, last):
            digest.update(leaves.get(cluster, ZERO_LEAF))
        groups.append(digest.digest())
    return groups


def view_of(groups, size):
    return hashlib.sha256(b"refpoint-view-1" + struct.pack("<Q", size) +
                          b"".join(groups)).digest()


class DigestFile:
    """A .digests file taken apart."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        if len(data) < 128:
            raise Damage("shorter than header and trailer")
        magic, form, cluster, self.size, group = struct.unpack_from(
            "<8sIIQI", data)
        if (magic, form, cluster, group) != (b"RFPDIG1\0", 1, CLUSTER, GROUP):
            raise Damage("wrong header")
        if any(data[28:64]):
            raise Damage("bytes 28 to 63 are not zero")
        trailer = data[-64:]
        n_entries, n_groups, self.view = struct.unpack_from("<QQ32s", trailer)
        if trailer[48:] != bytes(8) + b"RFPDEND\0":
            raise Damage("wrong trailer")
        if len(data) != 128 + 40 * n_entries + 32 * n_groups:
            raise Damage("its size does not fit its counts")
        if n_groups != count(self.size, CLUSTER * GROUP):
            raise Damage("wrong number of groups")
        entries = list(ENTRY.iter_unpack(data[64:64 + 40 * n_entries]))
        for before, after in zip(entries, entries[1:]):
            if before[0] >= after[0]:
                raise Damage("entries are not in order")
        if entries and entries[-1][0] >= count(self.size, CLUSTER):
            raise Damage("an entry lies behind the disk's end")
        self.entries = dict(entries)
        table = data[64 + 40 * n_entries:-64]
        self.groups = [table[i:i + 32] for i in range(0, len(table), 32)]


# ---- qcow2 ----------------------------------------------------------------

class Qcow2:
    """Header and mapping of an image, read without QEMU."""

    def __init__(self, path):
        with open(path, "rb") as self.file:
            self.length = os.fstat(self.file.fileno()).st_size
            self.read_header()
            self.read_tables()
        del self.file

    def pread(self, length, offset):
        data = os.pread(self.file.fileno(), length, offset)
        if len(data) != length:
            raise Damage("it ends at byte %d of %d" %
                         (offset + len(data), offset + length))
        return data

    def read_header(self):
        header = self.pread(104, 0)
        (magic, version, backing_at, backing_len, cluster_bits, self.size,
         crypt, self.l1_entries, self.l1_at, _, _, snapshots, _,
         incompatible, _, _, order, length) = struct.unpack(
             ">4sIQIIQIIQQIIQQQQII", header)
        if magic != b"QFI\xfb" or version != 3:
            raise Damage("no qcow2 image of version 3")
        for name, value, wanted in (("cluster bits", cluster_bits, 16),
                                    ("encryption", crypt, 0),
                                    ("snapshots", snapshots, 0),
                                    ("refcount order", order, 4)):
            if value != wanted:
                raise Damage("%s: %d, not %d" % (name, value, wanted))
        # 8: compression type; all others: dirty, corrupt, data file, ...
        if incompatible & ~8:
            raise Damage("incompatible features %#x" % incompatible)
        self.zstd = False
        if incompatible & 8:
            if length < 105 or self.pread(1, 104) != b"\1":
                raise Damage("compressed, but not with zstd")
            self.zstd = True
        self.backing = None
        if backing_at:
            if backing_len > 1023:
                raise Damage("name of the backing file too long")
            self.backing = self.pread(backing_len, backing_at).decode()
        self.read_extensions(length)

    def read_extensions(self, at):
        self.backing_format = None
        while True:
            kind, length = struct.unpack(">II", self.pread(8, at))
            if kind == 0:
                return
            if kind == 0xe2792aca:
                self.backing_format = self.pread(length, at + 8).decode()
            if kind == 0x44415441:
                raise Damage("it has an external data file")
            at += 8 + count(length, 8) * 8
            if at >= CLUSTER:
                raise Damage("header extensions without an end")

    def read_tables(self):
        self.data = set()
        self.zero = set()
        self.compressed = set()
        wanted = count(self.size, CLUSTER * (CLUSTER // 8))
        if not wanted <= self.l1_entries <= 1 << 22:
            raise Damage("L1 table of %d entries" % self.l1_entries)
        table = self.pread(8 * self.l1_entries, self.l1_at)
        for i, (entry,) in enumerate(struct.iter_unpack(">Q", table)):
            at = entry & 0x00fffffffffffe00
            if at:
                self.read_l2(i * (CLUSTER // 8), at)

    def read_l2(self, first, at):
        table = self.pread(CLUSTER, at)
        if not any(table):
            return
        clusters = count(self.size, CLUSTER)
        for i, (entry,) in enumerate(struct.iter_unpack(">Q", table)):
            cluster = first + i
            if entry == 0:
                continue
            if cluster >= clusters:
                raise Damage("cluster %d lies behind the end" % cluster)
            if entry & 1 << 62:
                self.compressed.add(cluster)
                self.check_compressed(cluster, entry)
            elif entry & 1:
                self.zero.add(cluster)
            elif entry & 0x00fffffffffffe00:
                self.data.add(cluster)
                if (entry & 0x00fffffffffffe00) + CLUSTER > self.length:
                    raise Damage("cluster %d lies behind the file's end" %
                                 cluster)

    def check_compressed(self, cluster, entry):
        at = entry & (1 << 54) - 1
        sectors = 1 + (entry >> 54 & 0xff)
        if entry >> 63 or not self.zstd:
            raise Damage("cluster %d cannot be compressed" % cluster)
        if at // 512 * 512 + sectors * 512 > self.length:
            raise Damage("cluster %d lies behind the file's end" % cluster)
        if sectors * 512 > CLUSTER + 512:
            raise Damage("cluster %d is larger than plain" % cluster)

    def stored(self):
        return self.data | self.zero | self.compressed


# ---- The set --------------------------------------------------------------

class Disk:
    """A disk of a point, as its manifest has it."""

    def __init__(self, point, vm, element):
        self.point = point
        self.vm = vm.get("uuid").lower()
        self.target = element.get("target")
        self.mode = element.get("mode")
        self.base = None
        self.good = None       # whether the image and its chain can be opened
        self.leaves = None
        self.digest_file = None
        if self.mode == "left-out":
            return
        view = element.find(NS + "view")
        image = element.find(NS + "image")
        digests = element.find(NS + "digests")
        base = element.find(NS + "base")
        self.size = int(view.get("size"))
        self.view = bytes.fromhex(view.get("digest"))
        self.image = image.get("path")
        self.image_size = int(image.get("file-size"))
        self.stored = int(image.get("stored"))
        self.compression = image.get("compression")
        self.digests = digests.get("path")
        self.digests_size = int(digests.get("size"))
        self.digests_sha256 = digests.get("sha256").lower()
        if self.mode == "increment":
            self.base_guid = base.get("point").lower()
            self.base_view = bytes.fromhex(base.get("view"))
        elif base is not None or self.mode != "full":
            raise ValueError("mode")

    def key(self):
        return self.vm, self.target


def microseconds(text):
    """Since 1970, of a time of a manifest; None: it has none."""
    if text is None:
        return None
    since = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - \
        datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(microseconds=1)


class Member:
    """A VM of a point: how it came to its moment."""

    def __init__(self, vm):
        self.name = vm.get("name")
        self.consistency = vm.get("consistency")
        self.stopped = microseconds(vm.get("frozen"))
        self.begun = microseconds(vm.get("begun"))
        self.went_on = microseconds(vm.get("thawed"))


class Point:
    def __init__(self, folder, root, sha256, sealed):
        self.folder = folder
        self.sha256 = sha256
        self.vouches = False
        integrity = root.findall(INTEGRITY)
        if integrity:
            self.vouches = True
            self.set_file = integrity[0].get("set-file").lower()
            self.parent_sha256 = (integrity[0].get("parent") or "").lower()
            if not sealed or len(integrity) > 1:
                raise ValueError("integrity")
        point = root.find(NS + "point")
        group = root.find(NS + "set")
        self.name = point.get("name")
        self.guid = point.get("guid").lower()
        self.sequence = int(group.get("sequence"))
        self.set_guid = group.get("guid").lower()
        self.parent = (group.get("parent") or "").lower()
        self.consistency = point.get("consistency")
        self.collection = None
        collection = root.find(NS + "collection")
        if collection is not None:
            self.collection = collection.get("guid").lower()
            self.moment = collection.get("moment")
            self.window_us = int(collection.get("window-us") or 0)
            self.skew_us = int(collection.get("skew-us") or 0)
        self.members = []
        self.folders = {}
        self.files = []
        self.disks = []
        for vm in root.findall(NS + "vm"):
            if vm.get("uuid").lower() in self.folders or \
                    vm.get("folder") in self.folders.values():
                raise ValueError("vm")
            self.folders[vm.get("uuid").lower()] = vm.get("folder")
            self.members.append(Member(vm))
            for file in vm.findall(NS + "file"):
                self.files.append((file.get("path"), int(file.get("size")),
                                   file.get("sha256").lower()))
            for disk in vm.findall(NS + "disk"):
                self.disks.append(Disk(self, vm, disk))

    def disk(self, key):
        for disk in self.disks:
            if disk.key() == key and disk.mode != "left-out":
                return disk
        return None


class Verifier:
    def __init__(self, directory, scratch):
        self.directory = directory
        self.scratch = scratch
        self.damages = []
        self.remarks = []
        self.points = []
        self.named = set()
        self.sha256 = {}       # of the XML files
        self.sealed = set()    # those that vouch for themselves
        self.inodes = {}       # names in the set
        self.bytes = 0
        self.images = 0

    def damage(self, path, message):
        self.damages.append((path, message))

    def remark(self, path, message):
        self.remarks.append((path, message))

    def path(self, relative):
        return os.path.join(self.directory, relative)

    # -- files

    def inspect(self, relative):
        """Whether @relative is a regular file inside the set."""
        parts = relative.split("/")
        if any(part in ("", ".", "..") for part in parts):
            self.damage(relative, "the path leaves the set or is not clean")
            return False
        for i in range(1, len(parts) + 1):
            try:
                mode = os.lstat(self.path("/".join(parts[:i]))).st_mode
            except OSError as error:
                self.damage(relative, error.strerror)
                return False
            if not (stat.S_ISREG if i == len(parts) else stat.S_ISDIR)(mode):
                self.damage(relative, "a link, or no file of the right kind")
                return False
        self.named.add(relative)
        return True

    def check_file(self, relative, size, sha256):
        if not self.inspect(relative):
            return False
        digest = hashlib.sha256()
        length = 0
        with open(self.path(relative), "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
                length += len(block)
        if length != size:
            self.damage(relative, "%d bytes, not %d" % (length, size))
        elif digest.hexdigest() != sha256:
            self.damage(relative, "SHA-256 differs from the manifest's")
        else:
            return True
        return False

    def check_tree(self):
        """Modes, links, files that no manifest names."""
        status = os.lstat(self.directory)
        mode = stat.S_IMODE(status.st_mode)
        self.owner = os.lstat(self.path("set.xml")).st_uid \
            if os.path.lexists(self.path("set.xml")) else status.st_uid
        if mode & 0o022:
            self.remark(".", "others can write to the set (%04o)" % mode)
        if status.st_uid not in (0, self.owner):
            self.remark(".", "it belongs to user %d" % status.st_uid)
        for folder, _, files in os.walk(self.directory):
            for name in files:
                found = os.lstat(os.path.join(folder, name))
                key = found.st_dev, found.st_ino
                self.inodes[key] = self.inodes.get(key, 0) + 1
        for folder, folders, files in os.walk(self.directory):
            for name in folders + files:
                relative = os.path.relpath(os.path.join(folder, name),
                                           self.directory)
                self.check_entry(relative)

    def check_entry(self, relative):
        status = os.lstat(self.path(relative))
        mode = stat.S_IMODE(status.st_mode)
        if relative.split("/")[0] == "lost+found":
            return
        if status.st_uid != self.owner:
            self.remark(relative, "it belongs to user %d" % status.st_uid)
        if stat.S_ISDIR(status.st_mode):
            # where new files inherit the group, folders pass that on
            if mode & ~stat.S_ISGID != 0o700:
                self.damage(relative, "mode %04o, not 0700" % mode)
            if "/" not in relative and relative != "disks" and \
                    relative not in {p.folder for p in self.points}:
                self.remark(relative, "a folder without a manifest")
            return
        if not stat.S_ISREG(status.st_mode):
            self.damage(relative, "a link or a special file")
            return
        # Points share the kernel and the like where it did not change.
        shared = "/" in relative and not relative.startswith("disks/")
        inside = self.inodes.get((status.st_dev, status.st_ino), 0)
        if status.st_nlink != 1 and not (shared and
                                         status.st_nlink <= inside):
            self.remark(relative, "the file has %d names" % status.st_nlink)
        if relative in ("set.xml", "folders.xml"):
            # set.xml carries the lock, so its owner must be able to write.
            if mode not in (0o400, 0o600):
                self.damage(relative, "mode %04o" % mode)
            return
        if relative not in self.named:
            self.remark(relative, "no manifest names this file")
            return
        if mode != 0o400:
            self.damage(relative, "mode %04o, not 0400" % mode)

    # -- manifests

    def load_xml(self, relative, root):
        if not self.inspect(relative):
            return None
        with open(self.path(relative), "rb") as file:
            text = file.read(16 << 20)
        if not self.check_seal(relative, text):
            return None
        if b"<!DOCTYPE" in text:
            self.damage(relative, "it has a DTD")
            return None
        try:
            element = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            self.damage(relative, str(error))
            return None
        features = {f.get("name") for f in element.findall(NS + "feature")}
        # what is wanted of the reader of a group's set
        if root == "set" and element.find(NS + "group") is not None:
            if "group" not in features:
                self.damage(relative, "a group without the feature")
            features.discard("group")
        if element.tag != NS + root or element.get("format") != "1" or \
                features:
            self.damage(relative, "not a file of format 1")
            return None
        if shutil.which("xmllint") and not self.valid(relative):
            return None
        return element

    def check_seal(self, relative, text):
        """Files of earlier versions end with the root element."""
        self.sha256[relative] = hashlib.sha256(text).hexdigest()
        seal = SEAL.search(text)
        if seal is None:
            if re.search(rb"(</[^<>]*>|/>)\s*\Z", text):
                return True
            self.damage(relative, "it ends with no SHA-256")
            return False
        if not text[:seal.start()].endswith(b"\n") or \
                hashlib.sha256(text[:seal.start()]).hexdigest().encode() != \
                seal.group(1):
            self.damage(relative, "its last line is not the SHA-256 of the "
                        "others")
            return False
        self.sealed.add(relative)
        return True

    def valid(self, relative):
        result = subprocess.run(
            ["xmllint", "--nonet", "--noout", "--relaxng", SCHEMA,
             self.path(relative)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if result.returncode:
            self.damage(relative, "not valid: " + result.stderr.decode(
                errors="replace").strip().replace("\n", "; "))
        return result.returncode == 0

    def load_points(self):
        for folder in sorted(os.listdir(self.directory)):
            manifest = folder + "/export.xml"
            if folder == "disks" or folder.startswith(".") or \
                    not os.path.lexists(self.path(manifest)):
                continue
            root = self.load_xml(manifest, "export")
            if root is None:
                continue
            try:
                self.points.append(Point(folder, root, self.sha256[manifest],
                                         manifest in self.sealed))
            except (AttributeError, TypeError, ValueError):
                self.damage(manifest, "something is missing in it")
        self.points.sort(key=lambda point: point.sequence)

    def check_set(self):
        root = self.load_xml("set.xml", "set")
        guid = None
        uuid = None
        if root is not None:
            guid = root.find(NS + "identity").get("guid").lower()
            vm = root.find(NS + "vm")
            group = root.find(NS + "group")
            if (vm is None) == (group is None):
                self.damage("set.xml", "it is of a VM, or of a group")
            if vm is not None:
                uuid = vm.get("uuid").lower()
            for point in self.points:
                self.check_collection(
                    point, group.get("guid").lower() if group is not None
                    else None)
        folders = {}
        if os.path.lexists(self.path("folders.xml")):
            root = self.load_xml("folders.xml", "folders")
            for vm in root.findall(NS + "vm") if root is not None else ():
                folders[vm.get("uuid").lower()] = vm.get("folder")
        elif self.points:
            self.damage("folders.xml", "the file is missing")
        vouching = [point for point in self.points if point.vouches]
        if vouching and "folders.xml" in self.sha256 and \
                "folders.xml" not in self.sealed:
            self.damage("folders.xml", "it ends with no SHA-256")
        for point in vouching:
            if self.sha256.get("set.xml") != point.set_file:
                self.damage("set.xml", "not the one that '%s' was made with" %
                            point.folder)
        for point in self.points:
            self.check_identity(point, guid, uuid, folders)
            self.check_parent(point)

    def check_collection(self, point, group):
        where = point.folder + "/export.xml"
        if point.collection != group:
            self.damage(where, "it is not of the VM or group of the set")
        elif point.collection is not None:
            self.check_moment(point, where)

    def check_moment(self, point, where):
        """What the point says of its moment, against what its VMs say."""
        reached = {member.consistency for member in point.members}
        least = next((c for c in ("unknown", "crash", "application")
                      if c in reached), "unknown")
        if None in reached or point.consistency != least:
            self.damage(where, "consistency '%s', its VMs have reached %s" %
                        (point.consistency, sorted(map(str, reached))))
        # who was suspended before, or could not be frozen, did not stop
        stopped = [m for m in point.members if m.stopped is not None]
        begun = [m.begun for m in point.members if m.begun is not None]
        if point.moment not in ("frozen", "paused") or not stopped:
            return
        if len(begun) != len(point.members):
            self.damage(where, "a VM has no job that was begun")
            return
        if max(m.stopped for m in stopped) > min(begun):
            self.damage(where, "a VM was read before all of them stood still")
        if min(m.went_on for m in stopped) < max(begun):
            self.damage(where, "a VM went on before all of them were read")
        window = max(m.went_on for m in stopped) - \
            min(m.stopped for m in stopped)
        # two clocks, and the one may be set meanwhile
        if abs(window - point.window_us) > 1000000:
            self.damage(where, "the window was %d us, not %d" %
                        (window, point.window_us))
        if point.skew_us > point.window_us:
            self.damage(where, "the VMs are further apart than the window")

    def check_parent(self, point):
        where = point.folder + "/export.xml"
        if bool(point.parent) != (point.sequence > 1):
            self.damage(where, "number %d and the parent contradict" %
                        point.sequence)
        if point.vouches and bool(point.parent) != bool(point.parent_sha256):
            self.damage(where, "it has a parent, or a digest of one, alone")
        if not point.parent:
            return
        parents = [p for p in self.points if p.guid == point.parent]
        if not parents:
            self.remark(where, "its parent is not in the set")
        for parent in parents:
            if parent.sequence + 1 != point.sequence:
                self.damage(where, "number %d comes after %d" %
                            (point.sequence, parent.sequence))
            if point.vouches and parent.sha256 != point.parent_sha256:
                self.damage(parent.folder + "/export.xml",
                            "not the one that '%s' came after" % point.folder)

    def check_identity(self, point, guid, uuid, folders):
        where = point.folder + "/export.xml"
        if point.name != point.folder:
            self.damage(where, "the point is called '%s'" % point.name)
        if guid is not None and point.set_guid != guid:
            self.damage(where, "it belongs to another set")
        for vm, folder in point.folders.items():
            if uuid is not None and vm != uuid:
                self.damage(where, "it is of another VM than the set")
            if folders.get(vm) != folder:
                self.damage(where, "folder '%s' is not that of folders.xml" %
                            folder)
        for other in self.points:
            if other is point:
                continue
            if other.guid == point.guid:
                self.damage(where, "GUID of '%s'" % other.folder)
            if other.sequence == point.sequence:
                self.remark(where, "number of '%s'" % other.folder)

    # -- disks

    def find_base(self, disk):
        """Links an increment to its base; FALSE if it cannot be."""
        where = disk.point.folder + "/export.xml"
        if disk.mode == "full":
            return True
        for point in self.points:
            if point.guid == disk.base_guid and \
                    point.sequence < disk.point.sequence:
                disk.base = point.disk(disk.key())
        if disk.base is None:
            self.damage(where, "%s: no older point has the base %s" %
                        (disk.target, disk.base_guid))
            return False
        if disk.base.view != disk.base_view:
            self.damage(where, "%s: the base has another view digest" %
                        disk.target)
        return True

    def open_image(self, disk):
        """Looks at the image alone; sets disk.good."""
        disk.good = False
        linked = self.find_base(disk)
        if not self.inspect(disk.image):
            return
        length = os.stat(self.path(disk.image)).st_size
        if length != disk.image_size:
            self.damage(disk.image, "%d bytes, not %d" %
                        (length, disk.image_size))
            return
        try:
            disk.qcow2 = Qcow2(self.path(disk.image))
        except (Damage, UnicodeDecodeError, struct.error) as error:
            self.damage(disk.image, str(error))
            return
        if disk.qcow2.size != count(disk.size, 512) * 512:
            self.damage(disk.image, "virtual size %d, the disk has %d" %
                        (disk.qcow2.size, disk.size))
            return
        backing = None
        if disk.base is not None:
            backing = os.path.basename(disk.base.image)
            if os.path.dirname(disk.base.image) != os.path.dirname(disk.image):
                self.damage(disk.image, "the base is in another folder")
                return
        if disk.qcow2.backing != backing or \
                (backing and disk.qcow2.backing_format != "qcow2"):
            self.damage(disk.image, "backing file '%s' (%s), not '%s'" %
                        (disk.qcow2.backing, disk.qcow2.backing_format,
                         backing))
            return
        disk.good = linked and (disk.base is None or bool(disk.base.good))

    def qemu_img(self, disk, *arguments):
        result = subprocess.run(("qemu-img",) + arguments, check=False,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        if result.returncode:
            lines = result.stdout.decode(errors="replace").split("\n")
            self.damage(disk.image, "qemu-img %s: status %d: %s" % (
                arguments[0], result.returncode,
                "; ".join(filter(None, lines))))
        return result.returncode == 0

    def read_view(self, disk):
        """The leaves of what a guest would see, read by QEMU."""
        image = os.path.abspath(self.path(disk.image))
        raw = os.path.join(self.scratch, "raw")
        if not self.qemu_img(disk, "check", "-q", "-f", "qcow2", image) or \
                not self.qemu_img(disk, "convert", "-q", "-f", "qcow2",
                                  "-O", "raw", image, raw):
            return
        try:
            with open(raw, "rb") as file:
                file.seek(disk.size)
                if any(file.read()):
                    self.damage(disk.image, "data behind the disk's end")
            disk.leaves = leaves_of(raw, disk.size)
        finally:
            os.unlink(raw)
        disk.groups = groups_of(disk.leaves, disk.size)
        self.bytes += disk.size
        if view_of(disk.groups, disk.size) != disk.view:
            self.damage(disk.image, "the data's view digest is not that of "
                        "the manifest")

    def check_stored(self, disk):
        """What the image holds itself, beside what it should."""
        image = disk.qcow2
        clusters = len(image.data) + len(image.compressed)
        if disk.stored != CLUSTER * clusters:
            self.damage(disk.image, "%d data clusters, the manifest says %d "
                        "bytes" % (clusters, disk.stored))
        if disk.compression != ("zstd" if image.zstd else "none"):
            self.damage(disk.image, "the manifest says compression '%s'" %
                        disk.compression)
        if disk.mode == "full" and disk.leaves is not None and \
                (image.zero or image.stored() != set(disk.leaves)):
            self.damage(disk.image, "a full image that does not store exactly "
                        "the clusters that are not zero")
        if disk.base is not None and disk.base.size != disk.size:
            for size in (disk.base.size, disk.size):
                cluster = size // CLUSTER
                if size % CLUSTER and cluster < count(disk.size, CLUSTER) and \
                        cluster not in image.stored():
                    self.damage(disk.image, "the size changed and cluster %d "
                                "is not stored again" % cluster)

    def check_digests(self, disk):
        where = disk.digests
        try:
            file = DigestFile(self.path(where))
        except (Damage, struct.error) as error:
            self.damage(where, str(error))
            return
        disk.digest_file = file
        if file.size != disk.size:
            self.damage(where, "size %d, the disk has %d" %
                        (file.size, disk.size))
            return
        if file.view != disk.view:
            self.damage(where, "another view digest than the manifest")
        if disk.good and set(file.entries) != disk.qcow2.stored():
            self.damage(where, "its entries are not the clusters that the "
                        "image stores")
        if disk.leaves is None:
            return
        if file.groups != disk.groups:
            self.damage(where, "the groups are not those of the data")
        wrong = [cluster for cluster, leaf in file.entries.items()
                 if leaf != disk.leaves.get(cluster, ZERO_LEAF)]
        for cluster in wrong[:5]:
            self.damage(where, "the leaf of cluster %d is not that of the "
                        "data" % cluster)
        if self.leaves_by_digests(disk) != disk.leaves:
            self.damage(where, "the chain of .digests files gives other "
                        "leaves than the data")

    def leaves_by_digests(self, disk):
        """The leaves of the view, from .digests files only."""
        leaves = {}
        chain = []
        while disk is not None:
            if disk.digest_file is None:
                return None
            chain.append(disk)
            disk = disk.base
        for link in reversed(chain):
            clusters = count(link.size, CLUSTER)
            leaves = {c: leaf for c, leaf in leaves.items() if c < clusters}
            leaves.update(link.digest_file.entries)
        return {c: leaf for c, leaf in leaves.items() if leaf != ZERO_LEAF}

    def check_disk(self, disk):
        self.images += 1
        self.open_image(disk)
        if disk.good:
            self.read_view(disk)
            self.check_stored(disk)
        elif disk.base is not None and not disk.base.good:
            self.damage(disk.image, "not read: its base is damaged")
        if self.check_file(disk.digests, disk.digests_size,
                           disk.digests_sha256):
            self.check_digests(disk)

    # -- all

    def wanted(self, name):
        """The points to look at: all, or one and what it builds on."""
        if name is None:
            return {point.guid for point in self.points}
        guids = {point.guid for point in self.points if point.name == name}
        if not guids:
            self.damage(name, "no such point, or its manifest is damaged")
        for point in reversed(self.points):
            if point.guid in guids:
                guids.update(disk.base_guid for disk in point.disks
                             if disk.mode == "increment")
        return guids

    def run(self, name):
        self.load_points()
        self.check_set()
        wanted = self.wanted(name)
        for point in self.points:
            exported = [d for d in point.disks if d.mode != "left-out"]
            if point.guid in wanted:
                for file in point.files:
                    self.check_file(*file)
                for disk in exported:
                    self.check_disk(disk)
            else:
                self.named.update(path for path, _, _ in point.files)
                for disk in exported:
                    self.named.update((disk.image, disk.digests))
        self.check_tree()


# ---- Output ---------------------------------------------------------------

def printable(text):
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def describe(verifier, good):
    def findings(rows):
        return [{"path": path, "message": text} for path, text in rows]

    return {
        "ok": good,
        "damages": findings(verifier.damages),
        "remarks": findings(verifier.remarks),
        "points": [{
            "name": point.name,
            "guid": point.guid,
            "sequence": point.sequence,
            "disks": [{
                "vm": disk.vm,
                "target": disk.target,
                "mode": disk.mode,
                "size": disk.size,
                "image": disk.image,
                "view": disk.view.hex(),
                "checked": disk.leaves is not None,
                "data_clusters": len(disk.qcow2.data) if disk.good else None,
                "compressed_clusters":
                    len(disk.qcow2.compressed) if disk.good else None,
                "zero_clusters": len(disk.qcow2.zero) if disk.good else None,
            } for disk in point.disks if disk.mode != "left-out"],
        } for point in verifier.points],
    }


def report(verifier, as_json, good):
    if as_json:
        json.dump(describe(verifier, good), sys.stdout, indent=2)
        print()
        return
    for path, text in verifier.damages:
        print(printable("damaged: %s: %s" % (path, text)))
    for path, text in verifier.remarks:
        print(printable("remark: %s: %s" % (path, text)))
    print("%d points, %d images, %d bytes read: %s" %
          (len(verifier.points), verifier.images, verifier.bytes,
           "all right" if good else "NOT RIGHT"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", nargs="?", help="the export set")
    parser.add_argument("--point", help="only this one and what it needs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--strict", action="store_true",
                        help="remarks (leftovers) count as damage")
    parser.add_argument("--digest-of", metavar="RAWFILE",
                        help="print the view digest of a raw image")
    parser.add_argument("--size", type=int,
                        help="exact size, where RAWFILE was rounded up")
    options = parser.parse_args()
    if (options.directory is None) == (options.digest_of is None):
        parser.error("either DIRECTORY or --digest-of is needed")
    if options.digest_of:
        size = options.size
        if size is None:
            size = os.stat(options.digest_of).st_size
        leaves = leaves_of(options.digest_of, size)
        print(view_of(groups_of(leaves, size), size).hex())
        return 0
    with tempfile.TemporaryDirectory(prefix="verify-set.") as scratch:
        verifier = Verifier(options.directory, scratch)
        verifier.run(options.point)
    good = not verifier.damages and not (options.strict and verifier.remarks)
    report(verifier, options.json, good)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

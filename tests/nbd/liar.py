#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An NBD server that lies.  Written from the NBD protocol's doc/proto.md.

    liar.py SOCKET LIE

Serves 1 MiB of "x".  One thread for each connection; ends when it is killed.
"""

import os
import socket
import struct
import sys
import threading

SIZE = 1 << 20
OPTION = struct.Struct(">QII")
REQUEST = struct.Struct(">IHHQQI")
ALLOCATION = b"base:allocation"
DIRTY = b"qemu:dirty-bitmap:b0"

# What block status says: (length, flags) pairs for (offset, length) asked.
EXTENTS = {
    "zero-length": lambda offset, length: [(0, 0), (length, 0)],
    "all-zero-length": lambda offset, length: [(0, 3)],
    "beyond-end": lambda offset, length: [(length + 65536, 0)],
    "beyond-end-later": lambda offset, length: [(length, 0), (4096, 3)],
    "huge": lambda offset, length: [(0xffffffff, 3)] * 1000,
    "empty": lambda offset, length: [],
    "slow": lambda offset, length: [(min(length, 512), 0)],
}


class Gone(Exception):
    pass


class Connection:
    def __init__(self, sock, lie, number):
        self.sock = sock
        self.lie = lie
        self.number = number
        self.contexts = []

    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.sock.recv(length - len(data))
            if not more:
                raise Gone
            data += more
        return data

    def option_reply(self, option, kind, data=b""):
        self.sock.sendall(struct.pack(">QIII", 0x3e889045565a9, option, kind,
                                      len(data)) + data)

    def size(self):
        if self.lie == "other-size":
            return SIZE + 65536 * self.number
        if self.lie == "too-large":
            return 1 << 62
        return SIZE

    def handshake(self):
        self.sock.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
        self.receive(4)
        while True:
            _, option, length = OPTION.unpack(self.receive(16))
            data = self.receive(length)
            if option == 8:  # structured replies
                self.option_reply(option, 1)
            elif option == 10:  # set meta context
                self.set_contexts(option, data)
            elif option == 7:  # go
                self.option_reply(option, 3, struct.pack(
                    ">HQH", 0, self.size(), 0x1 | 0x2 | 0x100))
                self.option_reply(option, 1)
                return
            else:
                self.option_reply(option, 0x80000001)

    def set_contexts(self, option, data):
        self.contexts = [name for name in (ALLOCATION, DIRTY) if name in data]
        if self.lie == "no-contexts":
            self.contexts = []
        for i, name in enumerate(self.contexts):
            self.option_reply(option, 4, struct.pack(">I", i + 1) + name)
        self.option_reply(option, 1)

    def chunk(self, cookie, flags, kind, data):
        self.sock.sendall(struct.pack(">IHHQI", 0x668e33ef, flags, kind,
                                      cookie, len(data)) + data)

    def read(self, cookie, offset, length):
        data = struct.pack(">Q", offset) + b"x" * length
        if self.lie == "disconnect" and offset >= SIZE // 2:
            self.sock.sendall(struct.pack(">IHHQI", 0x668e33ef, 1, 1, cookie,
                                          len(data)) + data[:1000])
            raise Gone
        if self.lie == "read-outside":
            data = struct.pack(">Q", offset + 65536) + b"x" * length
        elif self.lie == "read-long":
            data += b"x" * 4096
        elif self.lie == "read-short":
            data = data[:-4096]
        elif self.lie == "read-nothing":
            self.chunk(cookie, 1, 0, b"")
            return
        elif self.lie == "other-cookie":
            cookie += 1
        elif self.lie == "garbage":
            self.sock.sendall(os.urandom(64))
            raise Gone
        self.chunk(cookie, 1, 1, data)

    def block_status(self, cookie, offset, length):
        pairs = EXTENTS.get(self.lie,
                            lambda offset, length: [(length, 0)])
        identity = 7 if self.lie == "other-context" else 1
        data = struct.pack(">I", identity)
        for pair in pairs(offset, length):
            data += struct.pack(">II", *pair)
        if self.lie == "no-reply-data":
            self.chunk(cookie, 1, 0, b"")
            return
        if self.lie == "twice":
            self.chunk(cookie, 0, 5, data)
        self.chunk(cookie, 1, 5, data)

    def serve(self):
        self.handshake()
        while True:
            _, _, kind, cookie, offset, length = REQUEST.unpack(
                self.receive(28))
            if kind == 0:
                self.read(cookie, offset, length)
            elif kind == 7:
                self.block_status(cookie, offset, length)
            else:
                raise Gone

    def run(self):
        try:
            self.serve()
        except (Gone, OSError):
            pass
        self.sock.close()


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(16)
    number = 0
    while True:
        sock, _ = listener.accept()
        connection = Connection(sock, sys.argv[2], number)
        threading.Thread(target=connection.run, daemon=True).start()
        number += 1


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of an NBD server that asks for data and takes none of it.

unread.py SOCKET EXPORT: says "asked", and stays until it is killed.
"""

import signal
import socket
import struct
import sys

FIXED_NEWSTYLE = 1
NO_ZEROES = 2
OPT_EXPORT_NAME = 1
REQUEST = 0x25609513
CMD_READ = 0
MIB = 1 << 20


def receive(sock, length):
    data = b""
    while len(data) < length:
        piece = sock.recv(length - len(data))
        if not piece:
            sys.exit("the server closed the connection")
        data += piece
    return data


def main():
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    name = sys.argv[2].encode()
    receive(sock, 18)  # two magic numbers, flags
    sock.sendall(struct.pack(">I", FIXED_NEWSTYLE | NO_ZEROES))
    sock.sendall(b"IHAVEOPT" + struct.pack(">II", OPT_EXPORT_NAME, len(name)) +
                 name)
    receive(sock, 10)  # size, flags
    for i in range(8):
        sock.sendall(struct.pack(">IHHQQI", REQUEST, 0, CMD_READ, i, i * MIB,
                                 MIB))
    print("asked", flush=True)
    signal.pause()


main()

"""WebSockets asked by chance, byte for byte: whatever one client sends, its neighbours go on hearing the market."""

from __future__ import annotations

import base64
import random
import socket
import struct
from contextlib import ExitStack

from tests.clients.running import HOST, Running

ROUNDS = 60
SECONDS = 10.0


def _connected(server: Running, path: str) -> socket.socket:
    """A connection whose handshake is done."""
    found = socket.create_connection((HOST, server.port), SECONDS)
    key = base64.b64encode(random.randbytes(16)).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    found.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += found.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101")
    return found


def _frame(dice: random.Random) -> bytes:
    """A frame of chance: any operation, any bits, lengths that are true or not; or no frame at all."""
    payload = dice.randbytes(dice.choice((0, 1, 5, 125, 126, 500)))
    if dice.random() < 0.2:
        return payload
    first = dice.choice((0x81, 0x82, 0x89, 0x8A, 0x88, 0x01, 0x80, 0x00, 0xF1, dice.randrange(256)))
    size = len(payload) if dice.random() < 0.8 else dice.randrange(1 << 16)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0xFE,)) + struct.pack("!H", size)
    masked = dice.random() < 0.9
    if not masked:
        return bytes((first, length[0] & 0x7F)) + length[1:] + payload
    mask = dice.randbytes(4)
    return bytes((first,)) + length + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def test_whatever_a_client_sends_its_neighbours_go_on(server: Running) -> None:
    dice = random.Random(23)
    with ExitStack() as closing:
        neighbour = closing.enter_context(_connected(server, "/market/ws/btcusdt@markPrice@1s"))
        neighbour.settimeout(SECONDS)
        for _ in range(ROUNDS):
            path = dice.choice(("/ws", "/stream", "/private/ws?listenKey=x", "/ws-fapi/v1"))
            with _connected(server, path) as rude:
                try:
                    for _ in range(dice.randrange(1, 8)):
                        rude.sendall(_frame(dice))
                except OSError:
                    continue
        assert neighbour.recv(4096)
        with _connected(server, "/market/ws/btcusdt@markPrice@1s") as later:
            later.settimeout(SECONDS)
            assert later.recv(4096)

"""Runs the matching flow once through the core that the import path leads to, and prints what came of it as JSON.

    PYTHONPATH=TREE python -P benchmarks/flow_rate.py OPERATIONS SEED

The tree may be that of an older commit: nothing is used here but what the core has always had.
"""

from __future__ import annotations

import gc
import sys
from hashlib import sha256
from time import process_time

import msgspec

from benchmarks.flow import make_flow
from events.codec import encode_body
from events.digest import GENESIS, chain
from events.instruments import load_pack
from events.record import Batch
from exchange.core.state import State
from exchange.core.step import step
from gateway.memory import collect_seldom


def main(operations: int, seed: int) -> dict[str, float | str]:
    """Commands a CPU second, the digest of the commands, and that of the whole log that they lead to."""
    collect_seldom()
    flow = make_flow(load_pack("binance-usdm"), operations, seed)
    state, digest = State(), GENESIS
    for command in flow.opening:
        step(state, command)
    gc.collect()
    started = process_time()
    batches = [step(state, command) for command in flow.commands]
    took = process_time() - started
    for batch in batches:
        assert isinstance(batch, Batch)
        digest = chain(digest, encode_body(batch))
    commands = sha256(msgspec.json.encode(flow.commands))
    return {"rate": len(flow.commands) / took, "flow": commands.hexdigest(), "log": digest.hex()}


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(main(int(sys.argv[1]), int(sys.argv[2]))).decode())

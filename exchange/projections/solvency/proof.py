"""A proof of inclusion: what an account is owed is part of a sum that the venue stated. Source: `docs/proof.md`.

This file needs Python's standard library and nothing else, so that a client can keep a copy and check proofs with it.
Amounts are atoms (10^-8), never negative, 32 bytes big-endian in every hash; counts are 8 bytes. Known attacks on sum
trees, and what stands against them:

- a debt hidden in a subtree: no amount is below zero;
- a sum shifted between two halves: a node hashes both sums apart;
- a node passed off as a leaf: they are hashed under different tags;
- an odd node counted twice: it goes up alone;
- one leaf shown to two accounts: name, number of the leaf and number of accounts are bound by the root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

FORMAT = "ringfence proof 1"
"""Begins every hash and every proof; another number is another format."""

LEFT, RIGHT = "left", "right"

_AMOUNT = re.compile(r"0|-?[1-9][0-9]{0,77}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COUNTS = range(1 << 53)
_AMOUNTS = range(1 << 256)


class ProofError(ValueError):
    """The proof does not hold; the message says why, in one line."""


class NoProof(ProofError):
    """The text is none of a proof."""


class Node(NamedTuple):
    """A node of the tree: how much all below it are owed, atoms, and the hash that binds it."""

    sum: int
    hash: bytes


class Step(NamedTuple):
    """A step towards the root: the node that is met there, and whether it stands left or right."""

    side: str
    node: Node


class Proof(NamedTuple):
    """That `account`, leaf number `leaf` of `accounts` from 0, is `owed` so many atoms of the `sum` under `root`.

    head is the digest of the session up to `record`.
    """

    head: bytes
    record: int
    asset: str
    accounts: int
    sum: int
    root: bytes
    account: str
    nonce: bytes
    owed: int
    leaf: int
    path: tuple[Step, ...]


def tagged(tag: str, *parts: bytes) -> bytes:
    """sha256 over the format, a space, the tag, a line feed, and the parts."""
    return sha256(f"{FORMAT} {tag}\n".encode() + b"".join(parts)).digest()


def amount_bytes(atoms: int) -> bytes:
    """An amount as 32 bytes. Raises ProofError where it is below zero, or too large."""
    if atoms < 0:
        raise ProofError(
            f"an amount of {atoms} is below zero; a sum tree has none, for it would hide what others are owed"
        )
    if atoms not in _AMOUNTS:
        raise ProofError("an amount does not fit into 32 bytes")
    return atoms.to_bytes(32, "big")


def count_bytes(count: int) -> bytes:
    """A number of records or accounts as 8 bytes. Raises ProofError where it is out of range."""
    if count not in _COUNTS:
        raise ProofError(f"{count} is not a whole number from 0 to 2^53 - 1")
    return count.to_bytes(8, "big")


def leaf(nonce: bytes, account: str, owed: int) -> Node:
    """An account's leaf. Its name is blinded by the nonce, 32 bytes."""
    return Node(owed, tagged("leaf", tagged("id", nonce, account.encode()), amount_bytes(owed)))


def inner(left: Node, right: Node) -> Node:
    """The node above two others."""
    halves = (amount_bytes(left.sum), left.hash, amount_bytes(right.sum), right.hash)
    return Node(left.sum + right.sum, tagged("node", *halves))


EMPTY = Node(0, tagged("empty"))
"""The top of a tree without accounts."""


def root_of(top: Node, *, head: bytes, record: int, asset: str, accounts: int) -> bytes:
    """What is published: the top of the tree, bound to session, record, asset and number of accounts."""
    where = (head, count_bytes(record), count_bytes(accounts))
    return tagged("root", *where, amount_bytes(top.sum), top.hash, asset.encode())


def sides(index: int, accounts: int) -> Iterator[str]:
    """On which side each node of the path stands, from the leaf up.

    Each level is paired from the left; an odd last node goes up as it is.
    """
    while accounts > 1:
        if index % 2:
            yield LEFT
        elif index + 1 < accounts:
            yield RIGHT
        index, accounts = index // 2, (accounts + 1) // 2


def check(proof: Proof) -> None:
    """Walk from the leaf to the root. Raises ProofError where anything is not as the root says."""
    if proof.leaf not in range(proof.accounts):
        raise ProofError(f"there is no leaf {proof.leaf} among {proof.accounts}")
    if [step.side for step in proof.path] != list(sides(proof.leaf, proof.accounts)):
        raise ProofError(f"the path does not lead up from leaf {proof.leaf} of {proof.accounts}")
    node = leaf(proof.nonce, proof.account, proof.owed)
    for side, met in proof.path:
        node = inner(met, node) if side == LEFT else inner(node, met)
    if node.sum != proof.sum:
        raise ProofError(f"the amounts on the path add up to {node.sum}, the proof says {proof.sum}")
    root = root_of(node, head=proof.head, record=proof.record, asset=proof.asset, accounts=proof.accounts)
    if root != proof.root:
        raise ProofError("the path leads to another root")


def write(proof: Proof) -> str:
    """The proof as a JSON file."""
    return json.dumps(as_object(proof), indent=1) + "\n"


def as_object(proof: Proof) -> dict[str, Any]:
    """The proof as JSON has it: amounts as decimal text, since not every reader of JSON has integers large enough."""
    fields = {"format": FORMAT} | {name: _plain(value) for name, value in proof._asdict().items()}
    path = [{"side": side, "sum": str(met.sum), "hash": met.hash.hex()} for side, met in proof.path]
    return fields | {"sum": str(proof.sum), "owed": str(proof.owed), "path": path}


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def read(text: str) -> Proof:
    """The proof of a file, every field of its type and none missing, double or unknown. Raises ProofError."""
    try:
        fields = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, ProofError) else NoProof("this is no JSON") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise NoProof(f"this is no {FORMAT!r}")
    _has(fields, ("format", *Proof._fields))
    if not isinstance(fields["path"], list):
        raise ProofError("path is no list")
    return Proof(
        head=_hash(fields, "head"), record=_count(fields, "record"), asset=_text(fields, "asset"),
        accounts=_count(fields, "accounts"), sum=_amount(fields, "sum"), root=_hash(fields, "root"),
        account=_text(fields, "account"), nonce=_hash(fields, "nonce"), owed=_amount(fields, "owed"),
        leaf=_count(fields, "leaf"), path=tuple(map(_step, fields["path"])),
    )  # fmt: skip


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ProofError("a field stands there twice")
    return fields


def _has(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    if odd := sorted(fields.keys() ^ set(names)):
        raise ProofError(f"these fields are missing or unknown: {', '.join(map(ascii, odd))}")


def _step(fields: Any) -> Step:
    if not isinstance(fields, dict):
        raise ProofError("a step of the path is no object")
    _has(fields, ("side", "sum", "hash"))
    if fields["side"] not in (LEFT, RIGHT):
        raise ProofError("a side of the path is neither left nor right")
    return Step(fields["side"], Node(_amount(fields, "sum"), _hash(fields, "hash")))


def _hash(fields: dict[str, Any], name: str) -> bytes:
    value = fields[name]
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ProofError(f"{name} is not 64 digits of 0-9 and a-f")
    return bytes.fromhex(value)


def _amount(fields: dict[str, Any], name: str) -> int:
    value = fields[name]
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ProofError(f"{name} is not the decimal text of a whole number")
    amount_bytes(int(value))
    return int(value)


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields[name]
    if type(value) is not int or value not in _COUNTS:
        raise ProofError(f"{name} is not a whole number from 0 to 2^53 - 1")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise ProofError(f"{name} is not printable ASCII")
    return value

"""What the venue owes, provably: a Merkle sum tree over all accounts, and what backs its sum.

proof.py        what a client checks on its own: the bytes, the hashes, the path; imports nothing of Ringfence
tree.py         the tree over the leaves
liabilities.py  the leaves of a session at a record, and a proof for any of them
backing.py      what stands behind the sum, by layer of the ledger
"""

"""The whole system in one thread: sequencer, committer, store, followers, projections and clients, on a clock and a
disk that are made up, in an order that a seed decides.

    system.py   a seed: lives of the process, one after the other, on one disk
    many.py     many seeds: `python -m tests.sim.world`
    life.py     one life: what is started, and how it ends
    loop.py     the event loop: which of all that is ready goes next, and what time it is
    disk.py     the disk: what was written, what is on the platter, and how both fail
    log.py      a store on that disk
    clients.py  who asks, and how
    followers.py, views.py  who reads
    witness.py  what was said to anybody, and whether the log bears it out
    awaits.py   where a crash fell, and where it can
"""

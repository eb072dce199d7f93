"""The tape: what anybody may know of each instrument, as it was last made durable.

look.py      what the core's book shows at the prices that a batch touched, seen right after it was decided
depth.py     the book as published, and changes gathered for those who follow it
candles.py   candles: what they are, how they add up, all intervals
ladder.py    the candles of an instrument that are kept: minutes, hours, days
trades.py    the newest trades
quotes.py    mark and index price, funding, open interest, forced orders
ticker.py    the last 24 hours
instrument.py  all of it, of one instrument
tape.py      Tape: the read model of all instruments, and who listens to it
"""

"""The dialect of Binance USD-M Futures: what its unmodified clients call, as they call it."""

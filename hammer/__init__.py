"""Many processes act on the same accounts at once, some are killed; then everything must still be there, once.

Outside the ledger, which it drives as any client would: through acts, orders, imports and the sweep.
"""

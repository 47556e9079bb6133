"""Whom a message may reach: addresses, their proof, and what members said yes and no to."""

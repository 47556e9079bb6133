"""Embedded PostgreSQL and Valkey, and the processes of the demo. No Django in here."""

"""Everything that sends reminders is killed, cut off and restarted while it works; then every message is counted.

Real processes all through: PostgreSQL, Valkey, Celery workers and two beats, a mail server, the fake provider. Stands
outside the line, which it drives as an installation does: through acts and through the ticks of the clock.
"""

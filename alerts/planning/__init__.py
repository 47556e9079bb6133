"""From lots to reminders."""

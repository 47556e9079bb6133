"""The admin of the alerting line: settings can be edited, what happened can only be looked at."""

from alerts.admin import messages, rules, settings, templates

__all__ = ["messages", "rules", "settings", "templates"]

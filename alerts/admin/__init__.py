"""The admin of the alerting line: settings can be edited, what happened can only be looked at."""

from alerts.admin import held_plans, messages, rules, settings, stops, templates

__all__ = ["held_plans", "messages", "rules", "settings", "stops", "templates"]

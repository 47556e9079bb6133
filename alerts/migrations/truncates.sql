-- Facts of telling cannot be emptied whole either: with `telling.sql`, which refuses to change and to delete rows, they
-- are append-only. A member who is erased takes what they said along, row by row.
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON alerts_consent
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER templateversion_no_truncate BEFORE TRUNCATE ON alerts_templateversion
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER override_no_truncate BEFORE TRUNCATE ON alerts_override
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER providerevent_no_truncate BEFORE TRUNCATE ON alerts_providerevent
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

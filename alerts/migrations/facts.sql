-- What the database itself refuses to break: a call to a provider, once noted, is a fact. The function is the
-- ledger's own; there is no way round these triggers short of being the table's owner and disabling them.
CREATE TRIGGER attempt_append_only BEFORE UPDATE OR DELETE ON alerts_attempt
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER attempt_no_truncate BEFORE TRUNCATE ON alerts_attempt
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Who stopped a programme or a transport, or let it go on, and why, is a fact. The function is the ledger's own; there is
-- no way round these triggers short of being the table's owner and disabling them.
CREATE TRIGGER stop_append_only BEFORE UPDATE OR DELETE ON alerts_stop
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER stop_no_truncate BEFORE TRUNCATE ON alerts_stop
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

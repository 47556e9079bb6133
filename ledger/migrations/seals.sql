-- Seals are facts: appended, never edited and never removed. `facts.sql` has the function and says why there is no way
-- round it.
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON ledger_seal
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER sealleaf_append_only BEFORE UPDATE OR DELETE ON ledger_sealleaf
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON ledger_seal
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER sealleaf_no_truncate BEFORE TRUNCATE ON ledger_sealleaf
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

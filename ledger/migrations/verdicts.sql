-- A verdict of the audit is a fact: staff must be able to trust when the books were last found clean. `facts.sql` has
-- the function. The verdicts of accounts are no facts but what the next run begins with, and are updated.
CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE ON ledger_verdict
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER verdict_no_truncate BEFORE TRUNCATE ON ledger_verdict
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

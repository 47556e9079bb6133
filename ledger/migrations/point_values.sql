-- What a point is worth: appended, never edited and never removed. `facts.sql` has the function and says why there is no
-- way round it.

-- What the programmes said until now counts for all times, so that a figure of the past keeps its money.
INSERT INTO ledger_pointvalue (programme_id, since, value, currency, recorded_at, actor)
SELECT id, '1900-01-01 00:00:00+00', point_value, currency, created_at, 'system:setup' FROM ledger_programme ORDER BY id;
SET CONSTRAINTS ALL IMMEDIATE;  -- the keys are checked now: a table with checks outstanding cannot be altered

CREATE TRIGGER pointvalue_append_only BEFORE UPDATE OR DELETE ON ledger_pointvalue
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER pointvalue_no_truncate BEFORE TRUNCATE ON ledger_pointvalue
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What a lot, a policy and closed books are, held by the database more firmly. `facts.sql` has the functions.

-- The type of a column that a trigger names cannot be changed: the trigger comes back as `checks.sql` made it.
DROP TRIGGER lot_keeps_its_facts ON ledger_lot;
ALTER TABLE ledger_lot ALTER COLUMN number TYPE integer;
CREATE TRIGGER lot_keeps_its_facts
  BEFORE UPDATE OF id, account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, notice_days,
                   notice_slack, first_spendable_at, first_expires_at
  ON ledger_lot FOR EACH ROW EXECUTE FUNCTION ledger_lot_keeps_its_facts();

-- Law 12: nothing refers to a policy with a key that would refuse it.
CREATE TRIGGER policy_no_truncate BEFORE TRUNCATE ON ledger_policy
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Books that are closed stay closed.
CREATE FUNCTION ledger_books_stay_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the books of a programme that are closed stay closed'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER programme_books_stay_closed BEFORE UPDATE OF books_closed_until ON ledger_programme FOR EACH ROW
  WHEN (NEW.books_closed_until IS NULL AND OLD.books_closed_until IS NOT NULL
        OR NEW.books_closed_until < OLD.books_closed_until)
  EXECUTE FUNCTION ledger_books_stay_closed();

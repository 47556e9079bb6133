-- What the database itself refuses to break.

-- Rows of the hot tables belong to an account and its programme as a pair: no key-share locks on the one row of a
-- programme, and no row can name another programme than its account's.
ALTER TABLE ledger_entry ADD CONSTRAINT entry_of_an_account
  FOREIGN KEY (account_id, programme_id) REFERENCES ledger_account (id, programme_id);
ALTER TABLE ledger_lot ADD CONSTRAINT lot_of_an_account
  FOREIGN KEY (account_id, programme_id) REFERENCES ledger_account (id, programme_id);
ALTER TABLE ledger_lot ADD CONSTRAINT lot_made_by_an_entry
  FOREIGN KEY (account_id, seq) REFERENCES ledger_entry (account_id, seq) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ledger_entry ADD CONSTRAINT entry_undoes_an_entry
  FOREIGN KEY (account_id, undoes_seq) REFERENCES ledger_entry (account_id, seq) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ledger_notice ADD CONSTRAINT notice_of_an_account
  FOREIGN KEY (account_id) REFERENCES ledger_account (id);

-- Facts are appended, never edited and never removed. There is no way round these triggers short of being the
-- tables' owner and disabling them: a setting that let somebody through could be set by any role.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'integrity_constraint_violation', HINT = 'Correct a fact with a new entry.';
END $$;

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER allocation_append_only BEFORE UPDATE OR DELETE ON ledger_allocation
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER extension_append_only BEFORE UPDATE OR DELETE ON ledger_extension
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER notice_append_only BEFORE UPDATE OR DELETE ON ledger_notice
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER lot_not_deleted BEFORE DELETE ON ledger_lot
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER account_not_deleted BEFORE DELETE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER allocation_no_truncate BEFORE TRUNCATE ON ledger_allocation
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER extension_no_truncate BEFORE TRUNCATE ON ledger_extension
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER notice_no_truncate BEFORE TRUNCATE ON ledger_notice
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER lot_no_truncate BEFORE TRUNCATE ON ledger_lot
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER account_no_truncate BEFORE TRUNCATE ON ledger_account
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Of a lot only what is left, its dates and its gate ever change.
CREATE FUNCTION ledger_lot_keeps_its_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a lot keeps its facts: only remaining, open, expires_at, spendable_at and gated may change'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER lot_keeps_its_facts BEFORE UPDATE ON ledger_lot FOR EACH ROW
  WHEN ((OLD.id, OLD.account_id, OLD.programme_id, OLD.seq, OLD.number, OLD.family_seq, OLD.policy_id, OLD.origin,
         OLD.granted, OLD.notice_days, OLD.notice_slack)
        IS DISTINCT FROM
        (NEW.id, NEW.account_id, NEW.programme_id, NEW.seq, NEW.number, NEW.family_seq, NEW.policy_id, NEW.origin,
         NEW.granted, NEW.notice_days, NEW.notice_slack))
  EXECUTE FUNCTION ledger_lot_keeps_its_facts();

-- At commit: what an entry says it moved is what its allocations and its debt moved.
CREATE FUNCTION ledger_check_entry_sum(checked_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  said bigint;
  moved bigint;
BEGIN
  SELECT amount + debt_delta INTO said FROM ledger_entry WHERE id = checked_id;
  SELECT coalesce(sum(delta), 0) INTO moved FROM ledger_allocation WHERE entry_id = checked_id;
  IF said IS DISTINCT FROM moved THEN
    RAISE EXCEPTION 'entry % says % and its allocations sum to %', checked_id, said, moved
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
END $$;

CREATE FUNCTION ledger_entry_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ledger_check_entry_sum(NEW.id);
  RETURN NULL;
END $$;

-- Once for an entry, at the last allocation that the transaction added: summing at each would take the square of their
-- number.
CREATE FUNCTION ledger_allocation_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ledger_allocation
                  WHERE entry_id = NEW.entry_id AND id > NEW.id AND xmin = pg_current_xact_id()::xid) THEN
    PERFORM ledger_check_entry_sum(NEW.entry_id);
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entry_adds_up AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_adds_up();
CREATE CONSTRAINT TRIGGER allocation_adds_up AFTER INSERT ON ledger_allocation
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_allocation_adds_up();

-- Law 15, at commit: nothing under a notice duty expires without a good notice for that very date. And an
-- expiry is of lots that had that date, whole.
CREATE FUNCTION ledger_expiry_was_announced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT l.id INTO wrong
    FROM ledger_allocation a JOIN ledger_lot l ON l.id = a.lot_id
   WHERE a.entry_id = NEW.id
     AND (l.remaining <> 0
          OR l.expires_at IS DISTINCT FROM NEW.effective_at
          OR (l.notice_days > 0 AND NOT EXISTS (
                SELECT 1 FROM ledger_notice n
                 WHERE n.account_id = l.account_id AND n.expires_at = l.expires_at AND l.id = ANY (n.lots)
                   AND n.told_on + l.notice_days <= n.expires_on)))
   LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % expires lot % unannounced, at another date than its own, or in part', NEW.id, wrong
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER expiry_was_announced AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'expire')
  EXECUTE FUNCTION ledger_expiry_was_announced();

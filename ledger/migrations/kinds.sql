-- All kinds of entry: what the database itself refuses to break of them. `facts.sql` has the functions used here.

ALTER TABLE ledger_hold ADD CONSTRAINT hold_of_an_account
  FOREIGN KEY (account_id, programme_id) REFERENCES ledger_account (id, programme_id);
ALTER TABLE ledger_hold ADD CONSTRAINT hold_made_by_an_entry
  FOREIGN KEY (account_id, seq) REFERENCES ledger_entry (account_id, seq) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ledger_closure ADD CONSTRAINT closure_of_an_account
  FOREIGN KEY (account_id, programme_id) REFERENCES ledger_account (id, programme_id);
ALTER TABLE ledger_closure ADD CONSTRAINT closure_made_by_an_entry
  FOREIGN KEY (account_id, seq) REFERENCES ledger_entry (account_id, seq) DEFERRABLE INITIALLY DEFERRED;

-- Law 12: a policy is what lots were dated by. It stays as it is; a new one can follow.
CREATE TRIGGER policy_append_only BEFORE UPDATE OR DELETE ON ledger_policy
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

-- Of a hold and of a closure only `open` ever changes, and only from true to false.
CREATE FUNCTION ledger_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% keeps its facts: it can only end', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER hold_only_ends BEFORE UPDATE ON ledger_hold FOR EACH ROW
  WHEN ((OLD.id, OLD.account_id, OLD.programme_id, OLD.seq, OLD.points, OLD.lapses_at)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.programme_id, NEW.seq, NEW.points, NEW.lapses_at)
        OR NEW.open)
  EXECUTE FUNCTION ledger_only_ends();
CREATE TRIGGER closure_only_ends BEFORE UPDATE ON ledger_closure FOR EACH ROW
  WHEN ((OLD.id, OLD.account_id, OLD.programme_id, OLD.seq, OLD.points, OLD.closes_at)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.programme_id, NEW.seq, NEW.points, NEW.closes_at)
        OR NEW.open)
  EXECUTE FUNCTION ledger_only_ends();
CREATE TRIGGER hold_not_deleted BEFORE DELETE ON ledger_hold
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER closure_not_deleted BEFORE DELETE ON ledger_closure
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER hold_no_truncate BEFORE TRUNCATE ON ledger_hold
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER closure_no_truncate BEFORE TRUNCATE ON ledger_closure
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- As it was made, a lot is a fact; `moved_untold` is a note about its present date.
DROP TRIGGER lot_keeps_its_facts ON ledger_lot;
CREATE TRIGGER lot_keeps_its_facts BEFORE UPDATE ON ledger_lot FOR EACH ROW
  WHEN ((OLD.id, OLD.account_id, OLD.programme_id, OLD.seq, OLD.number, OLD.family_seq, OLD.policy_id, OLD.origin,
         OLD.granted, OLD.notice_days, OLD.notice_slack, OLD.first_spendable_at, OLD.first_expires_at)
        IS DISTINCT FROM
        (NEW.id, NEW.account_id, NEW.programme_id, NEW.seq, NEW.number, NEW.family_seq, NEW.policy_id, NEW.origin,
         NEW.granted, NEW.notice_days, NEW.notice_slack, NEW.first_spendable_at, NEW.first_expires_at))
  EXECUTE FUNCTION ledger_lot_keeps_its_facts();

CREATE OR REPLACE FUNCTION ledger_lot_keeps_its_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a lot keeps its facts: only remaining, open, spendable_at, expires_at, gated and moved_untold may change'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Law 15, at commit: nothing under a notice duty expires without good notices for that very date: told early enough and
-- not too early, on as many channels as the policy asks, or waived where it accepts that; none of them withdrawn before.
-- And an expiry is of lots that had that date, whole.
CREATE OR REPLACE FUNCTION ledger_expiry_was_announced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT l.id INTO wrong
    FROM ledger_allocation a JOIN ledger_lot l ON l.id = a.lot_id
   WHERE a.entry_id = NEW.id
     AND ((l.remaining = 0 AND l.expires_at IS DISTINCT FROM NEW.effective_at)  -- else points came back, with a new date
          OR (SELECT coalesce(sum(b.delta), 0) FROM ledger_allocation b JOIN ledger_entry e ON e.id = b.entry_id
               WHERE b.lot_id = l.id AND e.seq <= NEW.seq) <> 0
          OR (l.notice_days > 0 AND NOT ledger_is_announced(l, NEW.effective_at, NEW.seq)))
   LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % expires lot % unannounced, at another date than its own, or in part', NEW.id, wrong
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

-- Good as the entry `before` found it: what is withdrawn behind an expiry in its own transaction was good for it.
CREATE FUNCTION ledger_is_announced(lot ledger_lot, at timestamptz, before bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  channels integer;
  waived boolean;
  policy ledger_policy;
BEGIN
  SELECT * INTO policy FROM ledger_policy WHERE id = lot.policy_id;
  SELECT count(DISTINCT n.channel) FILTER (WHERE n.waiver = ''), coalesce(bool_or(n.waiver <> ''), false)
    INTO channels, waived
    FROM ledger_notice n JOIN ledger_entry e ON e.id = n.entry_id
   WHERE n.account_id = lot.account_id AND n.expires_at = at AND lot.id = ANY (n.lots) AND e.seq < before
     AND n.told_on + lot.notice_days <= n.expires_on
     AND (policy.notice_max_days = 0 OR n.told_on + policy.notice_max_days >= n.expires_on)
     AND NOT EXISTS (SELECT FROM ledger_entry w
                      WHERE w.account_id = e.account_id AND w.undoes_seq = e.seq AND w.kind = 'notify'
                         AND w.seq < before);
  RETURN channels >= policy.notice_channels OR (policy.accepts_waivers AND waived);
END $$;

-- At commit, in the place of foreign keys, whose look-ups would lock what the transaction has locked already: an entry is
-- of an account and its programme, which are never removed, and its sum is that of its allocations; an allocation joins
-- an entry and a lot of one account. Only an allocation that is slipped in under an entry of an earlier transaction needs
-- a sum of its own.
ALTER TABLE ledger_entry DROP CONSTRAINT entry_of_an_account;

CREATE OR REPLACE FUNCTION ledger_entry_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved bigint;
BEGIN
  SELECT (SELECT coalesce(sum(delta), 0) FROM ledger_allocation WHERE entry_id = NEW.id) INTO moved
    FROM ledger_account WHERE id = NEW.account_id AND programme_id = NEW.programme_id;
  IF moved IS NULL THEN
    RAISE EXCEPTION 'entry % names an account and a programme that do not belong together', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  ELSIF moved <> NEW.amount + NEW.debt_delta THEN
    RAISE EXCEPTION 'entry % says % and its allocations sum to %', NEW.id, NEW.amount + NEW.debt_delta, moved
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_allocation_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_new boolean;
BEGIN
  SELECT e.xmin = pg_current_xact_id()::xid INTO is_new
    FROM ledger_entry e JOIN ledger_lot l ON l.account_id = e.account_id
   WHERE e.id = NEW.entry_id AND l.id = NEW.lot_id;
  IF is_new IS NULL THEN
    RAISE EXCEPTION 'allocation % joins an entry and a lot that are not of one account', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT is_new AND NOT EXISTS (SELECT FROM ledger_allocation
                                 WHERE entry_id = NEW.entry_id AND id > NEW.id AND xmin = pg_current_xact_id()::xid) THEN
    PERFORM ledger_check_entry_sum(NEW.entry_id);
  END IF;
  RETURN NULL;
END $$;

-- Every act changes the account's row, and one or two of its lots, without changing what an index covers: with room left
-- on the page such a change touches no index.
ALTER TABLE ledger_account SET (fillfactor = 70);
ALTER TABLE ledger_lot SET (fillfactor = 85);

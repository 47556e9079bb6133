-- What every act pays for, as cheaply as it can be said. A CHECK constraint is parsed anew by every statement that writes,
-- a foreign key locks what its row names; a function's expressions are made once for a connection. The rules are those of
-- before, under their names, and all of an entry's stand here together.

-- At commit, of an entry: its fields hold together (each rule by its name), it is of an account and its programme, which
-- are never removed, its sum is that of its allocations, and those are of lots of its account.
CREATE FUNCTION ledger_entry_is_sound() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved bigint;
  strange boolean;
  owner bigint;
BEGIN
  IF (CASE WHEN NEW.kind IN ('grant', 'refund', 'release', 'reinstate') THEN NEW.amount > 0
           WHEN NEW.kind IN ('redeem', 'clawback', 'hold', 'expire', 'forfeit') THEN NEW.amount < NEW.written_off
           WHEN NEW.kind IN ('settle', 'capture', 'extend', 'postpone', 'notify', 'close', 'decline', 'note')
           THEN NEW.amount = 0
           ELSE false END) IS NOT TRUE THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_kind_is_declared_with_its_sign');
  ELSIF NEW.written_off <> 0 AND NOT (NEW.written_off > 0 AND NEW.kind = 'clawback' AND NEW.amount <= 0) THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_clawback_writes_off');
  ELSIF NEW.effective_at > NEW.recorded_at THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_effective_not_later');
  ELSIF NEW.balance_after < 0 THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_balance_not_negative');
  ELSIF NEW.debt_after < 0 THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_debt_not_negative');
  ELSIF NEW.key IS NOT NULL AND NEW.body_hash IS NULL THEN
    PERFORM ledger_refuse_entry(NEW, 'entry_key_has_a_body');
  END IF;

  SELECT programme_id INTO owner FROM ledger_account WHERE id = NEW.account_id;
  IF owner IS DISTINCT FROM NEW.programme_id THEN
    RAISE EXCEPTION 'entry % names an account and a programme that do not belong together', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;

  SELECT coalesce(sum(a.delta), 0), coalesce(bool_or(l.account_id IS DISTINCT FROM NEW.account_id), false)
    INTO moved, strange
    FROM ledger_allocation a LEFT JOIN ledger_lot l ON l.id = a.lot_id
   WHERE a.entry_id = NEW.id;
  IF strange THEN
    RAISE EXCEPTION 'an allocation of entry % joins it with a lot that is not of its account', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  ELSIF moved <> NEW.amount + NEW.debt_delta THEN
    RAISE EXCEPTION 'entry % says % and its allocations sum to %', NEW.id, NEW.amount + NEW.debt_delta, moved
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION ledger_refuse_entry(entry ledger_entry, rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'entry % of account % breaks "%"', entry.seq, entry.account_id, rule
    USING ERRCODE = 'check_violation', CONSTRAINT = rule, TABLE = 'ledger_entry';
END $$;

DROP TRIGGER entry_adds_up ON ledger_entry;
DROP FUNCTION ledger_entry_adds_up();
CREATE CONSTRAINT TRIGGER entry_is_sound AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_sound();

-- An allocation that is written together with its entry is looked at with it. One that is slipped in under an entry of an
-- earlier transaction is looked at by itself, once for an entry.
CREATE OR REPLACE FUNCTION ledger_allocation_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_new boolean;
BEGIN
  SELECT xmin = pg_current_xact_id()::xid INTO is_new FROM ledger_entry WHERE id = NEW.entry_id;
  IF is_new THEN
    RETURN NULL;
  END IF;
  PERFORM FROM ledger_entry e JOIN ledger_lot l ON l.account_id = e.account_id
    WHERE e.id = NEW.entry_id AND l.id = NEW.lot_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'allocation % joins an entry and a lot that are not of one account', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM ledger_allocation
                  WHERE entry_id = NEW.entry_id AND id > NEW.id AND xmin = pg_current_xact_id()::xid) THEN
    PERFORM ledger_check_entry_sum(NEW.entry_id);
  END IF;
  RETURN NULL;
END $$;

-- At commit, of a lot: the entry that made it is there, of its account and programme. Entries are never removed.
ALTER TABLE ledger_lot DROP CONSTRAINT lot_of_an_account, DROP CONSTRAINT lot_made_by_an_entry;

CREATE FUNCTION ledger_lot_is_sound() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  programme bigint;
BEGIN
  SELECT programme_id INTO programme FROM ledger_entry WHERE account_id = NEW.account_id AND seq = NEW.seq;
  IF programme IS NULL THEN
    RAISE EXCEPTION 'lot % breaks "lot_made_by_an_entry"', NEW.id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'lot_made_by_an_entry', TABLE = 'ledger_lot';
  ELSIF programme <> NEW.programme_id THEN
    RAISE EXCEPTION 'lot % breaks "lot_of_an_account"', NEW.id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'lot_of_an_account', TABLE = 'ledger_lot';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER lot_is_sound AFTER INSERT ON ledger_lot
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_lot_is_sound();

-- No statement may so much as name a fact of a lot among what it changes: then no row need be compared.
DROP TRIGGER lot_keeps_its_facts ON ledger_lot;
CREATE TRIGGER lot_keeps_its_facts
  BEFORE UPDATE OF id, account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, notice_days,
                   notice_slack, first_spendable_at, first_expires_at
  ON ledger_lot FOR EACH ROW EXECUTE FUNCTION ledger_lot_keeps_its_facts();

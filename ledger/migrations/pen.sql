-- The pen's call (`writing.py`). Its plans are made once for a connection and must serve tables of every size, so they may
-- only follow indexes.

-- Write entries, lots, allocations, dates, notices, holds, closures and accounts, each as rows with the columns' names:
-- final states only, each lot and account once. Allocations, dates and notices name their entry, and a new lot, by its
-- place among those written here, from 1. First the accounts move on from the number of entries that was read: one that
-- somebody else has written to since is refused, and so is all of it.
CREATE OR REPLACE FUNCTION ledger_write(doc jsonb) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  entries bigint[];
  lots bigint[];
  moved bigint;
BEGIN
  UPDATE ledger_account AS a
     SET balance = t.balance, debt = t.debt, seq = t.seq, head_hash = t.head_hash,
         last_recorded_at = t.last_recorded_at, active_at = t.active_at, not_before = t.not_before,
         lapses_at = t.lapses_at, closes_at = t.closes_at, closed = t.closed
    FROM jsonb_to_recordset(doc->'accounts') AS t (id bigint, was_seq bigint, balance bigint, debt bigint, seq bigint, head_hash bytea,
         last_recorded_at timestamptz, active_at timestamptz, not_before timestamptz, lapses_at timestamptz,
         closes_at timestamptz, closed boolean)
   WHERE a.id = t.id AND a.seq = t.was_seq;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> jsonb_array_length(doc->'accounts') THEN
    RAISE EXCEPTION 'an account has moved on' USING ERRCODE = 'serialization_failure';
  END IF;

  WITH new AS (
    INSERT INTO ledger_entry (account_id, programme_id, seq, kind, amount, debt_delta, written_off, balance_after,
           debt_after, key, body_hash, actor, reason, reference, undoes_seq, asked, available, effective_at,
           recorded_at, hash_version, hash)
    SELECT account_id, programme_id, seq, kind, amount, debt_delta, written_off, balance_after,
           debt_after, key, body_hash, actor, reason, reference, undoes_seq, asked, available, effective_at,
           recorded_at, hash_version, hash
      FROM jsonb_populate_recordset(NULL::ledger_entry, doc->'entries')
    RETURNING id)
  SELECT array_agg(id) INTO entries FROM new;

  IF doc ? 'lots' THEN
    WITH new AS (
      INSERT INTO ledger_lot (account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, remaining,
             open, spendable_at, expires_at, gated, notice_days, notice_slack, first_spendable_at, first_expires_at,
             moved_untold)
      SELECT account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, remaining,
             remaining > 0, spendable_at, expires_at, gated, notice_days, notice_slack, first_spendable_at,
             first_expires_at, moved_untold
        FROM jsonb_populate_recordset(NULL::ledger_lot, doc->'lots')
      RETURNING id)
    SELECT array_agg(id) INTO lots FROM new;
  END IF;

  IF doc ? 'allocations' THEN
    INSERT INTO ledger_allocation (entry_id, lot_id, delta, until)
    SELECT entries[entry], coalesce(lot, lots[made]), delta, until
      FROM jsonb_to_recordset(doc->'allocations') AS a (entry int, lot bigint, made int, delta bigint, until timestamptz);
  END IF;

  IF doc ? 'moves' THEN
    INSERT INTO ledger_extension (entry_id, lot_id, was, until, spendable_was, spendable_until)
    SELECT entries[entry], coalesce(lot, lots[made]), was, until, spendable_was, spendable_until
      FROM jsonb_to_recordset(doc->'moves') AS x (entry int, lot bigint, made int, was timestamptz, until timestamptz,
           spendable_was timestamptz, spendable_until timestamptz);
  END IF;

  IF doc ? 'notices' THEN
    INSERT INTO ledger_notice (entry_id, account_id, expires_at, expires_on, told_on, channel, evidence, lots, waiver)
    SELECT entries[entry], account_id, expires_at, expires_on, told_on, channel, evidence, named, waiver
      FROM jsonb_to_recordset(doc->'notices') AS n (entry int, account_id bigint, expires_at timestamptz,
           expires_on date, told_on date, channel text, evidence text, named bigint[], waiver text);
  END IF;

  IF doc ? 'holds' THEN
    INSERT INTO ledger_hold (account_id, programme_id, seq, points, lapses_at, open)
    SELECT account_id, programme_id, seq, points, lapses_at, open
      FROM jsonb_populate_recordset(NULL::ledger_hold, doc->'holds');
  END IF;

  IF doc ? 'closures' THEN
    INSERT INTO ledger_closure (account_id, programme_id, seq, closes_at, points, open)
    SELECT account_id, programme_id, seq, closes_at, points, open
      FROM jsonb_populate_recordset(NULL::ledger_closure, doc->'closures');
  END IF;

  IF doc ? 'touched' THEN
    UPDATE ledger_lot AS l
       SET remaining = t.remaining, open = t.remaining > 0, spendable_at = t.spendable_at,
           expires_at = t.expires_at, gated = t.gated, moved_untold = t.moved_untold
      FROM jsonb_to_recordset(doc->'touched') AS t (id bigint, remaining bigint, spendable_at timestamptz,
           expires_at timestamptz, gated boolean, moved_untold boolean)
     WHERE l.id = t.id;
  END IF;

  IF doc ? 'ended_holds' THEN
    UPDATE ledger_hold SET open = false
     WHERE id IN (SELECT jsonb_array_elements_text(doc->'ended_holds')::bigint);
  END IF;

  IF doc ? 'ended_closures' THEN
    UPDATE ledger_closure SET open = false
     WHERE id IN (SELECT jsonb_array_elements_text(doc->'ended_closures')::bigint);
  END IF;
END $$;

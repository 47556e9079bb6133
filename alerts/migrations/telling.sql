-- Facts of telling. What a member said, the words of a version, and why a rule was broken on purpose stay as they are;
-- of what a provider reported only the delivery it is about is filled in, once. A member who is erased takes what they
-- said along.
CREATE TRIGGER consent_not_changed BEFORE UPDATE ON alerts_consent
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER templateversion_append_only BEFORE UPDATE OR DELETE ON alerts_templateversion
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER override_append_only BEFORE UPDATE OR DELETE ON alerts_override
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER providerevent_append_only BEFORE DELETE ON alerts_providerevent
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER providerevent_keeps_its_facts
  BEFORE UPDATE OF id, transport, event_key, kind, provider_id, our_key, occurred_at, received_at, raw
  ON alerts_providerevent FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER providerevent_matched_once BEFORE UPDATE ON alerts_providerevent
  FOR EACH ROW WHEN (OLD.matched_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();

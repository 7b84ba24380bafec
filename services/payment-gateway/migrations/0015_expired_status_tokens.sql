-- A status token is issued with every request for a session: those that have run out are removed, found by this.
create index status_tokens_by_expiry on status_tokens (expires_at);

-- The settings of a service's connections, for a pooler that drops them from the connection (PgBouncer in session mode with
-- `ignore_startup_parameters = extra_float_digits, options`). A service that does not find them does not start. They hold
-- for new sessions: let the pooler reconnect. Safe to repeat; `migrate` connects past the pooler.
\set ON_ERROR_STOP on
SELECT format('ALTER ROLE %I SET %I = %L', role, setting, value)
FROM unnest(ARRAY['consultation', 'finance']) AS role,
    (VALUES ('statement_timeout', '5s'), ('lock_timeout', '2s'), ('idle_in_transaction_session_timeout', '10s'),
        ('enable_seqscan', 'off'), ('jit', 'off')) AS settings (setting, value)
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

-- A role and a schema for each service: neither can read or write the other's tables. Safe to repeat, so that
-- `up` also makes a changed password known. Each role owns its schema, which is first on its search path by
-- its name; so a service's migrations run as its own role, and their tables need no grants.
-- Passwords come from the variables CONSULTATION_DATABASE_PASSWORD and FINANCE_DATABASE_PASSWORD.
\set ON_ERROR_STOP on
\set QUIET on
-- Whatever the server logs, not these statements.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET client_min_messages = 'warning';
\getenv consultation_password CONSULTATION_DATABASE_PASSWORD
\getenv finance_password FINANCE_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['consultation', 'finance']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE consultation LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'consultation_password';
ALTER ROLE finance LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'finance_password';

SELECT current_database() AS database \gset
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO consultation, finance;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS consultation AUTHORIZATION consultation;
CREATE SCHEMA IF NOT EXISTS finance AUTHORIZATION finance;
REVOKE ALL ON SCHEMA consultation, finance FROM PUBLIC;
\echo 'roles and schemas of consultation and finance are as they should be'

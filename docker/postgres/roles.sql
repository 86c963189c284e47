-- A schema and two roles for each service: neither service can read or write the other's tables. The owner, which `migrate`
-- uses, owns the schema and its tables. The role that serves can read and write rows, and nothing else: it cannot disable a
-- trigger, so it can neither change a recorded payment nor delete one that is on its way; nor can it empty or drop a table.
-- Safe to repeat, so that `up` also makes a changed password known; a database from before there were owners is taken over.
-- Passwords come from the variables CONSULTATION_DATABASE_PASSWORD, CONSULTATION_OWNER_DATABASE_PASSWORD and FINANCE_...
\set ON_ERROR_STOP on
\set QUIET on
-- Whatever the server logs, not these statements.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET client_min_messages = 'warning';
\getenv consultation_password CONSULTATION_DATABASE_PASSWORD
\getenv finance_password FINANCE_DATABASE_PASSWORD
\getenv consultation_owner_password CONSULTATION_OWNER_DATABASE_PASSWORD
\getenv finance_owner_password FINANCE_OWNER_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['consultation', 'consultation_owner', 'finance', 'finance_owner']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
-- Below the server's 100, of which 3 are the superuser's: whatever one role does, the others connect. Three processes of
-- consultation have 18 each, two of finance; a migration takes 3, and those of several replicas take turns.
ALTER ROLE consultation LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 54 PASSWORD :'consultation_password';
ALTER ROLE finance LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 36 PASSWORD :'finance_password';
ALTER ROLE consultation_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 3
    PASSWORD :'consultation_owner_password';
ALTER ROLE finance_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 3
    PASSWORD :'finance_owner_password';
-- A migration that waits can tell whose transaction is in its way, and an operator end it. Not the other way round.
GRANT consultation TO consultation_owner;
GRANT finance TO finance_owner;

SELECT current_database() AS database \gset
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO consultation, consultation_owner, finance, finance_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- What the roles that serve owned before.
REASSIGN OWNED BY consultation TO consultation_owner;
REASSIGN OWNED BY finance TO finance_owner;
CREATE SCHEMA IF NOT EXISTS consultation AUTHORIZATION consultation_owner;
CREATE SCHEMA IF NOT EXISTS finance AUTHORIZATION finance_owner;
REVOKE ALL ON SCHEMA consultation, finance FROM PUBLIC, consultation, finance;
GRANT USAGE ON SCHEMA consultation TO consultation;
GRANT USAGE ON SCHEMA finance TO finance;
-- The schema is first on the search path of the role with its name; to its owner it is told.
ALTER ROLE consultation_owner IN DATABASE :"database" SET search_path = consultation;
ALTER ROLE finance_owner IN DATABASE :"database" SET search_path = finance;

-- Rows of the tables that are there, and of those that migrations will make.
REVOKE ALL ON ALL TABLES IN SCHEMA consultation FROM consultation;
REVOKE ALL ON ALL TABLES IN SCHEMA finance FROM finance;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA consultation TO consultation;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA finance TO finance;
ALTER DEFAULT PRIVILEGES FOR ROLE consultation_owner IN SCHEMA consultation
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO consultation;
ALTER DEFAULT PRIVILEGES FOR ROLE finance_owner IN SCHEMA finance
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO finance;
\echo 'roles and schemas of consultation and finance are as they should be'

#!/bin/sh
# Runs roles.sql in the postgres image. A password is in the variable, or in the file that ..._FILE names.
set -eu
from_file() { # VARIABLE
    eval "file=\${$1_FILE:-}"
    [ -z "$file" ] || eval "$1=\$(cat \"\$file\")"
}
for name in POSTGRES_PASSWORD CONSULTATION_DATABASE_PASSWORD CONSULTATION_OWNER_DATABASE_PASSWORD \
    FINANCE_DATABASE_PASSWORD FINANCE_OWNER_DATABASE_PASSWORD; do from_file "$name"; done
export CONSULTATION_DATABASE_PASSWORD CONSULTATION_OWNER_DATABASE_PASSWORD FINANCE_DATABASE_PASSWORD \
    FINANCE_OWNER_DATABASE_PASSWORD PGPASSWORD="$POSTGRES_PASSWORD"
exec psql --no-psqlrc --file /clinic/roles.sql

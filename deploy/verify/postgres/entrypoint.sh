#!/bin/bash
# The part of the official image's entrypoint that docker-compose.yml uses.
set -euo pipefail

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  read -ra arguments <<<"${POSTGRES_INITDB_ARGS:-}"
  initdb --username="$user" --pwfile="$POSTGRES_PASSWORD_FILE" "${arguments[@]}" >/dev/null
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

  pg_ctl --wait start --options="-c listen_addresses='' -k $PGHOST" >/dev/null
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) psql --no-psqlrc -v ON_ERROR_STOP=1 --quiet --username="$user" --dbname=postgres --file="$file" ;;
      *.sh) bash "$file" ;;
    esac
  done
  pg_ctl --wait --mode=fast stop >/dev/null
fi

exec "$@" -k "$PGHOST" -c "listen_addresses=*"

-- Run on every start by whoever may create roles; everything after it is run by, and belongs to, app_owner.
-- app_user is what requests run as. app_system serves identity, jobs and mail and is granted no business table.
-- Neither owns a table, neither can bypass row security, neither may become another role.
do $$ declare name text; begin
    foreach name in array '{app_owner,app_user,app_system}'::text[] loop
        if to_regrole(name) is null then execute format('create role %I noinherit', name); end if;
    end loop;
    execute format('grant create on database %I to app_owner', current_database());
    execute format('grant connect on database %I to app_user, app_system', current_database());
    execute format('revoke temporary on database %I from public', current_database());
end $$;
alter role app_user login nosuperuser nobypassrls nocreatedb nocreaterole;
alter role app_system login nosuperuser nobypassrls nocreatedb nocreaterole;
alter role app_user set statement_timeout = '15s';
alter role app_user set lock_timeout = '3s';
alter role app_user set idle_in_transaction_session_timeout = '10s';
alter role app_system set statement_timeout = '15s';
alter role app_system set lock_timeout = '3s';
alter role app_system set idle_in_transaction_session_timeout = '10s';
revoke create on schema public from public;
create extension if not exists btree_gin;
create extension if not exists pg_trgm;

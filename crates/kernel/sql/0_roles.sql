-- Run on every start by whoever may create roles; everything after it is run by, and belongs to, app_owner.
-- app_user is what requests run as. app_system serves identity, jobs and mail and is granted no business table.
-- Neither owns a table, neither can bypass row security, neither may become another role.
-- Roles are the server's, not the database's: another Fondaco of this server may be making them right now.
do $$ declare name text; begin
    for attempt in 1..20 loop
        begin
            foreach name in array '{app_owner,app_user,app_system}'::text[] loop
                if to_regrole(name) is null then execute format('create role %I noinherit', name); end if;
            end loop;
            -- Some of these only a superuser may say, even where it changes nothing.
            for name in select r.rolname from pg_roles r where r.rolname in ('app_owner', 'app_user', 'app_system')
                and (r.rolsuper or r.rolbypassrls or r.rolcreatedb or r.rolcreaterole)
            loop
                execute format('alter role %I nosuperuser nobypassrls nocreatedb nocreaterole', name);
            end loop;
            -- A superuser is a member of all.
            if not pg_has_role(current_user, 'app_owner', 'member') then grant app_owner to current_user; end if;
            foreach name in array '{app_user,app_system}'::text[] loop
                execute format('alter role %I login', name);
                execute format('alter role %I set statement_timeout = %L', name, '15s');
                execute format('alter role %I set lock_timeout = %L', name, '3s');
                execute format('alter role %I set idle_in_transaction_session_timeout = %L', name, '10s');
            end loop;
            exit;
        exception when internal_error or unique_violation or duplicate_object then
            if attempt = 20 then raise; end if;
            perform pg_sleep(0.05 * attempt);
        end;
    end loop;
    execute format('grant create on database %I to app_owner', current_database());
    execute format('grant connect on database %I to app_user, app_system', current_database());
    execute format('revoke temporary on database %I from public', current_database());
end $$;
revoke create on schema public from public;
create extension if not exists btree_gin;
create extension if not exists pg_trgm;

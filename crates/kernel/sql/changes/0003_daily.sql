-- What a new day brings one company: every module's own `daily()`. Asked for every hour, since each company's day begins
-- at its own; what a `daily` has done, it does not do again.
create function app.daily(company uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare module text; zone text;
begin
    select o.time_zone into strict zone from tenancy.organizations o where o.id = company;
    perform set_config('app.context', format('%s %s %s ', company, '00000000-0000-0000-0000-000000000000', app.new_id()), true);
    perform set_config('app.system', 'yes', true);
    perform set_config('timezone', zone, true);
    for module in
        select p.pronamespace::regnamespace::text from pg_proc p join app.entities e on split_part(e.name, '.', 1)::regnamespace = p.pronamespace
        where p.proname = 'daily' and p.pronargs = 0 group by 1 order by 1
    loop
        execute format('select %s.daily()', module);
    end loop;
end $$;
revoke execute on function app.daily(uuid) from public;
grant execute on function app.daily(uuid) to app_system;

-- down
drop function app.daily(uuid);

-- The series that the organization has numbered in, has a pattern for, or that a field of the product is numbered by.
create function app.series_in_use() returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('series', x.series, 'entity', x.entity, 'field', x.field,
            'pattern', (select n.pattern from app.number_series n where n.organization_id = app.organization() and n.series = x.series),
            'last', (select coalesce(jsonb_object_agg(c.period, c.last), '{}') from app.counters c
                     where c.organization_id = app.organization() and c.series = x.series)) order by x.series), '[]')
        from (
            select u.series, min(u.entity) as entity, min(u.field) as field from (
                select c.series, null::text as entity, null::text as field from app.counters c where c.organization_id = app.organization()
                union all
                select n.series, null, null from app.number_series n where n.organization_id = app.organization()
                union all
                select substring(pg_get_expr(d.adbin, d.adrelid) from $r$next_number\('([^']+)'$r$), e.name, a.attname::text
                from app.entities e join pg_attrdef d on d.adrelid = to_regclass(e.name)
                join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
            ) u where u.series is not null group by u.series
        ) x);
end $$;
revoke execute on function app.series_in_use() from public;
grant execute on function app.series_in_use() to app_user;

-- How the organization writes the numbers of a series from now on; null is as the product does. What is numbered stays so.
create function app.set_series(series text, pattern text) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare was text;
begin
    select n.pattern into was from app.number_series n where n.organization_id = app.organization() and n.series = set_series.series for update;
    if was is not distinct from pattern then return; end if;
    if pattern is null then
        delete from app.number_series n where n.organization_id = app.organization() and n.series = set_series.series;
    else
        insert into app.number_series as n (organization_id, series, pattern) values (app.organization(), set_series.series, set_series.pattern)
        on conflict on constraint number_series_pkey do update set pattern = excluded.pattern;
    end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, old, new)
    values (app.organization(), 'tenancy.settings', app.new_id(), 'update', app.actor(), app.request(),
        jsonb_build_object('value', was), jsonb_build_object('key', 'numbers.' || series, 'value', pattern));
end $$;
revoke execute on function app.set_series(text, text) from public;
grant execute on function app.set_series(text, text) to app_user;

-- down
drop function app.series_in_use();
drop function app.set_series(text, text);

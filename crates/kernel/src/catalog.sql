-- Everything the records API needs to know about tables, in one round trip.
select jsonb_build_object('entities', coalesce(jsonb_agg(jsonb_build_object(
    'name', e.name, 'slot', e.slot, 'owner', e.owner, 'part_of', e.part_of, 'fk', e.fk,
    'comment', obj_description(e.name::regclass),
    'columns', (
        select jsonb_agg(jsonb_build_object(
            'name', a.attname,
            'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
            'domain', case when t.typtype = 'd' then t.typname end,
            'required', a.attnotnull and not a.atthasdef,
            'not_null', a.attnotnull,
            'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
            'generated', a.attgenerated <> '',
            'derived', a.attname = any (e.derived),
            'secret', a.attname = any (e.ignored),
            'comment', col_description(a.attrelid, a.attnum)) order by a.attnum)
        from pg_attribute a join pg_type t on t.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = e.name::regclass and a.attnum > 0 and not a.attisdropped),
    'constraints', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'name', c.conname,
            'kind', c.contype,
            'columns', (select coalesce(jsonb_agg(a.attname order by k.i), '[]')
                        from unnest(c.conkey) with ordinality k (n, i)
                        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n),
            'message', obj_description(c.oid, 'pg_constraint'),
            'options', case when c.contype = 'c' and cardinality(c.conkey) = 1 and pg_get_constraintdef(c.oid) ~ '= ANY \(ARRAY\['
                then (select jsonb_agg(m[1]) from regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g') m) end,
            'target', (select n.nspname || '.' || r.relname from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = c.confrelid)
            )), '[]')
        from pg_constraint c where c.conrelid = e.name::regclass),
    'uniques', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'name', i.indexrelid::regclass::text,
            'columns', (select jsonb_agg(a.attname) from unnest(i.indkey::int2[]) k (n) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n),
            'message', coalesce(obj_description(i.indexrelid, 'pg_class'), (select obj_description(c.oid, 'pg_constraint') from pg_constraint c where c.conindid = i.indexrelid and c.contype = 'u' limit 1)))), '[]')
        from pg_index i where i.indrelid = e.name::regclass and i.indisunique and not i.indisprimary),
    'transitions', (
        select coalesce(jsonb_agg(jsonb_build_object('action', t.action, 'field', t.field, 'source', t.source, 'target', t.target) order by t.sort), '[]')
        from app.transitions t where t.entity = e.name)
)), '[]'), 'domains', (
    select coalesce(jsonb_object_agg(c.conname, obj_description(c.oid, 'pg_constraint')), '{}')
    from pg_constraint c where c.contypid <> 0 and obj_description(c.oid, 'pg_constraint') is not null))::text
from app.entities e

-- Under row security only leakproof operators may use an index. These raise no error that tells about other rows
-- (docs/adr/0003). Needs a superuser; not kept by pg_dump or pg_upgrade, so it is applied again on every start.
do $$ declare f record; begin
    for f in
        select p.oid::regprocedure as name from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace and not p.proleakproof
          and p.proname = any ('{numeric_eq,numeric_ne,numeric_lt,numeric_le,numeric_gt,numeric_ge,numeric_cmp,
              ts_match_vq,textlike,texticlike,jsonb_contains,jsonb_exists,jsonb_object_field_text,arrayoverlap,arraycontains,array_eq}')
    loop
        execute format('alter function %s leakproof', f.name);
    end loop;
    for f in
        select p.oid::regprocedure as name from pg_proc p join pg_depend d on d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
        join pg_extension e on e.oid = d.refobjid
        where e.extname = 'pg_trgm' and not p.proleakproof and p.proname in ('similarity_op', 'word_similarity_op', 'word_similarity_commutator_op')
        union all
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = to_regnamespace('app') and not p.proleakproof and p.proname in ('j_text', 'j_number', 'j_date', 'j_instant', 'j_bool', 'j_list', 'j_id', 'j_link')
    loop
        execute format('alter function %s leakproof', f.name);
    end loop;
end $$;

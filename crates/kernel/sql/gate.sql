-- The catalog gate: one row for every rule that a table breaks, none when all is well. It runs in the tests, when the
-- server starts and after a restore. C01-C25 keep the schema fit for sharding, R01-R09 keep tenants apart.
with cfg as (select array(select nspname::text from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')) as schemas,
    'app_user'::text as app_role, 50 as max_name),
tab as (select c.oid, n.nspname||'.'||c.relname as name, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relowner,
    (select a.attnum from pg_attribute a where a.attrelid=c.oid and a.attname='organization_id' and not a.attisdropped) as org,
    (select a.atttypid from pg_attribute a where a.attrelid=c.oid and a.attname='organization_id' and not a.attisdropped) as orgtype,
    (select a.attnotnull from pg_attribute a where a.attrelid=c.oid and a.attname='organization_id' and not a.attisdropped) as orgnn
  from pg_class c join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and c.relkind in ('r','p')),
con as (select k.*, t.name as tname, t.org, p.name as pname, p.org as porg from pg_constraint k join tab t on t.oid=k.conrelid left join tab p on p.oid=k.confrelid),
pol as (select p.*, t.name from pg_policy p join tab t on t.oid=p.polrelid),
polfn as (select pol.name, pol.polname, f.oid as fn, f.proname, f.provolatile, l.lanname, f.prosrc
  from pol, lateral regexp_matches(coalesce(pol.polqual::text,'')||coalesce(pol.polwithcheck::text,''), ':funcid (\d+)','g') m join pg_proc f on f.oid=m[1]::oid join pg_language l on l.oid=f.prolang),
trg as (select g.*, t.name, t.org, f.prosrc from pg_trigger g join tab t on t.oid=g.tgrelid join pg_proc f on f.oid=g.tgfoid where not g.tgisinternal and g.tgparentid=0)
select 'C01 table has no primary key' as rule, name as object from tab where not exists (select from pg_constraint where conrelid=tab.oid and contype='p')
union all select 'C02 organization_id must be uuid not null', name from tab where org is not null and (orgtype<>'uuid'::regtype or not orgnn)
union all select 'C03 primary key must start with organization_id', tname from con where contype='p' and org is not null and conkey[1]<>org
union all select 'C04 unique/exclusion without organization_id', t.name||' '||i.indexrelid::regclass from pg_index i join tab t on t.oid=i.indrelid
  where t.org is not null and (i.indisunique or i.indisexclusion) and not (t.org = any(i.indkey::int2[]))
union all select 'C05 foreign key between tenant tables lacks organization_id = organization_id', tname||' '||conname from con
  where contype='f' and org is not null and porg is not null and not exists (select from unnest(conkey,confkey) u(a,b) where a=org and b=porg)
union all select 'C06 global table references a tenant table', tname||' '||conname from con where contype='f' and org is null and porg is not null
union all select 'C07 SET NULL/SET DEFAULT on a tenant foreign key (Citus: 0A000)', tname||' '||conname from con where contype='f' and (confdeltype in ('n','d') or confupdtype in ('n','d')) and org = any(conkey)
union all select 'C08 deferrable constraint (error at COMMIT loses its SQLSTATE on Citus)', tname||' '||conname from con where condeferrable
union all select 'C09 row level security not enabled', name from tab where org is not null and not relrowsecurity and not relispartition
union all select 'C10 FORCE ROW LEVEL SECURITY (blocks online shard moves)', name from tab where relforcerowsecurity
union all select 'C11 RESTRICTIVE policy (becomes permissive on Citus shards = data leak)', name||' '||polname from pol where not polpermissive
union all select 'C12 more than one policy for the same command and role', name||' '||array_agg(polname)::text from (select p.name, p.polname, c, r from pol p, unnest(case p.polcmd when '*' then array['r','a','w','d'] else array[p.polcmd::text] end) c, unnest(p.polroles) r) x group by name, c, r having count(*)>1
union all select 'C13 policy has a subquery', name||' '||polname from pol where coalesce(polqual::text,'')||coalesce(polwithcheck::text,'') like '%{SUBLINK %'
union all select 'C14 policy calls a function that may read tables', name||' '||polname||' '||proname from polfn where lanname not in ('internal','c') and (provolatile='v' or prosrc ~* '\m(from|select|insert|update|delete)\M.*\m(from|into|set)\M')
union all select 'C15 runtime role owns the table, is superuser or bypasses RLS', t.name from tab t, cfg, pg_roles r where r.rolname=cfg.app_role and (r.rolsuper or r.rolbypassrls or pg_has_role(r.oid,t.relowner,'member'))
union all select 'C16 trigger function uses the physical table name or NOTIFY (wrong on shards)', name||' '||tgname from trg where org is not null and prosrc ~* '\m(tg_table_name|tg_relname|tg_relid|tg_table_schema|pg_notify|notify)\M'
union all select 'C17 constraint trigger / deferred trigger', name||' '||tgname from trg where tgconstraint<>0 or tgdeferrable
union all select 'C18 sequence default or identity on a tenant table', t.name||'.'||a.attname from tab t join pg_attribute a on a.attrelid=t.oid and a.attnum>0 and not a.attisdropped left join pg_attrdef d on d.adrelid=t.oid and d.adnum=a.attnum
  where t.org is not null and (a.attidentity<>'' or pg_get_expr(d.adbin,d.adrelid) ~ 'nextval\(')
union all select 'C19 name too long for a shard suffix', n.nspname||'.'||c.relname from pg_class c join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and octet_length(c.relname)>cfg.max_name
union all select 'C19 name too long for a shard suffix', tname||' '||conname from con, cfg where octet_length(conname)>cfg.max_name
union all select 'C20 view without security_invoker', n.nspname||'.'||c.relname from pg_class c join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and c.relkind='v' and not coalesce(c.reloptions::text,'') ~ 'security_invoker=(true|on|1)'
union all select 'C21 materialized view (lives on the coordinator, no RLS)', n.nspname||'.'||c.relname from pg_class c join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and c.relkind='m'
union all select 'C22 rule or INSTEAD OF trigger', c.oid::regclass::text||' '||r.rulename from pg_rewrite r join pg_class c on c.oid=r.ev_class join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and r.rulename<>'_RETURN'
union all select 'C22 rule or INSTEAD OF trigger', g.tgrelid::regclass||' '||g.tgname from pg_trigger g join pg_class c on c.oid=g.tgrelid join pg_namespace n on n.oid=c.relnamespace, cfg where n.nspname=any(cfg.schemas) and c.relkind='v'
union all select 'C23 inheritance (not partitioning) or unlogged/foreign table', t.name from tab t where t.relpersistence<>'p' or exists (select from pg_inherits i where i.inhrelid=t.oid and not t.relispartition)
union all select 'C24 SQL-language function reads tables (use plpgsql, or only call it as the whole statement)', p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid=p.pronamespace join pg_language l on l.oid=p.prolang, cfg where n.nspname=any(cfg.schemas) and l.lanname='sql' and p.prosrc ~* '\m(from|into|update)\M\s+\w+\.'
union all select 'C25 function without a pinned search_path that names an unqualified table', p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid=p.pronamespace, cfg, tab t where n.nspname=any(cfg.schemas) and p.proconfig is null and p.prosrc ~* ('\m(from|into|update|join)\s+'||t.relname||'\M')
union all select 'R01 tenant table is not enrolled', name from tab where org is not null and not relispartition
  and name not in (select e.name from app.entities e)
  and name not in ('app.record', 'app.audit', 'app.counters', 'app.number_series', 'app.idempotency', 'app.jobs', 'app.schedules', 'app.seen', 'app.audit_blocks', 'app.proofs', 'app.followers', 'builder.trigger_executions')
union all select 'R02 enrolled table lacks a policy for a command', t.name || ' ' || c from tab t join app.entities e on e.name = t.name, unnest(array['r','a','w','d']) c
  where not exists (select from pg_policy p where p.polrelid = t.oid and p.polcmd::text = c and p.polroles = array[to_regrole('app_user')::oid])
union all select 'R03 policy for everybody, or one that does not name the tenant', pol.name || ' ' || pol.polname from pol, cfg
  where 0 = any (pol.polroles) or to_regrole(cfg.app_role) = any (pol.polroles)
  and coalesce(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) !~ 'organization_id = app\.organization\(\)'
union all select 'R04 runtime role may truncate, reference or trigger', t.name from tab t, cfg, unnest(array['TRUNCATE','REFERENCES','TRIGGER']) p where has_table_privilege(cfg.app_role, t.oid, p)
union all select 'R05 runtime role reaches a partition directly', t.name from tab t, cfg where t.relispartition and has_any_column_privilege(cfg.app_role, t.oid, 'SELECT, INSERT, UPDATE')
union all select 'R06 runtime role reaches a global table that holds people or secrets', t.name from tab t, cfg
  where t.org is null and has_any_column_privilege(cfg.app_role, t.oid, 'SELECT') and t.name not in ('app.currencies', 'app.entities', 'app.transitions', 'app.schema_changes')
union all select 'R06 runtime role writes a global table', t.name from tab t, cfg
  where t.org is null and (has_any_column_privilege(cfg.app_role, t.oid, 'INSERT, UPDATE') or has_table_privilege(cfg.app_role, t.oid, 'DELETE'))
union all select 'R07 definer function without a pinned search_path', p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace, cfg
  where n.nspname = any (cfg.schemas) and p.prosecdef and not coalesce(p.proconfig::text, '') like '%search_path%'
union all select 'R08 enrolled table has no history', t.name from tab t join app.entities e on e.name = t.name
  where not exists (select from pg_trigger g join pg_proc f on f.oid = g.tgfoid where g.tgrelid = t.oid and f.proname = 'log_change' and g.tgenabled = 'O')
union all select 'R09 instant without a time zone, or a number that may be NaN', t.name || '.' || a.attname from tab t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  where a.atttypid in ('timestamp'::regtype, 'float4'::regtype, 'float8'::regtype, 'money'::regtype)
union all select 'R10 foreign key without an index', k.tname || ' ' || k.conname from con k where k.contype = 'f' and k.org is not null and k.porg is not null
  and not exists (select from pg_index i where i.indrelid = k.conrelid and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] = k.conkey)
union all select 'R11 runtime role may create things', n.nspname from pg_namespace n, cfg where n.nspname = any (cfg.schemas || 'public'::text) and has_schema_privilege(cfg.app_role, n.oid, 'CREATE')
order by 1,2

-- Teams end somewhere.
-- Whoever leads somebody is not led by him, however far up.
create function iam.leads_no_leader() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (
        with recursive up as (
            select new.manager_id as id
            union select m.manager_id from up join iam.memberships m on m.organization_id = new.organization_id and m.id = up.id
        ) select from up where up.id = new.id
    ) then
        raise exception 'Nobody is led by somebody of his own team.' using errcode = 'AP001', column = 'manager_id';
    end if;
    return new;
end $$;
create trigger leads_no_leader before insert or update of manager_id on iam.memberships for each row when (new.manager_id is not null)
    execute function iam.leads_no_leader();
-- down
drop trigger leads_no_leader on iam.memberships;
drop function iam.leads_no_leader();

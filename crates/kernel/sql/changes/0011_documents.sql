-- Under the rights of the record and of the field, see crates/records/src/docs/mod.rs.
create table social.documents (
    like app.record including all,
    entity      text not null,
    record_id   uuid not null,
    field       text not null,
    state       bytea not null,     -- what all who write there have typed, as their editors encode it
    body        text not null,      -- the words of the record that the state knows of
    written_at  timestamptz,
    constraint one_document_per_field unique (organization_id, entity, record_id, field)
);
comment on table social.documents is 'A formatted field that several people write at once.';
comment on column social.documents.written_at is 'When its words were last put into the record.';
select app.enroll('social.documents', ignored => '{state,body,written_at}');

-- down
delete from app.entities where name = 'social.documents';
drop table social.documents;

/// Names the superuser who creates an action, for instance in the admin UI. The access rules keep all other callers from
/// setting the field, but do not bind a superuser. Without this hook the field stays empty, and the journal says `superuser`.

onRecordCreateRequest((e) => {
  e.record.set("superuser", e.hasSuperuserAuth() ? e.auth.id : "");
  e.next();
}, "actions");

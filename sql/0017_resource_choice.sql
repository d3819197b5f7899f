-- A person chooses the resource where the client named none of several.

-- 1: the person chooses, as often as they like. NULL: the client named it, or there was one alone.
ALTER TABLE flow ADD COLUMN resource_by_person SMALLINT;
-- The scopes that the client asked for, kept for that choice; NULL: none that are here.
ALTER TABLE flow ADD COLUMN asked_scope BLOB;

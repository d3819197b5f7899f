-- A person chooses the resource where the client named none of several.

-- 1: the person chooses, as often as they like. NULL: the client named it, or there was one alone.
ALTER TABLE flow ADD COLUMN resource_by_person SMALLINT;
-- What the client asked for, which is kept for that choice; NULL: nothing that is here.
ALTER TABLE flow ADD COLUMN asked_scope BLOB;

-- The words about a guarded resource, and the pages whose programs may call it.

-- Its name for people; NULL: its host and path.
ALTER TABLE resource_server ADD COLUMN name BLOB;
-- The addresses of pages for people: RFC 9728 section 2; NULL: none.
ALTER TABLE resource_server ADD COLUMN documentation BLOB;
ALTER TABLE resource_server ADD COLUMN policy BLOB;
ALTER TABLE resource_server ADD COLUMN tos BLOB;
-- Origins separated by blanks, or 'none'; NULL: any.
ALTER TABLE resource_server ADD COLUMN origins BLOB;

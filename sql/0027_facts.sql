-- The operator says what a guarded server reads of its callers.

-- `named` by some rule, `all` or `none`; NULL: `named`.
ALTER TABLE resource_server ADD COLUMN shared_groups VARCHAR(32);
-- `off`, `header` or `bearer`; NULL: `off`.
ALTER TABLE resource_server ADD COLUMN assertion VARCHAR(32);

-- A denied flow stays until it is swept, for the page that leads back to the app.

-- NULL: it was not denied.
ALTER TABLE flow ADD COLUMN denied_at BIGINT;

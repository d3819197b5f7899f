-- How often a used refresh token was answered again long after its use; NULL: never.
ALTER TABLE refresh_token ADD COLUMN late_repeats SMALLINT;

-- Operators say how a service differs from the standard; and its secrets can end.

-- More parameters of its authorization endpoint, NAME=VALUE, one per line; NULL: none.
ALTER TABLE service ADD COLUMN authorize_parameters BLOB;
-- The object in its replies that holds the tokens; NULL: the whole reply.
ALTER TABLE service ADD COLUMN token_path BLOB;
-- The header for a plain API key, which people have there in place of tokens; NULL: OAuth.
ALTER TABLE service ADD COLUMN key_header BLOB;
-- When the secret of our registration ends, and when it is renewed; NULL: never.
ALTER TABLE service ADD COLUMN client_secret_expires_at BIGINT;
ALTER TABLE service ADD COLUMN renew_at BIGINT;
-- Where our registration is managed (RFC 7592), with a ciphertext of the token; NULL: nowhere.
ALTER TABLE service ADD COLUMN registration_client_uri BLOB;
ALTER TABLE service ADD COLUMN registration_token BLOB;

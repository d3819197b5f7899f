SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.access_token (
    token_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    session_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    scope bytea NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.client (
    id character varying(190) NOT NULL COLLATE pg_catalog."C",
    name bytea,
    redirect_uris bytea NOT NULL,
    scope bytea,
    by_operator smallint NOT NULL,
    active smallint NOT NULL,
    metadata bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint,
    refresh smallint,
    auth_method character varying(32) COLLATE pg_catalog."C",
    secret_hash character varying(64) COLLATE pg_catalog."C",
    jwks bytea,
    jwks_uri bytea,
    jwks_expires_at bigint,
    jwks_asked_at bigint
);
CREATE TABLE public.client_assertion (
    assertion_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    used_by character varying(64) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL
);
CREATE TABLE public.client_document (
    id character varying(190) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL
);
CREATE TABLE public.code (
    code_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    session_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    client_id character varying(190) NOT NULL COLLATE pg_catalog."C",
    redirect_uri bytea NOT NULL,
    code_challenge character varying(64) NOT NULL COLLATE pg_catalog."C",
    key_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL,
    redeemed_at bigint,
    redemption character varying(64) COLLATE pg_catalog."C",
    state bytea
);
CREATE TABLE public.flow (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    client_id character varying(190) NOT NULL COLLATE pg_catalog."C",
    browser_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    redirect_uri bytea NOT NULL,
    state bytea,
    code_challenge character varying(64) NOT NULL COLLATE pg_catalog."C",
    scope bytea NOT NULL,
    resource bytea NOT NULL,
    identity_kind character varying(16) NOT NULL COLLATE pg_catalog."C",
    identity_value bytea,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.refresh_token (
    token_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    session_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    key_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE TABLE public.resource_server (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    resource bytea NOT NULL,
    secret_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    active smallint NOT NULL,
    created_at bigint NOT NULL,
    services bytea,
    scope bytea
);
CREATE TABLE public.schema_version (
    version bigint NOT NULL,
    name character varying(64) NOT NULL COLLATE pg_catalog."C",
    digest character varying(64) NOT NULL COLLATE pg_catalog."C",
    applied_at bigint NOT NULL
);
CREATE TABLE public.server_key (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    fingerprint character varying(64) NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    state character varying(16) COLLATE pg_catalog."C"
);
CREATE TABLE public.service (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    name bytea NOT NULL,
    url bytea NOT NULL,
    issuer bytea,
    authorization_endpoint bytea NOT NULL,
    token_endpoint bytea NOT NULL,
    registration_endpoint bytea,
    revocation_endpoint bytea,
    resource bytea,
    scope bytea,
    registration character varying(16) NOT NULL COLLATE pg_catalog."C",
    client_id bytea NOT NULL,
    auth_method character varying(32) NOT NULL COLLATE pg_catalog."C",
    client_secret bytea,
    key_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    sends_iss smallint NOT NULL,
    active smallint NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.session (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    flow_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    token_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    browser_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    client_id character varying(190) NOT NULL COLLATE pg_catalog."C",
    identity_kind character varying(16) NOT NULL COLLATE pg_catalog."C",
    identity_value bytea,
    virtual_key_id character varying(64) COLLATE pg_catalog."C",
    scope bytea NOT NULL,
    resource bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint,
    token_expires_at bigint,
    redirect_uri bytea
);
CREATE TABLE public.upstream_state (
    state_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    browser_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    service_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    flow_id character varying(64) COLLATE pg_catalog."C",
    session_id character varying(64) COLLATE pg_catalog."C",
    verifier bytea NOT NULL,
    key_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL
);
CREATE TABLE public.upstream_token (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    owner character varying(80) NOT NULL COLLATE pg_catalog."C",
    service_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    access_token bytea NOT NULL,
    refresh_token bytea,
    key_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    scope bytea,
    expires_at bigint,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    lease character varying(64) COLLATE pg_catalog."C",
    lease_until bigint,
    failures bigint,
    retry_at bigint,
    broken_at bigint,
    last_used_at bigint,
    ended_at bigint
);
CREATE TABLE public.used_link (
    link_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    used_by character varying(64) NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL
);
CREATE TABLE public.virtual_key (
    id character varying(64) NOT NULL COLLATE pg_catalog."C",
    name bytea NOT NULL,
    key_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    active smallint NOT NULL,
    services bytea,
    created_at bigint NOT NULL,
    expires_at bigint
);
INSERT INTO public.access_token VALUES ('949194d7b82f0c6f38983b2f4402e7e179de9d332f67a1395deacaf9ed03c422', 'w1IAuLiILqWqALHQhYv1qQ', '\x6d6370', 1795991766);
INSERT INTO public.client VALUES ('cgc_10wybZOYWkioEcCKt4tUjg', '\x5465737420636c69656e74', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905368, 1795905369, 0, 'none', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.client VALUES ('cgc_4F7DN9wcmYD8dBHTbbEahA', '\x5465737420636c69656e74', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905366, 1795905367, 0, 'none', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.client VALUES ('cgc_EAXNxqrr16diPur30tAxQw', '\x5465737420636c69656e74', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905368, 1795905368, 0, 'client_secret_basic', '568ec750a901b83f4d1dadae74a563b38a9c2198f1352a074d6db53e0413339c', NULL, NULL, NULL, NULL);
INSERT INTO public.client VALUES ('cgc__K1RQL-8n5iTyZ7NjvZZSQ', '\x5465737420636c69656e74', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905367, 1795905368, 0, 'none', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.client VALUES ('cgc_pSA5wPkKTd1IaJ9fuOjtOA', '\x5465737420636c69656e74', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905368, 1795905368, 0, 'private_key_jwt', NULL, '\x7b226b657973223a5b7b226b7479223a224543222c2278223a226b64526b6a7930626d46495f483234774162387466386f6c6837585578622d636843396234475169315f77222c2279223a2278536854487a4e464c726f426c7574767045476865357831796c71594243374736715f596c766d62536e45222c22637276223a22502d323536222c226b6964223a226f6e65222c22757365223a22736967227d5d7d', NULL, NULL, NULL);
INSERT INTO public.client VALUES ('cgc_v8uupLcYmdntrVRREId0Kg', '\xc3846e6e65277320617070', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905364, 1795905366, 1, 'none', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.client VALUES ('https://localhost:39929/client', '\x446f63756d656e74656420617070', '\x687474703a2f2f6c6f63616c686f73742f63616c6c6261636b0a687474703a2f2f3132372e302e302e312f63616c6c6261636b', NULL, 0, 1, '\x7b7d', 1795905368, 1795905368, 1, 'none', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.client_assertion VALUES ('c831f0c720461397794a671ade6054b519c2bfbab6e0cb9870ef4f0174ec0dfb', '0jhAE12nlGp_XOxzrCB3AQ', 1795905659);
INSERT INTO public.client_document VALUES ('https://localhost:39929/client', 1795908968);
INSERT INTO public.code VALUES ('180d1eb97e810c291dae82440980286f44c0955902f17a883f70cd7e4fe2888a', 'frtP5Qxj7xZ2nn5_ILSJbA', 'cgc__K1RQL-8n5iTyZ7NjvZZSQ', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'GnMbjkuq2fC8ND6IGCxm0xAKMhuiw5a9D98meueSX3o', 'knTnvnp9_', 1795905667, 1795905368, 'I7b7U0eDvbnofh9X3k8rRg', '\x61207374617465');
INSERT INTO public.code VALUES ('227daa28b5dcdd71d078ab90cd13e823b8241090c38f89552b913bd16040c0b0', 'cUxjbhfwhUmXDhkroLK2ag', 'cgc_10wybZOYWkioEcCKt4tUjg', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'wkReShaZKbBvIicgLczzWchjok2lq_FzM0laXVMTClU', 'knTnvnp9_', 1795905669, 1795905369, 'pljTKm7M4DbTiAMPIL0mkQ', '\x61207374617465');
INSERT INTO public.code VALUES ('285806af02af95f9243062a6a6c0aa5b6c1f400d5ad12b924ab6b07b4ec52a25', 'dJMnZeWM-tnxux1-es1_nw', 'https://localhost:39929/client', '\x687474703a2f2f6c6f63616c686f73743a35333131312f63616c6c6261636b', 'GdRPblkrlqtX3SijIGCaHfeYCvng4ju4Gy41jvdyySQ', 'knTnvnp9_', 1795905668, 1795905368, '1Ai5Z7oAgGXhKD-SIu7f9Q', '\x61207374617465');
INSERT INTO public.code VALUES ('46ff568c8a5902087e279db17f0125137409968f3d4b2a0423d33904d1fe566a', 'w1IAuLiILqWqALHQhYv1qQ', 'cgc_v8uupLcYmdntrVRREId0Kg', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'eo33sgaPgZVHJq7hNP28dc5WNWoppAtguDsCqCTFDt0', 'knTnvnp9_', 1795905666, 1795905366, 'G2ZhCv5UN8vtO_EnCrb0-g', '\x61207374617465');
INSERT INTO public.code VALUES ('4c6ac286af585bf3596dc52ba57cf12ff171acb950ea52fd68d847f10e0c8299', '4YPQjsrTNk0uEdr8HBM-5w', 'cgc_pSA5wPkKTd1IaJ9fuOjtOA', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'RCq_G8UFILfFojyIQu_dpnrDsEVD5vShdpXz03iNXYc', 'knTnvnp9_', 1795905668, 1795905368, 'vegSnRQ2jKtWLMrogw5SFQ', '\x61207374617465');
INSERT INTO public.code VALUES ('995c759355057c84cccae001e820fd8ecee820e835464407dce1da925b6da4e4', 'NAMpk4Y2H-ajyz6rZRR2ag', 'cgc_4F7DN9wcmYD8dBHTbbEahA', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', '1PiAz-C_hGDeT4kMS3Xlp4_X_2t9i7DU9J0-nWPBJBg', 'knTnvnp9_', 1795905667, 1795905367, 'SPUaooUFblXZJuRjjAT29A', '\x61207374617465');
INSERT INTO public.code VALUES ('b4c7b0197e2653ac2445cec01a6f51f70bf9c6e83de4a039db1e2f63a8ebbbd0', 'jka6xrVA2L1Pzo9vhByYLQ', 'cgc_v8uupLcYmdntrVRREId0Kg', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'K6URZ93CxkNr8VCNmOzgd6fE3eNZ9O2YOn1Ofoc3hW4', 'knTnvnp9_', 1795905668, NULL, NULL, '\x61207374617465');
INSERT INTO public.code VALUES ('e8c9d9d0764659955dedfdb078cb8a5c59834d2caa85ca2bfca9d20efd5b6649', 'epKasXLUrRjxmAg6cgf1Bw', 'cgc_EAXNxqrr16diPur30tAxQw', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', 'F0SNdsiYAVYopLoZX7viwtAQv9s6_XJLXgKrkVRQ8xA', 'knTnvnp9_', 1795905668, 1795905368, '66ID1Yxg1y20MoySve_BxQ', '\x61207374617465');
INSERT INTO public.flow VALUES ('TBJGXf58UkkHer4eLLOGDA', 'cgc_v8uupLcYmdntrVRREId0Kg', '9f4156b622e5db0308a34b4971f69933014ed5d5d162abfb2f5fc56d178f8c6d', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', '\x61207374617465', 'fNq8PQpXL_723oThrf49Rs1gEbnAKkes5XiIEF1z9x4', '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 'virtual_key', '\x766b5f5136694b7637676836446744384b4158', 1, 1795905368, 1795906268);
INSERT INTO public.flow VALUES ('ddhgXBBkedwrIMKJhpgrxA', 'cgc_v8uupLcYmdntrVRREId0Kg', '963f04207af6942b482bfdbee8c2fc9efaf131f7a865aabcd354e64c21d524f5', '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b', '\x61207374617465', 'wrUiJGz0j38AZdegQFA7IpgIFUjeeKJ-os7VEGAVzqw', '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 'user_id', '\x646f7261', 1, 1795905368, 1795906268);
INSERT INTO public.refresh_token VALUES ('622454d122fb630cb290333ecb2c999b8c1e5972d4f750d7d00f16b899932395', 'dJMnZeWM-tnxux1-es1_nw', 'knTnvnp9_', 1798497368, NULL);
INSERT INTO public.refresh_token VALUES ('bd3483134487bbce7e798a6d4d212d8d5d0b1e306a684bd6321516a618139e7c', 'w1IAuLiILqWqALHQhYv1qQ', 'knTnvnp9_', 1798497366, 1795905366);
INSERT INTO public.refresh_token VALUES ('dbdd9617089d486f206f11d52a561f3723812e49cfa8e10866a43f4a2584b1b7', 'w1IAuLiILqWqALHQhYv1qQ', 'knTnvnp9_', 1798497366, NULL);
INSERT INTO public.resource_server VALUES ('cgrs_aZBqCq0cz14X68PP0s5TXA', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', '2388c9890c55b29377b7182fc9cc53b721616d5780d3f193bcb8464648803e5b', 1, 1795905364, '\x6e6f74696f6e0a636f6d70616e79', NULL);
INSERT INTO public.schema_version VALUES (1, '0001_init', 'f89e411fdc5ac3d8951d06b940dba2af1e459578f67bb9a8474c876941877801', 1795905380);
INSERT INTO public.schema_version VALUES (2, '0002_many_machines', '1fc73434aa12c13b5dc5178e8c172b7d806338fac53a948c242d1ae24e558c7d', 1795905380);
INSERT INTO public.schema_version VALUES (3, '0003_refresh', '16c3e4f45bb9178aeb6e95099516ea8272df6d117db2c9a22cced71eb32c058d', 1795905380);
INSERT INTO public.schema_version VALUES (4, '0004_clients', '115219ea9cf536928b13e45ec1fa20a4b83b60f1b9e19233ccf0e9142772d4f3', 1795905380);
INSERT INTO public.schema_version VALUES (5, '0005_client_documents', 'e34eb4b04a712646bca41b5af2b2045d4d89e4781b5f3d5accd9726f67f084df', 1795905380);
INSERT INTO public.schema_version VALUES (6, '0006_upstream', '88d05a2448dee489ff54b8849662400c47b7959c266b170c99c033882e7c4a4b', 1795905380);
INSERT INTO public.schema_version VALUES (7, '0007_client_keys', '3e0b0afc0b8f8e54dd329364a65463fcda0c4af84461c137b249675fc2286aee', 1795905380);
INSERT INTO public.schema_version VALUES (8, '0008_gate', '33bd5a75802fe4db0b66beca578ec2f4823a8375a2cfa574065755905d860aba', 1795905380);
INSERT INTO public.schema_version VALUES (9, '0009_endings', 'aa70233d31b543e453c5cc0dffe8f8328aebd84ce8680b5d9d7332ddff430f6a', 1795905380);
INSERT INTO public.server_key VALUES ('knTnvnp9_', 'f3fcb6305f832255d164d463e793c79ba7d10b591bb8366ef4543b94a23c5cf6', 1795905361, NULL);
INSERT INTO public.service VALUES ('company', '\x636f6d70616e79', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f6d6370', '\x68747470733a2f2f6c6f63616c686f73743a3335353639', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f61757468', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f746f6b656e', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f726567', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f746f6b656e2f7265766f636174696f6e', '\x68747470733a2f2f6c6f63616c686f73743a33353536392f6d6370', '\x746f6f6c732e72656164206f66666c696e655f616363657373', 'dynamic', '\x646e4a50365a4a536e732d4f56474c5a71546637736d525f384843793671454d6c5f614e5037613644336c', 'client_secret_basic', '\xaed0ca7f32b6da8a86a37d1d2605e5f5f77b56fe297eb85fe2bf9ba7f29387b09303a78c6614f144c7808bcea0680dda9d052d1d51e17ddd488f676c8a888f9861c10542a21b99dfdecabcd981a2973f668f9121091aaa495b0b9b5bcc72bffd763c2a6483df3c2b8a19203a309bc625590a', 'knTnvnp9_', 1, 1, 0, 1795905363);
INSERT INTO public.service VALUES ('notion', '\x6e6f74696f6e', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f6d6370', '\x68747470733a2f2f6c6f63616c686f73743a3336393733', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f61757468', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f746f6b656e', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f726567', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f746f6b656e2f7265766f636174696f6e', '\x68747470733a2f2f6c6f63616c686f73743a33363937332f6d6370', '\x746f6f6c732e72656164206f66666c696e655f616363657373', 'dynamic', '\x6446662d724f5176704c47756f3956465a38476941694a4a316b707962384a344c3248586646384e4d7535', 'client_secret_basic', '\x71a92056f424ed50817cc62ac4d582360606a7b0c00c1d3ff9ef74f73f2514fbe080742bb6d457569efdd8b5d180ded6220747c7b410e7b5d881af8b945007024ba545da39fbe35ff0599876194ef49cf66ade0c6deefdd4412346607844701ca12ceefcff6ef49376ce72482a7e5311c454', 'knTnvnp9_', 1, 1, 0, 1795905362);
INSERT INTO public.session VALUES ('4YPQjsrTNk0uEdr8HBM-5w', 'm1Ix1PKh2akho6a45xfecw', '56c44213b0ae398366e7306d89f92cf8c891a7283bde6e53c640ad456f01ffb0', '753dda975aa75fabb9ab78e44df3e03713de3c8da8b8c5ec30148c6ba0b99df6', 'cgc_pSA5wPkKTd1IaJ9fuOjtOA', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905368, 1795991768, NULL, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('NAMpk4Y2H-ajyz6rZRR2ag', 'e4Afe9db_yXwmUnxgBQzag', 'bd629befd94f278fa9cb71f8dff42ec8c5e78fb42fd25c9b20c093dc482144e9', '6636163ecc2c25e7771896bcbf25716de036ae03a80d9cdd5187981137106d34', 'cgc_4F7DN9wcmYD8dBHTbbEahA', 'user_id', '\x5a6fc3ab204f27427269656e', NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905367, 1795991767, NULL, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('cUxjbhfwhUmXDhkroLK2ag', 'a-_s9ksi-cs2vO84Q8BGVw', '6ff0fbe161dede8b7429851a95c841250c9ea9a14eb2f9982ee64e2b02338796', 'ebfef510cdbc034b2de8a9a0cca5206c42800a2d8ab7da40625f9ada1eb21370', 'cgc_10wybZOYWkioEcCKt4tUjg', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905369, 1795991769, 1795905369, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('dJMnZeWM-tnxux1-es1_nw', 'zRqM7UhuX7RQ6ZCkkEynJw', '823e2caddda2c6d4a46c7e33b590625aaea6b616927473db763a768e7adcc76e', 'ce22022aafb155f48e496381e9859c8f9bcd5ed2c52ea0e9e588037c8d2c748b', 'https://localhost:39929/client', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905368, 1798497368, NULL, 1795991768, '\x687474703a2f2f6c6f63616c686f73743a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('epKasXLUrRjxmAg6cgf1Bw', 'NnghXSy31Zs8YfSr0OiDZA', '0a878756cc1751dd552c4560ee1dcc476aa63251244446a7b0c6d4b8f9a5c5c8', 'eb87025aa39bac6d299daab99ea21a22e5c5dbcae592e20253b49495c241a18a', 'cgc_EAXNxqrr16diPur30tAxQw', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905368, 1795991768, NULL, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('frtP5Qxj7xZ2nn5_ILSJbA', 'i8xzeqXlua23sTP7cMfW0w', '2410a7b7a0365040408c46286e108a54c803d95c416bf3256bf6f1ff2220d2a9', '4c08a3f11fd02b94f739383bb81dce7fb95b280537263a7d3bd7eae371f67340', 'cgc__K1RQL-8n5iTyZ7NjvZZSQ', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905367, 1795991767, NULL, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('jka6xrVA2L1Pzo9vhByYLQ', '6C2Vdy1eDMr0lmaSqwVr0A', 'a2a44b13283f2611cb9d865a02666c368375dd27686ee10480852891ad4ad60c', '96d534daf898b44aba1d3d3a731483836d4567e6bd3f6c22a937bdef8a594c99', 'cgc_v8uupLcYmdntrVRREId0Kg', 'skipped', NULL, NULL, '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905368, 1795991768, NULL, NULL, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.session VALUES ('w1IAuLiILqWqALHQhYv1qQ', 'ns2jFHH_vZEul7nUEvcahQ', '5f6665f7592eab50c096a97a19e1aaf3c566fba585bf7f94d77b29b1420340d9', 'f2a624cfab9964a1e255a66b71c0a4a3dc321b086c5c4afd77891dfffb98e9a2', 'cgc_v8uupLcYmdntrVRREId0Kg', 'virtual_key', '\x766b5f5136694b7637676836446744384b4158', 'vk_Q6iKv7gh6DgD8KAX', '\x6d6370', '\x687474703a2f2f3132372e302e302e313a383038302f6d6370', 1795905366, 1798497366, NULL, 1795991766, '\x687474703a2f2f3132372e302e302e313a35333131312f63616c6c6261636b');
INSERT INTO public.upstream_state VALUES ('f0d8bdcd262445dfcbe1e3182b2d19c1c32da3e7c88e5e0322aed658697a8336', '963f04207af6942b482bfdbee8c2fc9efaf131f7a865aabcd354e64c21d524f5', 'notion', 'ddhgXBBkedwrIMKJhpgrxA', NULL, '\xaeaa1e4206baf1699def75676dc362d259a258f767c5e9d7298eb4c3c705c6306ce48934e74d3ab676c21677a30dd5eb507de2c5f5657eac692e477a47b5f44c78a9e9272bbbb3', 'knTnvnp9_', 1795906268);
INSERT INTO public.upstream_token VALUES ('XCPiRMzDktNlycm5woj9mA', 'session:frtP5Qxj7xZ2nn5_ILSJbA', 'notion', '\xa8e6f909f5e92928e21452e53ff9a809e23aa7a6b7b884a4a70ca9bd21813b8b8d990cea895948094703bcfd8c326322fdbba82aaf7f296e0b708ab13d745247cfd28ea7665858', '\x1148bffebc8c3737a21f28b5048b22c1d7d2cf7be101016004e02831f7638e55d6a4a1e7adae222a66d8fa58a0aaa6928b75c43b05d3c93bad963ee47cb9080d589ee071ed0bbc', 'knTnvnp9_', '\x746f6f6c732e72656164', 1795908967, 1, 1795905367, 1795905367, NULL, NULL, NULL, NULL, NULL, 1795905368, NULL);
INSERT INTO public.upstream_token VALUES ('YnjVA3B5cMQopUv_sjSqOg', 'key:vk_Q6iKv7gh6DgD8KAX', 'company', '\xd202bbf6f109882a599d81e599f72a7e55584147e8d3254e82033d2ac0f19b5054fbfea6b94e4256bd1893a4c74716875caeca720c6493fc90591146e728c9fa119dd6230b5b9b', '\x354320ea8a5744ff2ee8a8dd76faeef7b1a8722896086cd7d1b442970aeb073dc46b3305c9e94b1ddf7bcf81429cc70379da8f9aa53ae213a5bfd8582676d07dd1fdf3c192251f', 'knTnvnp9_', '\x746f6f6c732e72656164', 1795908966, 0, 1795905366, 1795905366, NULL, NULL, NULL, NULL, NULL, 1795905366, NULL);
INSERT INTO public.upstream_token VALUES ('nxnFcDbL09aJqJwWpf7L2g', 'key:vk_Q6iKv7gh6DgD8KAX', 'notion', '\x9630e0e07d32f41aaf54f49ead17e662d6da2441c04e44321b4541572790a1ec208cc3754ac3caca1929b6cec78057020d719e4b6a9bd8bbdcc812b8427d6f5334efceb5cf8f6c', '\x161223c49c2486bac43a95e1472ca8827fc4a5ffc61c89b7d7f8eb6b4434e19068251616903db486db121aee9bf1c15a9f4418cd55cd63118bbb2cc733c5303aea555190256895', 'knTnvnp9_', '\x746f6f6c732e72656164', 1795908965, 1, 1795905365, 1795905366, NULL, NULL, NULL, NULL, NULL, 1795905366, NULL);
INSERT INTO public.upstream_token VALUES ('o_jHoAVV0-Q5LQg_DnVbxw', 'ended:o_jHoAVV0-Q5LQg_DnVbxw', 'notion', '\xe8516a2db261a36be5439421536fb5e6707cc7cc3823b949a7f3191e36a52c16856c8e23a8a16009cb2315fba370516a4d21649641d75c73fd68a333a84a9e3557eb0ffbcae5a9', '\xbab64918eb901bca7b2650fb59ef3e51ac3cbac4365228b09b16e0db76fdbdb7e2233f63b184bae4d34436fc7972342360fb3b0a8da819690d631bc83e54c7603ea86d1d0edbe2', 'knTnvnp9_', '\x746f6f6c732e72656164', 1795908969, 2, 1795905369, 1795905369, NULL, NULL, NULL, NULL, NULL, NULL, 1795905369);
INSERT INTO public.used_link VALUES ('7ef3f0372a6faf2bdaa8b87a0bdc2efc87160313003a76b4661101b2ee67e98b', '6KxauAmWN3a8UleIn_EWVA', 1795906266);
INSERT INTO public.virtual_key VALUES ('vk_Q6iKv7gh6DgD8KAX', '\x416e6e61', '73d62318e7fe9f7622744e6244756b4fa30352803ee1e65d78d24f194ed24a24', 1, NULL, 1795905364, NULL);
INSERT INTO public.virtual_key VALUES ('vk_b-hdC6V-2gnfyygA', '\x42656e', 'bbc7dbea57b238b04fad22025a5d93f180b0431a7a0117ffab13e7be89c81837', 0, '\x6e6f74696f6e', 1795905364, NULL);
ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.client_assertion
    ADD CONSTRAINT client_assertion_pkey PRIMARY KEY (assertion_hash);
ALTER TABLE ONLY public.client_document
    ADD CONSTRAINT client_document_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.code
    ADD CONSTRAINT code_pkey PRIMARY KEY (code_hash);
ALTER TABLE ONLY public.flow
    ADD CONSTRAINT flow_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.resource_server
    ADD CONSTRAINT resource_server_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.server_key
    ADD CONSTRAINT server_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_flow_id_key UNIQUE (flow_id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.upstream_state
    ADD CONSTRAINT upstream_state_pkey PRIMARY KEY (state_hash);
ALTER TABLE ONLY public.upstream_token
    ADD CONSTRAINT upstream_token_owner_service_id_key UNIQUE (owner, service_id);
ALTER TABLE ONLY public.upstream_token
    ADD CONSTRAINT upstream_token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.used_link
    ADD CONSTRAINT used_link_pkey PRIMARY KEY (link_hash);
ALTER TABLE ONLY public.virtual_key
    ADD CONSTRAINT virtual_key_key_hash_key UNIQUE (key_hash);
ALTER TABLE ONLY public.virtual_key
    ADD CONSTRAINT virtual_key_pkey PRIMARY KEY (id);
CREATE INDEX access_token_expires ON public.access_token USING btree (expires_at);
CREATE INDEX client_assertion_expires ON public.client_assertion USING btree (expires_at);
CREATE INDEX client_created ON public.client USING btree (created_at);
CREATE INDEX client_document_expires ON public.client_document USING btree (expires_at);
CREATE INDEX code_expires ON public.code USING btree (expires_at);
CREATE INDEX flow_client ON public.flow USING btree (client_id);
CREATE INDEX flow_expires ON public.flow USING btree (expires_at);
CREATE INDEX refresh_token_expires ON public.refresh_token USING btree (expires_at);
CREATE INDEX session_browser ON public.session USING btree (browser_hash);
CREATE INDEX session_expires ON public.session USING btree (expires_at);
CREATE INDEX upstream_state_browser ON public.upstream_state USING btree (browser_hash);
CREATE INDEX upstream_state_expires ON public.upstream_state USING btree (expires_at);
CREATE INDEX upstream_token_ended ON public.upstream_token USING btree (ended_at);
CREATE INDEX upstream_token_key ON public.upstream_token USING btree (key_id);
CREATE INDEX used_link_expires ON public.used_link USING btree (expires_at);

// The memory of one oidc-provider: its own is one for all providers of a process, and forgets the
// oldest of 1,000 entries.
const withGrant = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

export function providerMemory() {
  const rows = new Map(); // "Model:id" to payload
  const grants = new Map(); // grant to its rows
  const now = () => Math.floor(Date.now() / 1000);
  return (model) => {
    const keyOf = (id) => `${model}:${id}`;
    const found = (key) => {
      const row = rows.get(key);
      return row && (row.exp === undefined || row.exp > now()) ? row.payload : undefined;
    };
    return {
      async upsert(id, payload, seconds) {
        rows.set(keyOf(id), { payload, exp: seconds === undefined ? undefined : now() + seconds });
        if (!withGrant.has(model) || !payload.grantId) return;
        if (!grants.has(payload.grantId)) grants.set(payload.grantId, new Set());
        grants.get(payload.grantId).add(keyOf(id));
      },
      async find(id) { return found(keyOf(id)); },
      async findByUid(uid) { return [...rows.keys()].filter((key) => key.startsWith(`${model}:`)).map(found).find((payload) => payload?.uid === uid); },
      async findByUserCode() { return undefined; },
      async consume(id) { const payload = found(keyOf(id)); if (payload) payload.consumed = now(); },
      async destroy(id) { rows.delete(keyOf(id)); },
      async revokeByGrantId(grantId) {
        for (const key of grants.get(grantId) ?? []) rows.delete(key);
        grants.delete(grantId);
      },
    };
  };
}

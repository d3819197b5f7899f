// A provider's own books: for each grant of a person, whether a refresh can still give a token.
export class ProviderBooks {
  constructor(upstream) {
    this.upstream = upstream;
    this.people = new Map(); // by account: the grant of now, its client, and the tokens that are good
    const { provider } = upstream;
    provider.on('refresh_token.saved', (token) => this.saved(token));
    provider.on('refresh_token.consumed', (token) => this.of(token.accountId)?.good.delete(token.jti));
    provider.on('refresh_token.destroyed', (token) => this.of(token.accountId)?.good.delete(token.jti));
    provider.on('grant.revoked', (context, grantId) => this.ended((person) => person.grantId === grantId));
  }

  of(user) { return this.people.get(user); }

  saved({ accountId, clientId, grantId, jti }) {
    const before = this.of(accountId);
    if (before?.grantId === grantId) before.good.add(jti);
    else this.people.set(accountId, { grantId, clientId, good: new Set([jti]) });
  }

  ended(matches) { for (const person of this.people.values()) if (matches(person)) person.good.clear(); }

  isGood(user) { return (this.of(user)?.good.size ?? 0) > 0; }

  // The person takes back in the service's settings what they allowed.
  async withdraw(user) {
    const { grantId } = this.of(user);
    await this.upstream.provider.RefreshToken.revokeByGrantId(grantId);
    this.ended((person) => person.grantId === grantId);
  }

  // Somebody at the service deletes the clients that registered themselves.
  async forgetClients() {
    const gone = new Set(this.upstream.registered);
    await this.upstream.forgetClients();
    this.ended((person) => gone.has(person.clientId));
  }
}

// Statements that make what happened to the tokens of a flow so many seconds older, because a test
// cannot wait; for server.sql and machines.change.

const session = (flow) => `session_id IN (SELECT id FROM session WHERE flow_id = '${flow.flowId}')`;

export const olderRedemption = (flow, seconds = 30) => `UPDATE code SET redeemed_at = redeemed_at - ${seconds} WHERE redeemed_at IS NOT NULL AND ${session(flow)}`;

export const olderRefreshes = (flow, seconds = 30) => `UPDATE refresh_token SET used_at = used_at - ${seconds} WHERE used_at IS NOT NULL AND ${session(flow)}`;

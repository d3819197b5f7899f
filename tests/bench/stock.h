// Flows in a database, and their finalizations, validated beforehand so that a measurement only
// writes. Every flow has a number, and its id follows from the number, so that a client that can
// only count finds its flows.
#pragma once

#include "consentgate/core/oauth/consent.h"
#include "database.h"

#include <string>
#include <vector>

namespace consentgate::bench {

inline constexpr std::size_t max_flows = 24001; // a prime: the ids of consecutive numbers lie apart

// The id of a flow, and the same as SQL or a script writes it. in: number  less than max_flows; any
// expression
core::FlowId flow_id(std::size_t number);
std::string flow_id_of(const std::string& number);

// A flow as it is when the person presses Allow.
core::Flow make_flow(core::FlowId id, core::Instant now);

// Writes the flows of the numbers from 0 on; the table holds no other of them. They are all written
// like the one that our store wrote itself.
void put_flows(const store::StoreConfig& config, std::size_t count, core::Instant now);

// Their finalizations, in the same order.
std::vector<core::Finalization> use_flows(std::size_t count, core::Instant now);

} // namespace consentgate::bench

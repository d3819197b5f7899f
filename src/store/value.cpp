#include "value.h"

namespace consentgate::store {

BLOB to_blob(std::string_view text) { return BLOB(reinterpret_cast<const unsigned char*>(text.data()), text.size()); }

MaybeBlob to_maybe_blob(std::string_view text) { return text.empty() ? MaybeBlob() : MaybeBlob(to_blob(text)); }

std::string from_blob(const BLOB& blob) { return std::string(reinterpret_cast<const char*>(blob.rawContent()), blob.size()); }

std::string from_blob(const MaybeBlob& blob) { return blob.isNull() ? std::string() : from_blob(blob.value()); }

MaybeTime to_maybe_time(const std::optional<core::Instant>& at) { return at ? MaybeTime(core::epoch(*at)) : MaybeTime(); }

std::optional<core::Instant> from_maybe_time(const MaybeTime& at) {
    return at.isNull() ? std::nullopt : std::optional(core::from_epoch(at.value()));
}

} // namespace consentgate::store

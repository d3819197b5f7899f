#include "value.h"

namespace consentgate::store {

Blob to_blob(std::string_view text) { return {std::string(text)}; }

MaybeBlob to_maybe_blob(std::string_view text) { return text.empty() ? MaybeBlob() : MaybeBlob(to_blob(text)); }

std::string from_blob(const Blob& blob) { return blob.bytes; }

std::string from_blob(const MaybeBlob& blob) { return blob.isNull() ? std::string() : from_blob(blob.value()); }

MaybeTime to_maybe_time(const std::optional<core::Instant>& at) { return at ? MaybeTime(core::epoch(*at)) : MaybeTime(); }

std::optional<core::Instant> from_maybe_time(const MaybeTime& at) {
    return at.isNull() ? std::nullopt : std::optional(core::from_epoch(at.value()));
}

} // namespace consentgate::store

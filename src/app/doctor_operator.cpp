// The doctor's rules about what the operator decided, and about services.
#include "consentgate/app/doctor.h"

#include "doctor_answers.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/upstream/registration_renewal.h"

namespace consentgate::app {
namespace {

constexpr const char* fix_anyone =
    "to admit known people only: `identities = virtual_key verified_user`, a reload, and "
    "`consentgate-admin key add NAME` for each person";

} // namespace

Finding check_places(const std::string& metrics) {
    constexpr std::string_view name = "consentgate_places_refused_total";
    std::string refused;
    for (const auto& line : core::split(metrics, '\n')) {
        if (line.starts_with(name))
            refused += (refused.empty() ? "" : ", ") + line.substr(name.size());
    }
    if (refused.empty()) return {Verdict::ok, "no request was refused for want of a free worker"};
    return {
        Verdict::note,
        "requests were refused because too many workers waited for others: " + refused,
        "consentgate-admin metrics tells what holds places now; a service that hangs, or more "
        "workers and gate_workers are needed"};
}

Finding check_admission(const core::Admission& admission) {
    switch (admission.entrance) {
    case core::Entrance::anyone:
        return {Verdict::note, admission.sentence, fix_anyone, Cause::who_comes_in};
    case core::Entrance::known_people: return {Verdict::ok, admission.sentence};
    case core::Entrance::nobody:
        return {Verdict::broken, admission.sentence, admission.next_step, Cause::nobody};
    }
    return {};
}

std::string text_of(const std::vector<core::SessionCount>& counts) {
    std::string text;
    for (const auto& count : counts)
        text += (text.empty() ? "" : ", ") + std::to_string(count.sessions) + " " +
                std::string(core::name_of(count.kind));
    return text;
}

Finding check_shut_out(const std::vector<core::SessionCount>& counts) {
    if (counts.empty()) return {Verdict::ok, "identities refuses no session that is alive"};
    return {
        Verdict::note,
        "identities refuses sessions that are alive: " + text_of(counts) +
            "; their people must sign in in another way",
        "to let them go on, add the kind to identities; to end them, consentgate-admin session "
        "revoke --identity KIND",
        Cause::who_comes_in};
}

Finding check_stranger(
    const StrangerWalk& walk, const core::GuardedResource& resource, const core::Policy& policy) {
    const std::string who = "a stranger who signs in for " + resource.url;
    switch (walk.end) {
    case StrangerWalk::End::not_registered:
        return {
            policy.registration_enabled && walk.last.status != 400 ? Verdict::note : Verdict::ok,
            who + " cannot register a client (" + summary(walk.last) + ")"};
    case StrangerWalk::End::sent_to_sign_in:
        return {Verdict::ok, who + " is sent to sign in by the web server"};
    case StrangerWalk::End::asked_for_key:
        return {Verdict::ok, who + " gets as far as page 1, which asks for a key"};
    case StrangerWalk::End::nobody_offered:
        return {Verdict::ok, who + " gets as far as page 1, which lets nobody in"};
    case StrangerWalk::End::refused:
        return {
            Verdict::note,
            who + " does not get in; the last answer: " + summary(walk.last),
            {},
            Cause::who_comes_in};
    case StrangerWalk::End::signed_in:
        return {
            Verdict::note,
            "anyone on the Internet can call " + resource.url +
                ": identities = " + policy.identities.text() + "; a stranger got a session token " +
                (walk.named ? "under a name that they typed" : "without saying who they are"),
            fix_anyone, Cause::who_comes_in};
    }
    return {};
}

Finding check_callbacks(const std::vector<core::Service>& services) {
    std::vector<std::string> shared;
    for (const auto& service : services) {
        if (service.active && service.callback == core::CallbackAddress::shared)
            shared.push_back(service.id.text);
    }
    if (shared.size() < 2) return {Verdict::ok, "no two services send people back to one address"};
    return {
        Verdict::note,
        core::join(shared, ", ") +
            " send people back to one address: one that is hostile could take the accounts that "
            "people have at another",
        "consentgate-admin service set " + shared.front() +
            " --callback own, and so on, until one at most is left"};
}

Finding check_client_secret(const core::Service& service, core::Instant now) {
    constexpr core::Span warned_ahead{30 * 86400}, renewed_by_then{2 * 86400};
    const auto what = "the client secret at the service " + service.id.text;
    const auto renewal = core::renewal_of(service);
    if (renewal == core::SecretRenewal::unneeded) return {Verdict::ok, what + " does not end"};
    const auto ends = *service.client_secret_expires_at;
    const auto days = std::to_string(std::max<std::int64_t>(0, (ends - now).count() / 86400));
    if (renewal == core::SecretRenewal::by_hand) {
        const auto fix = "make a new one there, and consentgate-admin service set " +
                         service.id.text + " --client-secret-file FILE --client-secret-expires DAY";
        if (ends <= now) return {Verdict::broken, what + " has ended", fix};
        if (ends - now > warned_ahead)
            return {Verdict::ok, what + " is good for " + days + " days"};
        return {Verdict::note, what + " ends in " + days + " days", fix};
    }
    const auto fix = "look for event=registration_renewal service=" + service.id.text +
                     " in the log; consentgate-admin service test " + service.id.text;
    if (ends <= now)
        return {Verdict::broken, what + " has ended, and no worker could renew it", fix};
    // A try that failed moves the time of the next one on by the pause.
    const bool late = ends - now < renewed_by_then &&
                      (!service.renew_at || *service.renew_at <= now + core::renewal_pause);
    if (late) return {Verdict::note, what + " ends in " + days + " days, and is not renewed", fix};
    return {
        Verdict::ok, what + " ends in " + days +
                         " days, and is renewed before: " + std::string(core::words_of(renewal))};
}

Finding check_keys(const core::Service& service, const core::Checked& tells) {
    const auto what = "the service " + service.id.text;
    if (tells) return {Verdict::ok, what + " refuses a key that was made up"};
    return {
        Verdict::broken, what + ": " + tells.error().message,
        "consentgate-admin service test " + service.id.text};
}

} // namespace consentgate::app

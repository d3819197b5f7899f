// The server's own keys (the key file), and what is derived from them.
//
// A session token is created when consent is finished but handed out when the code is redeemed, and
// must not be stored in between. So it is computed, both times, from the code and a server key: the
// code alone (leaked in a redirect) does not give it, nor does the database.
// spec: docs/http.md Secrets
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

struct ServerKey {
    KeyId id;
    Secret bytes; // 32 raw bytes
};

class Keyring {
public:
    // in:  keys, oldest first, at least one; the last one is used for what is new
    explicit Keyring(std::vector<ServerKey> keys);

    const KeyId& newest() const { return keys_.back().id; }
    const std::vector<ServerKey>& keys() const { return keys_; }

    // "cgs_" and 43 base64url characters; absent when the key is not in the file (any more).
    std::optional<Secret> session_token(const KeyId& key, const Secret& code) const;

    // A code, 43 base64url characters, from the browser's own secret: a browser that submits the
    // same flow again gets the same code, and no other program can compute it.
    std::optional<Secret> code(const KeyId& key, const Secret& browser, const FlowId& flow) const;

    // A refresh token ("cgr_" and 43) from the code or the refresh token before it, and the access
    // token ("cgs_" and 43) that is issued with it. Both are computed, so that a refresh whose
    // response was lost, or that several processes of one client make at once, gets the same
    // response each time, and the database stores no token that could be stolen.
    std::optional<Secret> refresh_token(const KeyId& key, const Secret& before) const;
    // in:  distinction  what tells the access tokens of one refresh token apart: the scope, and the
    //                   time of one that is issued later
    std::optional<Secret> access_token(
        const KeyId& key, const Secret& refresh_token, const std::string& distinction) const;

    // 32 raw bytes that encrypt under this key (aead.h), which live as long as the keyring;
    // null when the key is not in the file.
    const Secret* encryption_key(const KeyId& key) const;

    // The proof in a link that we made it, 43 base64url characters; absent as above.
    std::optional<Secret> link_mark(const KeyId& key, const std::string& link) const;

    // The proof in the id of a call that we made it, 22 base64url characters; absent as above.
    std::optional<Secret> call_mark(const KeyId& key, const std::string& call) const;

    // A token that opens nothing: the gate refuses it as it refuses people who lack a right, so
    // that the doctor sees what a web server makes of that. Only who has the key file can make it.
    // spec: docs/requirements.md P19
    Secret probe_token() const;
    bool is_probe(const Secret& token) const; // of any of the keys

    // Stands for a caller (caller_of) in the database, 22 base64url characters, so that the
    // database holds no address of a person.
    std::string caller_mark(const std::string& caller) const;

    // The part of a key that the database may hold, so that a start finds a wrong key file.
    static Digest fingerprint(const ServerKey& key);

private:
    const ServerKey* find(const KeyId& key) const;
    std::optional<Secret> derive(
        const KeyId& key, const char* prefix, const std::string& from) const;
    std::vector<ServerKey> keys_;
    std::vector<Secret> encryption_keys_; // one for each of them
};

} // namespace consentgate::core

#include "finalizers.h"

#include <sqlite3.h>

#include <array>
#include <stdexcept>

namespace consentgate::bench {
namespace {

class SqliteFinalizer final : public Finalizer {
public:
    explicit SqliteFinalizer(const std::string& path) {
        if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
            fail();
        sqlite3_busy_timeout(db_, 5000);
        for (const char* setting :
             {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
              "PRAGMA journal_size_limit=4194304"}) {
            if (sqlite3_exec(db_, setting, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
        }
        for (std::size_t step = 0; step < steps; ++step)
            statements_[step] = prepare(step_texts[step]);
        begin_ = prepare("BEGIN IMMEDIATE");
        commit_ = prepare("COMMIT");
    }

    ~SqliteFinalizer() override {
        for (auto* statement : statements_) sqlite3_finalize(statement);
        sqlite3_finalize(begin_);
        sqlite3_finalize(commit_);
        sqlite3_close(db_);
    }

    SqliteFinalizer(const SqliteFinalizer&) = delete;
    SqliteFinalizer& operator=(const SqliteFinalizer&) = delete;

    void finalize(const core::Finalization& finalization) override {
        execute(begin_);
        text(consume, 1, finalization.flow_id.text);
        number(consume, 2, finalization.revision);
        number(consume, 3, core::epoch(finalization.now));
        number(consume, 4, finalization.policy_version);
        execute(statements_[consume]);
        if (sqlite3_changes(db_) != 1) throw std::runtime_error("plain C: the flow was not there");
        write_session(finalization.session);
        write_code(finalization.code);
        execute(commit_);
    }

private:
    void write_session(const core::Session& session) {
        text(insert_session, 1, session.id.text);
        text(insert_session, 2, session.flow_id.text);
        text(insert_session, 3, session.token.hex);
        text(insert_session, 4, session.browser.hex);
        text(insert_session, 5, session.client_id.text);
        text(insert_session, 6, core::name_of(session.identity.kind));
        blob(insert_session, 7, session.identity.value);
        sqlite3_bind_null(statements_[insert_session], 8); // virtual_key_id
        const auto scope = session.scope.text();
        blob(insert_session, 9, scope);
        blob(insert_session, 10, session.resource);
        number(insert_session, 11, core::epoch(session.created_at));
        number(insert_session, 12, core::epoch(session.expires_at));
        sqlite3_bind_null(statements_[insert_session], 13); // revoked_at
        blob(insert_session, 14, session.redirect_uri);
        for (const int nobody : {15, 16, 17}) // client_url, person_id, signin_id
            sqlite3_bind_null(statements_[insert_session], nobody);
        execute(statements_[insert_session]);
    }

    void write_code(const core::IssuedCode& code) {
        text(insert_code, 1, code.hash.hex);
        text(insert_code, 2, code.session_id.text);
        text(insert_code, 3, code.client_id.text);
        blob(insert_code, 4, code.redirect_uri);
        text(insert_code, 5, code.code_challenge);
        text(insert_code, 6, code.key_id.text);
        number(insert_code, 7, core::epoch(code.expires_at));
        const auto state = code.state.value_or("");
        blob(insert_code, 8, state);
        sqlite3_bind_null(statements_[insert_code], 9); // client_url
        execute(statements_[insert_code]);
    }

    void text(Step step, int at, std::string_view value) {
        sqlite3_bind_text(
            statements_[step], at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    }
    void blob(Step step, int at, std::string_view value) {
        sqlite3_bind_blob(
            statements_[step], at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    }
    void number(Step step, int at, std::int64_t value) {
        sqlite3_bind_int64(statements_[step], at, value);
    }

    sqlite3_stmt* prepare(const char* text) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(db_, text, -1, &statement, nullptr) != SQLITE_OK) fail();
        return statement;
    }

    void execute(sqlite3_stmt* statement) {
        int result = SQLITE_ROW;
        while (result == SQLITE_ROW) result = sqlite3_step(statement);
        if (result != SQLITE_DONE) fail();
        sqlite3_reset(statement);
    }

    [[noreturn]] void fail() const {
        throw std::runtime_error(std::string("plain C: ") + sqlite3_errmsg(db_));
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr;
    std::array<sqlite3_stmt*, steps> statements_{};
};

} // namespace

std::unique_ptr<Finalizer> open_sqlite_finalizer(const store::StoreConfig& config) {
    return std::make_unique<SqliteFinalizer>(config.path);
}

} // namespace consentgate::bench

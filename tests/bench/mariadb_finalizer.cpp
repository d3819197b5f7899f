#include "finalizers.h"

#include <mariadb/mysql.h>

#include <stdexcept>
#include <string_view>

namespace consentgate::bench {
namespace {

// The values of one statement, bound where they lie.
template <std::size_t count> class Bindings {
public:
    void text(std::size_t at, std::string_view value) { data(at, MYSQL_TYPE_STRING, value); }
    void blob(std::size_t at, std::string_view value) { data(at, MYSQL_TYPE_BLOB, value); }
    void number(std::size_t at, std::int64_t value) {
        numbers_[at] = value;
        binds_[at].buffer_type = MYSQL_TYPE_LONGLONG;
        binds_[at].buffer = &numbers_[at];
    }
    void null(std::size_t at) { binds_[at].buffer_type = MYSQL_TYPE_NULL; }

    MYSQL_BIND* all() { return binds_.data(); }

private:
    void data(std::size_t at, enum_field_types type, std::string_view value) {
        binds_[at].buffer_type = type;
        binds_[at].buffer = const_cast<char*>(value.data());
        binds_[at].buffer_length = value.size();
        lengths_[at] = value.size();
        binds_[at].length = &lengths_[at];
    }

    std::array<MYSQL_BIND, count> binds_{};
    std::array<std::int64_t, count> numbers_{};
    std::array<unsigned long, count> lengths_{};
};

class MariadbFinalizer final : public Finalizer {
public:
    explicit MariadbFinalizer(const store::StoreConfig& config) : db_(mysql_init(nullptr)) {
        const auto& host = config.hosts.front();
        if (mysql_real_connect(
                db_, host.name.c_str(), config.user.c_str(), config.password.reveal().c_str(),
                config.name.c_str(), static_cast<unsigned>(host.port), nullptr, 0) == nullptr) {
            fail();
        }
        query("SET SESSION tx_isolation = 'READ-COMMITTED'"); // as our store has it
        for (std::size_t step = 0; step < steps; ++step) {
            statements_[step] = mysql_stmt_init(db_);
            const std::string_view text = step_texts[step];
            if (mysql_stmt_prepare(statements_[step], text.data(), text.size()) != 0) fail();
        }
    }

    ~MariadbFinalizer() override {
        for (auto* statement : statements_) mysql_stmt_close(statement);
        mysql_close(db_);
    }

    MariadbFinalizer(const MariadbFinalizer&) = delete;
    MariadbFinalizer& operator=(const MariadbFinalizer&) = delete;

    void finalize(const core::Finalization& finalization) override {
        query("START TRANSACTION");
        Bindings<4> flow;
        flow.text(0, finalization.flow_id.text);
        flow.number(1, finalization.revision);
        flow.number(2, core::epoch(finalization.now));
        flow.number(3, finalization.policy_version);
        execute(consume, flow.all());
        if (mysql_stmt_affected_rows(statements_[consume]) != 1)
            throw std::runtime_error("plain C: the flow was not there");
        write_session(finalization.session);
        write_code(finalization.code);
        query("COMMIT");
    }

private:
    void write_session(const core::Session& session) {
        const auto scope = session.scope.text();
        Bindings<17> values;
        values.text(0, session.id.text);
        values.text(1, session.flow_id.text);
        values.text(2, session.token.hex);
        values.text(3, session.browser.hex);
        values.text(4, session.client_id.text);
        values.text(5, core::name_of(session.identity.kind));
        values.blob(6, session.identity.value);
        values.null(7); // virtual_key_id
        values.blob(8, scope);
        values.blob(9, session.resource);
        values.number(10, core::epoch(session.created_at));
        values.number(11, core::epoch(session.expires_at));
        values.null(12); // revoked_at
        values.blob(13, session.redirect_uri);
        for (const std::size_t nobody : {14, 15, 16}) // client_url, person_id, signin_id
            values.null(nobody);
        execute(insert_session, values.all());
    }

    void write_code(const core::IssuedCode& code) {
        const auto state = code.state.value_or("");
        Bindings<9> values;
        values.text(0, code.hash.hex);
        values.text(1, code.session_id.text);
        values.text(2, code.client_id.text);
        values.blob(3, code.redirect_uri);
        values.text(4, code.code_challenge);
        values.text(5, code.key_id.text);
        values.number(6, core::epoch(code.expires_at));
        values.blob(7, state);
        values.null(8); // client_url
        execute(insert_code, values.all());
    }

    void query(std::string_view text) {
        if (mysql_real_query(db_, text.data(), text.size()) != 0) fail();
    }

    void execute(Step step, MYSQL_BIND* values) {
        auto* statement = statements_[step];
        if (mysql_stmt_bind_param(statement, values) == 0 && mysql_stmt_execute(statement) == 0)
            return;
        throw std::runtime_error(std::string("plain C: ") + mysql_stmt_error(statement));
    }

    [[noreturn]] void fail() const {
        throw std::runtime_error(std::string("plain C: ") + mysql_error(db_));
    }

    MYSQL* db_;
    std::array<MYSQL_STMT*, steps> statements_{};
};

} // namespace

std::unique_ptr<Finalizer> open_mariadb_finalizer(const store::StoreConfig& config) {
    return std::make_unique<MariadbFinalizer>(config);
}

} // namespace consentgate::bench

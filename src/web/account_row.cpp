#include "account_row.h"

namespace consentgate::web {

void show_account(View& row, const usecase::ServiceView& one) {
    using core::Standing;
    for (const auto standing :
         {Standing::not_connected, Standing::connected, Standing::not_answering,
          Standing::needs_person})
        row.flag(std::string(core::name_of(standing)), one.standing == standing);
    row.flag("linked", one.token.has_value());
    if (!one.token) return;
    row.set("connected_as", one.token->holder_name);
    if (one.token->created_at) row.instant("since", *one.token->created_at);
    if (one.token->last_used_at) row.instant("used", *one.token->last_used_at);
}

} // namespace consentgate::web

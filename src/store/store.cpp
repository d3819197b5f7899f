#include "consentgate/store/store.h"

#include "consentgate/store/open.h"
#include "database.h"

namespace consentgate::store {

Store::Store(StoreConfig config)
    : db_(std::make_unique<Database>(std::move(config))),
      clients(*db_),
      resource_servers(*db_, db_->config().max_cached),
      flows(*db_),
      codes(*db_),
      sessions(*db_, db_->config().max_cached),
      tokens(*db_),
      virtual_keys(*db_),
      services(*db_),
      upstream_states(*db_),
      accounts(*db_, db_->config().max_cached),
      server_keys(*db_),
      people(*db_),
      signins(*db_),
      trials(*db_),
      logouts(*db_),
      grants(*db_),
      access(*db_),
      idps(*db_),
      maintenance(*db_) {}

Store::~Store() = default;

std::unique_ptr<Store> open_store(StoreConfig config) {
    return std::make_unique<Store>(std::move(config));
}

} // namespace consentgate::store

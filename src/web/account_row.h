// A linked account on a page: what is true of it, in flags for the words of the catalogue. Private
// to this module.
#pragma once

#include "consentgate/usecase/upstream.h"
#include "consentgate/web/page.h"

namespace consentgate::web {

// Sets one of `not_connected`, `connected`, `not_answering` and `needs_person`; `linked` for all
// but the first; and `connected_as`, `since` and `used`, as far as they are known.
void show_account(View& row, const usecase::ServiceView& one);

} // namespace consentgate::web

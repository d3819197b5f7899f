// Typed requests from texts, for cases of every module: read by the server's own readers, so that a
// case and the server never disagree on a parameter's name.
#pragma once

#include "consentgate/web/requests.h"

namespace web = consentgate::web;
